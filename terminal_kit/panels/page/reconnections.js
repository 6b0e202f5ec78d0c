const TOP = 10, LEFT = 40, RIGHT = 12, BOTTOM = 32;

export default panel("Back after a drop", ({ aside }) => {
  let state = { steps: [], gone: [] };
  let size = { width: 320, height: 200 };
  const grid = s("g");
  const line = s("path", { style: "stroke:var(--tk-1)" });
  const marks = s("g");
  const half = s("path", { style: "stroke:var(--tk-6);stroke-width:1", "stroke-dasharray": "3 3" });
  const title = s("text", { "text-anchor": "middle" }, "seconds after the drop");
  const chart = s("svg", { class: "tk-chart", role: "img", style: "height:190px" }, grid, half, line, marks, title);
  const words = h("p");
  const empty = h("p.tk-quiet", {}, "Nothing to show until a reader has dropped and is awaited.");
  const rules = [], labels = [], crosses = [];

  /** The next round number, so that the axis has few and plain figures. */
  function round(limit) {
    const base = 10 ** Math.floor(Math.log10(limit));
    return [1, 2, 5, 10].map((step) => step * base).find((step) => step >= limit);
  }

  function draw() {
    show(chart, state.steps.length > 0);
    show(empty, state.steps.length === 0);
    text(words, state.words ?? "");
    text(aside, state.steps.length ? "share of drops" : "");
    if (!state.steps.length) return;
    const limit = round(Math.max(5, state.until_s));
    const x = (seconds) => LEFT + ((size.width - LEFT - RIGHT) * seconds) / limit;
    const y = (share) => TOP + (size.height - TOP - BOTTOM) * (1 - share);
    const shares = [0, 0.5, 1];
    keep(grid, rules, shares.length, () => {
      const rule = s("line", { class: "tk-grid" });
      const label = s("text", { "text-anchor": "end", "dominant-baseline": "middle" });
      return { node: s("g", {}, rule, label), rule, label };
    }).forEach(({ rule, label }, index) => {
      const height = y(shares[index]);
      for (const [name, value] of Object.entries({ x1: LEFT, x2: size.width - RIGHT, y1: height, y2: height })) attribute(rule, name, value);
      attribute(label, "x", LEFT - 6);
      attribute(label, "y", height);
      text(label, percent(shares[index]));
    });
    const times = [0, 0.5, 1].map((part) => part * limit);
    keep(grid, labels, times.length, () => ({ node: s("text") })).forEach(({ node }, index) => {
      attribute(node, "x", x(times[index]));
      attribute(node, "y", size.height - BOTTOM + 14);
      attribute(node, "text-anchor", ["start", "middle", "end"][index]);
      text(node, `${times[index]}`);
    });
    attribute(title, "x", (LEFT + size.width - RIGHT) / 2);
    attribute(title, "y", size.height - 3);
    attribute(line, "d", `M${x(0)} ${y(0)}${state.steps.map(([seconds, share]) => `H${x(seconds)}V${y(share)}`).join("")}H${x(state.until_s)}`);
    attribute(half, "d", state.median_s === null ? "" : `M${LEFT} ${y(0.5)}H${x(state.median_s)}V${y(0)}`);
    keep(marks, crosses, state.gone.length, () => ({ node: s("text", { "text-anchor": "middle", "dominant-baseline": "central", style: "fill:var(--tk-bad);font-weight:700" }, "+") })).forEach(({ node }, index) => {
      const [seconds, share] = state.gone[index];
      attribute(node, "x", x(seconds));
      attribute(node, "y", y(share));
    });
    attribute(chart, "aria-label", `Share of readers back over time. ${state.words}`);
  }

  const watch = new ResizeObserver(([{ contentRect }]) => {
    if (!contentRect.width) return;
    size = { width: contentRect.width, height: contentRect.height };
    draw();
  });
  watch.observe(chart);

  return {
    nodes: [empty, chart, words],
    update(next) {
      state = next;
      draw();
    },
    close: () => watch.disconnect(),
  };
});
