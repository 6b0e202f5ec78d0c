export default panel("Software update", ({ send, now, aside }) => {
  let state = {};
  const what = h("div.tk-big");
  const why = h("p.tk-quiet");
  const when = h("time");
  const from = h("span");
  const until = h("span");
  const due = h("p", {}, from, when, until);
  const off = h("p.tk-quiet.tk-small");
  const fill = h("i");
  const bar = h("div.tk-progress", { role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100, "aria-label": "Update progress" }, fill);
  const done = h("span");
  const left = h("span.tk-quiet.tk-push");
  const keep = note("info", "i");
  const result = note("good", "\u2713");
  const progress = h("div.tk-body", { style: "flex:none;gap:4px" }, bar, h("div.tk-row.tk-small", {}, done, left));
  const install = button("Install now", () => send("install"), { kind: "primary" });
  const cancel = button("Cancel", () => send("cancel"));
  text(keep.words, "Keep the reader close and powered until it has finished.");

  function update(next) {
    state = next;
    text(what, state.headline);
    text(why, state.why);
    const share = state.progress;
    show(progress, state.running);
    show(keep.node, state.running);
    fill.style.width = `${(share ?? 0) * 100}%`;
    attribute(bar, "aria-valuenow", Math.round((share ?? 0) * 100));
    text(done, [share === null ? "starting" : percent(share), state.stage, state.bytes].filter(Boolean).join(" · "));
    show(result.node, Boolean(state.result));
    attribute(result.node, "class", `tk-note tk-${state.failed ? "bad" : "good"}`);
    text(result.node.firstChild, state.failed ? "!" : "\u2713");
    text(result.words, state.result ?? "");
    able(install, false, state.cannot_install);
    text(off, state.off);
    able(cancel, state.can_cancel, state.cannot_cancel);
  }

  function tick() {
    show(due, state.due_us !== null);
    if (state.due_us !== null) {
      at(when, state.due_us, DATE);
      text(from, state.due_us > now() ? "Required from " : "Required since ");
      text(until, state.due_us > now() ? ". Until then it can wait." : ".");
    }
    if (!state.running || !state.progress || !state.started_us) return text(left, state.estimate ?? "");
    const passed = (now() - state.started_us) / 1e6;
    text(left, state.progress < 0.05 ? state.estimate ?? "" : `about ${span((passed / state.progress) * (1 - state.progress))} left`);
  }

  return {
    nodes: [what, why, due, progress, keep.node, result.node, h("div.tk-row", { style: "margin-top:auto" }, install, cancel), off],
    update,
    tick,
  };
});
