export default panel("Software update", ({ send, now }) => {
  let state = {};
  const what = h("div.tk-big", { role: "status" });
  const about = h("p.tk-quiet");
  const facts = h("dl.tk-facts");
  const lines = [];
  const when = h("time");
  const from = h("span");
  const until = h("span");
  const due = h("p", {}, from, when, until);
  const fill = h("i");
  const bar = h("div.tk-progress", { role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100, "aria-label": "Update progress" }, fill);
  const done = h("span.tk-grow");
  const left = h("span.tk-quiet");
  const progress = h("div.tk-body", { style: "flex:none;gap:4px" }, bar, h("div.tk-row.tk-small", {}, done, left));
  const keepIt = note("warn", "!");
  const result = note("good", "\u2713");
  const first = h("strong");
  const rest = h("span");
  const code = h("code");
  result.words.append(first, " ", rest, " ", code);
  result.words.classList.add("tk-grow");
  const install = button("Install now", () => send("install"), { kind: "primary" });
  const later = button("Later", () => send("later"), { help: "Put it away until a newer one comes, or the date from which it is required" });
  const cancel = button("Cancel", () => send("cancel"));
  let warning = false;

  function update(next) {
    state = next;
    text(what, state.headline);
    text(about, state.about);
    show(about, Boolean(state.about));
    keep(facts, lines, state.facts.length, makeLine).forEach((line, index) => line.set(state.facts[index]));
    show(progress, state.running);
    fill.style.width = `${(state.progress ?? 0) * 100}%`;
    attribute(bar, "aria-valuenow", Math.floor((state.progress ?? 0) * 100));
    attribute(bar, "aria-valuetext", `${percent(state.progress ?? 0)}: ${state.doing}`);
    text(done, `${percent(state.progress ?? 0)} · ${state.doing}`);
    text(left, state.left_s === null ? "" : `about ${span(state.left_s)} left`);
    show(keepIt.node, state.running);
    text(keepIt.words, state.keep);
    show(result.node, state.result !== null);
    attribute(result.node, "class", `tk-note tk-${state.failed ? "bad" : "good"}`);
    text(result.node.firstChild, state.failed ? "!" : "\u2713");
    [first, rest, code].forEach((node, index) => text(node, state.result?.[index] ?? ""));
    able(install, !state.cannot_install, state.cannot_install);
    cancel.dataset.help = state.cancel_help;
    able(cancel, !state.cannot_cancel, state.cannot_cancel);
    warn(state.running);
  }

  function makeLine() {
    const term = h("dt");
    const fact = h("dd");
    return {
      node: h("div", { style: "display:contents" }, term, fact),
      set([label, words]) {
        text(term, label);
        text(fact, words);
      },
    };
  }

  /** Asks before the page is left while an update runs (U9). Voila ends its kernel with the question, whatever is said. */
  function warn(on) {
    if (on === warning) return;
    warning = on;
    window[on ? "addEventListener" : "removeEventListener"]("beforeunload", stay);
  }

  function stay(event) {
    event.preventDefault();
    event.returnValue = ""; // what older browsers go by
  }

  /** What depends on the date: an update that is required cannot be put off, and one that was put off is back. */
  function tick() {
    const required = state.due_us !== null && state.due_us <= now();
    const away = state.put_away && !required;
    show(facts, state.facts.length > 0 && !away);
    show(due, state.due_us !== null || away);
    show(when, state.due_us !== null);
    if (state.due_us !== null) at(when, state.due_us, DATE);
    text(from, required ? "Required since " : `${away ? "Put away. " : ""}${state.due_us === null ? "It stays optional" : "Required from "}`);
    text(until, required ? ": the next connection installs it." : state.due_us === null ? "." : ". Until then it can wait.");
    const why = state.cannot_defer || (required ? "It is required: the next connection installs it." : away ? "It is put away already." : "");
    able(later, !why, why);
  }

  return {
    nodes: [what, about, facts, due, progress, keepIt.node, result.node, h("div.tk-row", { style: "margin-top:auto" }, install, later, cancel)],
    update,
    tick,
    close: () => warn(false),
  };
});
