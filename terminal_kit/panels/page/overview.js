export default panel("Bench", ({ now, aside }) => {
  let state = {};
  const radio = h("span");
  const record = h("span");
  const started = h("time");
  const running = h("span.tk-quiet", { title: "Time since the start" });
  const hint = note("warn", "!");
  const ailments = h("div.tk-row", { role: "status", "aria-label": "What ails the host" });
  const ails = [];
  aside.append(h("span.tk-row", { style: "gap:4px 24px" }, radio, record, h("span", {}, "started ", started, ", ", running)));

  function makeAilment() {
    return note("bad", "!");
  }

  return {
    nodes: [ailments, hint.node],
    update(next) {
      state = next;
      text(radio, state.radio_words);
      text(record, state.record);
      attribute(record, "title", state.record_help);
      attribute(record, "style", state.record_failed ? "color:var(--tk-bad);font-weight:600" : null);
      if (state.started_us) at(started, state.started_us);
      show(started.parentNode, Boolean(state.started_us));
      show(ailments, state.ailments.length > 0);
      keep(ailments, ails, state.ailments.length, makeAilment).forEach(({ words }, index) => text(words, state.ailments[index]));
      show(hint.node, Boolean(state.hint));
      text(hint.words, state.hint);
    },
    tick() {
      if (state.started_us) text(running, `${stopwatch((now() - state.started_us) / 1e6)} ago`);
    },
  };
});
