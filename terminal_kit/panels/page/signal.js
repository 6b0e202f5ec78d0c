const TOP = 8, LEFT = 34, RIGHT = 12, BOTTOM = 20;
const FLOOR = -100, CEILING = -30;
const GAP_US = 3.5e6; // one point a second is usual: a longer silence is a gap, never a held value
const DASHES = [null, "7 3", "2 3", "9 3 2 3", "1 4", "12 4"];

export default panel("Signal", ({ now, aside }) => {
  let state = { traces: {}, marks: {} };
  const points = new Map(); // serial → [[t_us, dBm, source]]
  let size = { width: 600, height: 260 };
  const minutes = h("select", { "aria-label": "Length of the chart", onchange: draw },
    ...[1, 2, 5].map((count) => h("option", { value: count, selected: count === 2 }, `${count} min`)));
  const grid = s("g"), lines = s("g"), marks = s("g"), hover = s("g", { visibility: "hidden" });
  const chart = s("svg", { class: "tk-chart", role: "img", style: "height:300px" }, grid, lines, marks, hover);
  const legend = h("div.tk-legend");
  const empty = h("p.tk-quiet", {}, "Scan, or connect a reader, to see how strong its signal is.");
  const keys = [], paths = [], crosses = [], ticks = [], seconds = [];

  const x = (us, end) => LEFT + ((size.width - LEFT - RIGHT) * (us - (end - window()))) / window();
  const y = (value) => TOP + ((size.height - TOP - BOTTOM) * (CEILING - Math.max(FLOOR, Math.min(CEILING, value)))) / (CEILING - FLOOR);
  const window = () => Number(minutes.value) * 6e7;

  function update(next, { news, whole }) {
    state = next;
    if (whole) points.clear();
    for (const [serial, fresh] of Object.entries(news ?? {})) {
      const before = points.get(serial) ?? [];
      const last = before.at(-1)?.[0] ?? -Infinity;
      points.set(serial, [...before, ...fresh.filter(([us]) => us > last)].slice(-300));
    }
    for (const serial of points.keys()) if (!Object.hasOwn(state.traces, serial)) points.delete(serial);
    draw();
  }

  function draw() {
    const traces = Object.entries(state.traces).sort(([, a], [, b]) => a.slot - b.slot);
    const end = now();
    show(empty, traces.length === 0);
    show(chart, traces.length > 0);
    if (traces.length === 0) return text(aside, "");
    text(aside, "dBm");
    drawGrid(end);
    keep(lines, paths, traces.length, () => ({ node: s("path") })).forEach(({ node }, index) => {
      const [serial, trace] = traces[index];
      node.style.stroke = `var(--tk-${trace.slot + 1})`;
      node.style.strokeWidth = trace.connected ? 2.5 : 1.5;
      attribute(node, "stroke-dasharray", DASHES[trace.slot]);
      attribute(node, "d", outline(points.get(serial) ?? [], end));
    });
    keep(legend, keys, traces.length, makeKey).forEach((key, index) => key.set(...traces[index]));
    drawMarks(end);
    attribute(chart, "aria-label", `Signal strength of ${traces.map(([serial, trace]) => `${trace.name} ${latest(serial)}`).join(", ")}`);
  }

  function latest(serial) {
    const last = points.get(serial)?.at(-1);
    return last && now() - last[0] < GAP_US * 2 ? dbm(last[1]) : "not heard";
  }

  /** Points as a path that breaks where nothing was heard. */
  function outline(all, end) {
    let path = "";
    let before = -Infinity;
    for (const [us, value] of all) {
      if (us < end - window()) continue;
      const joined = us - before <= GAP_US;
      path += `${joined ? "L" : "M"}${x(us, end).toFixed(1)} ${y(value).toFixed(1)}${joined ? "" : "h0.01"}`;
      before = us;
    }
    return path;
  }

  function drawGrid(end) {
    const levels = [-40, -60, -80, -100];
    keep(grid, ticks, levels.length, () => {
      const line = s("line", { class: "tk-grid" });
      const words = s("text", { "text-anchor": "end", "dominant-baseline": "middle" });
      return { node: s("g", {}, line, words), line, words };
    }).forEach(({ line, words }, index) => {
      const height = y(levels[index]);
      for (const [name, value] of Object.entries({ x1: LEFT, x2: size.width - RIGHT, y1: height, y2: height })) attribute(line, name, value);
      attribute(words, "x", LEFT - 6);
      attribute(words, "y", height);
      text(words, minus(levels[index]));
    });
    const steps = [0, 0.25, 0.5, 0.75, 1];
    keep(grid, seconds, steps.length, () => ({ node: s("text", { "text-anchor": "middle" }) })).forEach(({ node }, index) => {
      const ago = (window() / 1e6) * (1 - steps[index]);
      attribute(node, "x", x(end - ago * 1e6, end));
      attribute(node, "y", size.height - 4);
      attribute(node, "text-anchor", index === 4 ? "end" : "middle");
      text(node, ago === 0 ? "now" : ago < 60 ? `\u2212${ago} s` : `\u2212${minus(ago / 60, ago % 60 ? 1 : 0)} min`);
    });
  }

  function drawMarks(end) {
    const seen = Object.values(state.marks).filter((mark) => mark.t_us > end - window());
    keep(marks, crosses, seen.length, () => {
      const sign = s("text", { "text-anchor": "middle", style: "font-size:13px;font-weight:700" });
      const words = s("text", { class: "tk-mark-words", "text-anchor": "middle" });
      return { node: s("g", {}, sign, words), sign, words };
    }).forEach(({ sign, words }, index) => {
      const mark = seen[index];
      const left = x(mark.t_us, end);
      sign.style.fill = mark.back ? "var(--tk-good)" : "var(--tk-bad)";
      text(sign, mark.back ? "\u25b2" : "\u2715");
      text(words, mark.words);
      const height = mark.rssi === null ? size.height - BOTTOM - 8 : y(mark.rssi) + 4;
      for (const node of [sign, words]) attribute(node, "x", left.toFixed(1));
      attribute(sign, "y", height);
      attribute(words, "y", height - 14 < TOP + 8 ? height + 16 : height - 14);
      attribute(words, "text-anchor", left > size.width - 70 ? "end" : left < LEFT + 50 ? "start" : "middle");
    });
  }

  function makeKey() {
    const line = s("path", { d: "M0 4H22", style: "fill:none;stroke-width:2.5" });
    const name = h("span.tk-cut");
    const value = h("span.tk-quiet");
    return {
      node: h("span", {}, s("svg", { viewBox: "0 0 22 8", "aria-hidden": "true" }, line), name, value),
      set(serial, trace) {
        line.style.stroke = `var(--tk-${trace.slot + 1})`;
        attribute(line, "stroke-dasharray", DASHES[trace.slot]);
        text(name, trace.connected ? `\u25cf ${trace.name}` : trace.name);
        attribute(name, "title", trace.connected ? "connected" : null);
        text(value, latest(serial));
      },
    };
  }

  const cursor = s("line", { class: "tk-grid", y1: TOP });
  const reading = s("text", { class: "tk-mark-words", y: TOP + 8 });
  hover.append(cursor, reading);
  chart.addEventListener("pointermove", (event) => {
    const end = now();
    const left = event.clientX - chart.getBoundingClientRect().left;
    const us = end - window() + ((left - LEFT) / (size.width - LEFT - RIGHT)) * window();
    let nearest = null;
    for (const serial of Object.keys(state.traces)) {
      for (const point of points.get(serial) ?? []) {
        if (!nearest || Math.abs(point[0] - us) < Math.abs(nearest.point[0] - us)) nearest = { serial, point };
      }
    }
    if (!nearest || Math.abs(nearest.point[0] - us) > 5e6) return attribute(hover, "visibility", "hidden");
    const [when, value, source] = nearest.point;
    const at = x(when, end);
    attribute(hover, "visibility", "visible");
    for (const [name, number] of Object.entries({ x1: at, x2: at, y2: size.height - BOTTOM })) attribute(cursor, name, number);
    attribute(reading, "x", at + (at > size.width / 2 ? -6 : 6));
    attribute(reading, "text-anchor", at > size.width / 2 ? "end" : "start");
    text(reading, `${HOUR.format(new Date(when / 1000))}  ${dbm(value)}  ${state.traces[nearest.serial].name}, ${state.sources[source] ?? ""}`);
  });
  chart.addEventListener("pointerleave", () => attribute(hover, "visibility", "hidden"));

  const watch = new ResizeObserver(([{ contentRect }]) => {
    if (!contentRect.width) return;
    size = { width: contentRect.width, height: contentRect.height };
    draw();
  });
  watch.observe(chart);

  return {
    nodes: [h("div.tk-row", {}, h("div.tk-grow", {}, legend), minutes), empty, chart],
    update,
    tick: draw,
    close: () => watch.disconnect(),
  };
});
