const LEFT = 142, RIGHT = 14, TOP = 6, AXIS = 22;
const HEIGHTS = { signal: 150, rate: 44, battery: 40, marks: 24, steps: 22 };
const LEAST_US = 1e6; // the shortest span that the kernel gives
const STEPS_US = [1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7, 1.5e7, 3e7, 6e7, 1.2e8, 3e8, 6e8, 9e8, 1.8e9, 3.6e9, 7.2e9, 1.08e10, 2.16e10, 4.32e10, 8.64e10, 1.728e11, 6.048e11, 2.592e12];
const DASHES = [null, "7 3", "2 3"];
const TONES = { bad: "var(--tk-bad)", warn: "var(--tk-warn)", good: "var(--tk-good)", plain: "var(--tk-6)" };
const SHARP = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23" });
const SHORT = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const MONTH = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short" });
const YEAR = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short", year: "numeric" });

export default panel("Timeline", ({ send, aside }) => {
  let state = { lanes: [], hidden: [], chosen: [], sources: {} };
  let view = [0, LEAST_US]; // what the page shows
  let asked = null; // what it has asked the kernel for
  let width = 900;
  let rows = []; // the lanes in sight: { lane, top, height }
  let hits = []; // the marks in sight, with their boxes
  let drag = null;

  const readers = h("select", { "aria-label": "Reader", onchange: () => send("read", { reader: Number(readers.value) }) });
  const earlier = button("◀", () => pan(-0.5), { help: "Earlier (left arrow)" });
  const later = button("▶", () => pan(0.5), { help: "Later (right arrow)" });
  const closer = button("+", () => zoomBy(0.4), { help: "Closer (+); or drag across the chart" });
  const wider = button("−", () => zoomBy(2.5), { help: "Wider (−)" });
  const whole = button("Whole", () => zoomTo(null), { help: "All that is recorded (0, or a double click)" });
  const before = button("Mark ◀", () => step(-1), { help: "Opens the mark before" });
  const after = button("Mark ▶", () => step(1), { help: "Opens the next mark" });
  const again = button("Look again", () => send("look"), { help: "Reads what was recorded or imported meanwhile" });
  for (const [node, name] of [[earlier, "Earlier"], [later, "Later"], [closer, "Closer"], [wider, "Wider"], [before, "Mark before"], [after, "Next mark"]]) attribute(node, "aria-label", name);
  const spanWords = h("span.tk-quiet", { role: "status" });

  const clip = unique("tk-clip");
  const clipBox = s("rect", { x: LEFT, y: 0 });
  const grid = s("g"), plot = s("g", { "clip-path": `url(#${clip})` }), over = s("g", { "clip-path": `url(#${clip})` });
  const chart = s("svg", { class: "tk-chart tk-timeline", role: "img" }, s("clipPath", { id: clip }, clipBox), grid, plot, over);
  const hint = h("div.tk-hint", { hidden: true });
  const field = h("div.tk-field", { tabindex: 0, role: "group", "aria-label": "Timeline: arrows move, plus and minus zoom, 0 shows all", onkeydown: press }, chart, hint);
  const legend = h("div.tk-legend");
  const looking = h("p.tk-quiet", { role: "status" }, "Looking…");
  const empty = h("p.tk-quiet", {}, "No reader is recorded in this log.");
  const remark = h("p.tk-quiet.tk-small");
  const shown = h("div.tk-row.tk-small", { role: "group", "aria-label": "Lanes that are shown" });

  const records = h("div.tk-records", { role: "region", "aria-live": "polite", "aria-label": "Chosen record" });
  const words = h("input.tk-grow", { type: "text", maxlength: 2000, "aria-label": "Note", placeholder: "Note at this moment", onkeydown: ({ key }) => key === "Enter" && note() });
  const add = button("Add note", note, { help: "Appends it to the log" });
  const body = h("tbody");
  const sources = h("div.tk-scroll", { tabindex: 0, role: "region", "aria-label": "Clocks of the imported files" },
    h("table", {}, h("thead", {}, h("tr", {}, ...["file", "times", "+ s"].map((head, at) => h(at === 2 ? "th.tk-number" : "th", { scope: "col" }, head)))), body));
  const beside = h("div.tk-split", {}, h("div.tk-column", {}, records, h("div.tk-row", {}, words, add)), sources);

  // ---- where things are

  const inner = () => Math.max(50, width - LEFT - RIGHT);
  const x = (us) => LEFT + (inner() * (us - view[0])) / (view[1] - view[0]);
  const moment = (left) => Math.round(view[0] + ((left - LEFT) / inner()) * (view[1] - view[0]));
  const scale = (row, low, high) => (value) => row.top + 4 + (row.height - 8) * (1 - (Math.max(low, Math.min(high, value)) - low) / (high - low));

  function zoomTo(span) {
    if (!state.whole) return;
    if (span === null) {
      view = [...state.whole];
      asked = [...state.whole];
      send("zoom", { since: null });
    } else {
      const length = Math.max(LEAST_US, Math.round(span[1] - span[0]));
      const since = Math.round((span[0] + span[1] - length) / 2);
      view = [since, since + length];
      asked = [...view];
      send("zoom", { since, until: since + length });
    }
    draw();
  }
  const zoomBy = (factor, at = (view[0] + view[1]) / 2) => zoomTo([at - (at - view[0]) * factor, at + (view[1] - at) * factor]);
  const pan = (share) => zoomTo(view.map((us) => us + share * (view[1] - view[0])));

  function press(event) {
    if (event.target !== field || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = { ArrowLeft: () => pan(-0.2), ArrowRight: () => pan(0.2), "+": () => zoomBy(0.5), "=": () => zoomBy(0.5), "-": () => zoomBy(2), 0: () => zoomTo(null), Home: () => zoomTo(null) }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  function choose(mark) {
    send("choose", { rows: [mark.seq, mark.end_seq].filter(Boolean) });
  }

  /** The mark before or after the chosen one, in the lanes in sight; where none is ahead, the span moves on. */
  function step(way) {
    const from = state.chosen[0] ?? (way > 0 ? { t_us: view[0], row: 0 } : { t_us: view[1], row: Infinity });
    const ahead = ({ t, mark }) => way * (t - from.t_us || mark.seq - from.row);
    const next = marksInSight().filter((each) => each.mark.seq && ahead(each) > 0).sort((a, b) => ahead(a) - ahead(b))[0];
    if (next) choose(next.mark);
    else pan(way * 0.8);
  }

  function marksInSight() {
    const base = state.window?.since ?? 0;
    return rows.filter(({ lane }) => lane.part === "marks").flatMap((row) => (state.window.marks[row.lane.name] ?? []).map((mark) => ({ row, mark, t: base + mark.t, end: mark.end === null ? null : base + mark.end })));
  }

  function note() {
    const moment = state.chosen[0]?.t_us;
    if (moment === undefined || !words.value.trim()) return;
    send("note", { t_us: moment, text: words.value });
    words.value = "";
  }

  // ---- drawing

  function draw() {
    if (!state.window) return;
    let top = TOP;
    rows = state.lanes.filter((lane) => !state.hidden.includes(lane.name)).map((lane) => {
      const row = { lane, top, height: HEIGHTS[lane.part] };
      top += row.height;
      return row;
    });
    const bottom = top;
    chart.style.height = `${bottom + AXIS}px`;
    for (const [name, value] of Object.entries({ width: inner(), height: bottom })) attribute(clipBox, name, value);
    grid.replaceChildren(...gridNodes(bottom), ...rows.flatMap(rowNodes));
    hits = [];
    plot.replaceChildren(...rows.flatMap((row) => DRAW[row.lane.part](row)));
    const chosen = state.chosen.map(({ t_us }) => s("line", { class: "tk-chosen", x1: x(t_us), x2: x(t_us), y1: TOP, y2: bottom }));
    over.replaceChildren(...chosen, ...(drag?.box ? [drag.box] : []));
    text(spanWords, `${YEAR.format(new Date(view[0] / 1000))}, ${HOUR.format(new Date(view[0] / 1000))} – ${HOUR.format(new Date(view[1] / 1000))}, ${span((view[1] - view[0]) / 1e6)}`);
    attribute(chart, "aria-label", `${readers.selectedOptions[0]?.textContent ?? "reader"}: ${marksInSight().length} marks in ${span((view[1] - view[0]) / 1e6)}`);
  }

  function gridNodes(bottom) {
    const length = view[1] - view[0];
    const stepUs = STEPS_US.find((each) => (length / each) * 74 <= inner()) ?? STEPS_US.at(-1);
    const zoneUs = new Date(view[0] / 1000).getTimezoneOffset() * 6e7;
    const nodes = [];
    let day = "";
    for (let at = Math.ceil((view[0] - zoneUs) / stepUs) * stepUs + zoneUs; at <= view[1]; at += stepUs) {
      const date = new Date(at / 1000);
      const time = (stepUs < 1e6 ? SHARP : stepUs < 6e7 ? HOUR : SHORT).format(date);
      const its = MONTH.format(date);
      const label = stepUs >= 8.64e10 ? its : time;
      nodes.push(s("line", { class: "tk-grid", x1: x(at), x2: x(at), y1: TOP, y2: bottom }));
      const place = x(at) > width - RIGHT - 24 ? "end" : "middle";
      const node = s("text", { x: x(at), y: bottom + 15, "text-anchor": place }, label);
      if (stepUs < 8.64e10 && day && its !== day) node.append(s("title", {}, its), ` ${its.split(/[ ,]/)[0]}`);
      nodes.push(node);
      day = its;
    }
    return nodes;
  }

  function rowNodes(row) {
    const middle = row.top + row.height / 2;
    return [
      s("text", { class: "tk-lane", x: 2, y: row.lane.part === "signal" ? row.top + 14 : middle, "dominant-baseline": "middle" }, row.lane.title),
      s("line", { class: "tk-grid", x1: 0, x2: width - RIGHT, y1: row.top + row.height, y2: row.top + row.height }),
      ...(row.lane.part === "signal" ? [-40, -60, -80, -100].flatMap((level) => {
        const y = scale(row, -105, loudest())(level);
        return [s("line", { class: "tk-grid", x1: LEFT, x2: width - RIGHT, y1: y, y2: y }), s("text", { x: LEFT - 6, y, "text-anchor": "end", "dominant-baseline": "middle" }, minus(level))];
      }) : []),
    ];
  }

  const DRAW = { signal: signalNodes, rate: rateNodes, battery: batteryNodes, marks: markNodes, steps: stepNodes };

  /** Points as a path that breaks where there are none. `held`: a value stands until the next one. */
  function outline(times, values, y, held = false) {
    const base = state.window.since;
    let path = "";
    let joined = false;
    times.forEach((t, at) => {
      if (values[at] === null) return void (joined = false);
      const left = x(base + t).toFixed(1);
      const high = y(values[at]).toFixed(1);
      path += joined ? (held ? `H${left}V${high}` : `L${left} ${high}`) : `M${left} ${high}h0.01`;
      joined = true;
    });
    return path;
  }

  /** The axis ends at -30 dBm, but for a reader that lies on the phone. */
  function loudest() {
    return state.window.signals.reduce((most, { v, high }) => Math.max(most, ...[...v, ...high].filter((level) => level !== null)), -30);
  }

  function signalNodes(row) {
    const y = scale(row, -105, loudest());
    return state.window.signals.flatMap((signal, at) => {
      const stroke = `stroke:var(--tk-${(at % 6) + 1})`;
      const bands = stretches(signal.band, signal.low).map(([from, to]) => {
        const upper = signal.band.slice(from, to).map((t, place) => `${x(state.window.since + t).toFixed(1)} ${y(signal.high[from + place]).toFixed(1)}`);
        const lower = signal.band.slice(from, to).map((t, place) => `${x(state.window.since + t).toFixed(1)} ${y(signal.low[from + place]).toFixed(1)}`).reverse();
        return `M${[...upper, ...lower].join("L")}Z`;
      });
      return [
        s("path", { class: "tk-band", d: bands.join(""), style: `fill:var(--tk-${(at % 6) + 1})` }),
        s("path", { d: outline(signal.t, signal.v, y), style: stroke, "stroke-dasharray": DASHES[at % 3] }),
      ];
    });
  }

  function stretches(times, values) {
    const found = [];
    let from = 0;
    times.forEach((_, at) => {
      if (values[at] === null) {
        if (at - from > 1) found.push([from, at]);
        from = at + 1;
      }
    });
    if (times.length - from > 1) found.push([from, times.length]);
    return found;
  }

  function rateNodes(row) {
    const { t, v } = state.window.rate;
    const most = Math.max(1, ...v);
    const y = scale(row, 0, most);
    return [s("path", { d: outline(t, v, y, true), style: "stroke:var(--tk-6)" }), s("text", { class: "tk-mark-words", x: width - RIGHT - 3, y: row.top + 12, "text-anchor": "end" }, `${most.toFixed(most < 10 ? 1 : 0)}/s`)];
  }

  function batteryNodes(row) {
    const { t, v } = state.window.battery;
    const y = scale(row, 0, 1);
    const last = v.at(-1) ?? null;
    return [s("path", { d: outline(t, v, y, true), style: "stroke:var(--tk-3)" }), ...(last === null ? [] : [s("text", { x: Math.min(width - RIGHT - 30, x(state.window.since + t.at(-1)) + 5), y: y(last), "dominant-baseline": "middle" }, percent(last))])];
  }

  /** A parameter in force: a bar for each value, which says it where there is room. */
  function stepNodes(row) {
    const { t, v } = state.window.steps[row.lane.name] ?? { t: [], v: [] };
    const nodes = [];
    t.forEach((at, place) => {
      const value = v[place];
      if (value === null || (place > 0 && v[place - 1] === value)) return;
      let end = place + 1;
      while (end < t.length && v[end] === value) end += 1;
      const left = Math.max(LEFT, x(state.window.since + at));
      const right = x(state.window.since + (end < t.length ? t[end] : t[t.length - 1]));
      if (right < LEFT || left > width) return;
      nodes.push(s("rect", { class: "tk-span", x: left, y: row.top + 4, width: Math.max(1.5, right - left), height: row.height - 8 }));
      if (right - left > 34) nodes.push(s("text", { class: "tk-on", x: left + 4, y: row.top + row.height / 2, "dominant-baseline": "central" }, String(Number(value.toPrecision(4)))));
    });
    return nodes;
  }

  function markNodes(row) {
    const middle = row.top + row.height / 2;
    const of = marksInSight().filter((each) => each.row === row);
    const bars = of.filter(({ end }) => end !== null);
    const signs = of.filter(({ end }) => end === null);
    return [
      ...bars.map(({ t, end, mark }) => {
        const left = x(t);
        const length = Math.max(2.5, x(end) - left);
        hits.push({ mark, t, left, right: left + length, row, sharp: 0 });
        return s("rect", { class: mark.open ? "tk-bar tk-open" : "tk-bar", x: left, y: row.top + 6, width: length, height: row.height - 12, rx: 2, style: `--tk-tone:${TONES[mark.tone]}` });
      }),
      ...signs.map(({ t, mark }) => {
        hits.push({ mark, t, left: x(t) - 5, right: x(t) + 5, row, sharp: 1 });
        return s("text", { class: "tk-sign", x: x(t), y: middle, "text-anchor": "middle", "dominant-baseline": "central", style: `fill:${TONES[mark.tone]}` }, mark.sign);
      }),
    ];
  }

  // ---- pointing

  function under(event) {
    const box = chart.getBoundingClientRect();
    const left = event.clientX - box.left, top = event.clientY - box.top;
    const row = rows.find((each) => top >= each.top && top < each.top + each.height);
    const hit = hits.filter((each) => each.row === row && left >= each.left - 3 && left <= each.right + 3)
      .sort((a, b) => b.sharp - a.sharp || Math.abs((a.left + a.right) / 2 - left) - Math.abs((b.left + b.right) / 2 - left))[0];
    return { left, top, row, hit };
  }

  function tell({ left, top, row, hit }) {
    const lines = hit ? [hit.mark.words, `${HOUR.format(new Date(hit.t / 1000))}${hit.mark.where ? `, ${hit.mark.where}` : ""}`] : row && left > LEFT ? reading(row, moment(left)) : [];
    show(hint, lines.length > 0);
    hint.replaceChildren(...lines.map((line) => h("div", {}, line)));
    hint.style.top = `${top + 14}px`;
    const right = left > width / 2;
    hint.style.left = right ? "" : `${left + 8}px`;
    hint.style.right = right ? `${width - left + 8}px` : "";
  }

  /** What the lines of a lane are at a moment. */
  function reading(row, us) {
    const time = (view[1] - view[0] < 6e7 ? SHARP : HOUR).format(new Date(us / 1000));
    const off = us - state.window.since;
    const near = (times) => times.reduce((best, t, at) => (Math.abs(t - off) < Math.abs(times[best] - off) ? at : best), 0);
    const reach = 6e6 + (view[1] - view[0]) / 100;
    if (row.lane.part === "signal") {
      return [time, ...state.window.signals.flatMap(({ t, v, source }) => {
        const at = near(t);
        return t.length && v[at] !== null && Math.abs(t[at] - off) < reach ? [`${dbm(v[at])}  ${source}`] : [];
      })];
    }
    if (row.lane.part === "marks") return [];
    const line = row.lane.part === "steps" ? state.window.steps[row.lane.name] : state.window[row.lane.part];
    const at = line ? line.t.findLastIndex((t) => t <= off) : -1;
    if (at < 0 || line.v[at] === null) return [time];
    return [time, row.lane.part === "battery" ? percent(line.v[at]) : row.lane.part === "rate" ? `${line.v[at].toFixed(1)} a second` : `${row.lane.title}: ${line.v[at]}`];
  }

  chart.addEventListener("pointerdown", (event) => {
    const at = under(event);
    if (event.button !== 0 || at.left < LEFT) return;
    drag = { from: at, moves: event.shiftKey, view: [...view], box: null };
    chart.setPointerCapture(event.pointerId);
  });
  chart.addEventListener("pointermove", (event) => {
    const at = under(event);
    if (!drag) return tell(at);
    show(hint, false);
    const moved = at.left - drag.from.left;
    if (Math.abs(moved) < 5 && !drag.box && !drag.isMoving) return;
    if (drag.moves) {
      drag.isMoving = true;
      const shift = (moved / inner()) * (drag.view[1] - drag.view[0]);
      view = drag.view.map((us) => us - shift);
      draw();
    } else {
      drag.box = s("rect", { class: "tk-chosen-span", x: Math.min(at.left, drag.from.left), y: TOP, width: Math.abs(moved), height: chart.clientHeight - AXIS - TOP });
      over.replaceChildren(drag.box);
    }
  });
  chart.addEventListener("pointerup", (event) => {
    const was = drag;
    drag = null;
    if (!was) return;
    const at = under(event);
    if (was.isMoving) zoomTo(view);
    else if (was.box) zoomTo([moment(was.from.left), moment(at.left)].sort((a, b) => a - b));
    else if (at.hit?.mark.seq) choose(at.hit.mark);
    else if (at.row?.lane.part === "signal") send("near", { t_us: moment(at.left), within_us: Math.round(Math.max(1e6, ((view[1] - view[0]) / inner()) * 8)) });
  });
  chart.addEventListener("pointercancel", () => (drag = null));
  chart.addEventListener("pointerleave", () => show(hint, false));
  chart.addEventListener("dblclick", () => zoomTo(null));
  chart.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // the page's own scrolling stays
    event.preventDefault();
    zoomBy(event.deltaY > 0 ? 1.25 : 0.8, moment(under(event).left));
  }, { passive: false });

  // ---- what the kernel says

  const entries = [], switches = [], keys = [];
  function update(next) {
    state = next;
    show(looking, state.looking);
    show(empty, !state.looking && state.readers.length === 0);
    for (const node of [field, legend, beside, shown, tools]) show(node, Boolean(state.window));
    text(aside, state.judging ? "finding out why it dropped…" : "");
    if (!state.window) return;
    if (readers.options.length !== state.readers.length || state.readers.some((name, at) => readers.options[at].textContent !== name)) {
      readers.replaceChildren(...state.readers.map((name, at) => h("option", { value: at }, name)));
    }
    readers.value = String(state.reader);
    const given = [state.window.since, state.window.until];
    if (!drag && (asked === null || state.trouble || (asked[0] === given[0] && asked[1] === given[1]))) {
      view = given;
      asked = null;
    }
    text(remark, state.remark);
    show(remark, Boolean(state.remark));
    listLanes();
    listRecords();
    listSources();
    listKeys();
    draw();
  }

  function listLanes() {
    keep(shown, switches, state.lanes.length, () => {
      const box = h("input", { type: "checkbox", onchange: () => send("hide", { lane: made.name, hidden: !box.checked }) });
      const name = h("span");
      const made = { node: h("label", {}, box, name), box, title: name };
      return made;
    }).forEach((each, at) => {
      each.name = state.lanes[at].name;
      each.box.checked = !state.hidden.includes(each.name);
      text(each.title, state.lanes[at].title);
    });
  }

  let told = null;
  function listRecords() {
    const now = JSON.stringify(state.chosen);
    able(add, state.writable && state.chosen.length > 0, state.writable ? "Choose a mark, or a point of the signal, first." : "The log is open for reading only.");
    if (now === told) return;
    told = now;
    records.replaceChildren(...(state.chosen.length ? state.chosen.map((record) => h("section", {},
      h("h3", {}, record.title), h("p.tk-quiet", {}, record.place),
      h("dl.tk-facts", {}, ...record.facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
    )) : [h("p.tk-quiet", {}, "A click on a mark, or on the signal, shows the record that it comes from.")]));
  }

  function listSources() {
    const found = Object.entries(state.sources).sort((a, b) => a[0] - b[0]);
    keep(body, entries, found.length, () => {
      const cells = ["td", "td", "td.tk-number"].map((tag) => h(tag));
      // Lab keeps Enter from an input's own "change", which then comes when it is left.
      const offset = h("input.tk-offset", { type: "number", step: 0.001, onchange: correct, onkeydown: ({ key }) => key === "Enter" && correct() });
      function correct() {
        const seconds = Number(offset.value);
        if (offset.value !== "" && seconds !== state.sources[made.id].offset_s) send("offset", { source: made.id, seconds });
      }
      cells[2].append(offset);
      const made = { node: h("tr", {}, ...cells), cells, offset };
      return made;
    }).forEach((row, at) => {
      const [id, source] = found[at];
      row.id = id;
      text(row.cells[0], source.name.split(/[/\\]/).at(-1));
      attribute(row.cells[0], "title", source.name);
      text(row.cells[1], source.rule);
      attribute(row.offset, "aria-label", `Seconds that are added to the times of ${source.name}`);
      attribute(row.offset, "disabled", !state.writable);
      if (document.activeElement !== row.offset) row.offset.value = source.offset_s;
    });
    show(sources, found.length > 0);
  }

  function listKeys() {
    const { signals } = state.window;
    keep(legend, keys, signals.length, () => {
      const line = s("path", { d: "M0 4H22", style: "fill:none;stroke-width:2.5" });
      const name = h("span.tk-cut");
      return { node: h("span", {}, s("svg", { viewBox: "0 0 22 8", "aria-hidden": "true" }, line), name), line, name };
    }).forEach(({ line, name }, at) => {
      line.style.stroke = `var(--tk-${(at % 6) + 1})`;
      attribute(line, "stroke-dasharray", DASHES[at % 3]);
      text(name, signals[at].source);
    });
  }

  const watch = new ResizeObserver(([{ contentRect }]) => {
    if (!contentRect.width) return;
    width = contentRect.width;
    draw();
  });
  watch.observe(field);

  const tools = h("div.tk-row", {}, readers, earlier, later, closer, wider, whole, before, after, h("span.tk-push", {}, spanWords), again);
  return { nodes: [looking, empty, tools, legend, field, remark, shown, beside], update, close: () => watch.disconnect() };
});
