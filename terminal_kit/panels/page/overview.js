export default panel("Bench", ({ now, aside }) => {
  let state = {};
  const radio = h("span");
  const record = h("span");
  const started = h("time");
  const running = h("span.tk-quiet", { title: "Time since the start" });
  const host = note("bad", "!");
  const net = note("warn", "!");
  aside.append(h("span.tk-row", { style: "gap:4px 24px" }, radio, record, h("span", {}, "started ", started, " ", running), host.node, net.node));
  return {
    nodes: [],
    update(next) {
      state = next;
      text(radio, state.radio_words);
      text(record, state.record);
      attribute(record, "title", state.record_help);
      attribute(record, "style", state.record_failed ? "color:var(--tk-bad);font-weight:600" : null);
      if (state.started_us) at(started, state.started_us);
      show(started.parentNode, Boolean(state.started_us));
      show(host.node, Boolean(state.host_fault));
      text(host.words, state.host_fault ?? "");
      show(net.node, state.offline);
      text(net.words, "no internet");
    },
    tick() {
      if (state.started_us) text(running, stopwatch((now() - state.started_us) / 1e6));
    },
  };
});
