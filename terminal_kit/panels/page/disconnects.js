export default panel("Disconnect log", ({ now, aside }) => {
  let state = { rows: {} };
  const rows = [];
  const body = h("tbody");
  const heads = ["Time", "Reader", "Why", "Link code", "Signal before", "Back after"];
  const table = h("table", {}, h("thead", {}, h("tr", {}, ...heads.map((head, index) => h(index > 3 ? "th.tk-number" : "th", { scope: "col" }, head)))), body);
  const empty = h("p.tk-quiet", {}, "No reader has dropped so far.");
  const scroll = h("div.tk-scroll", { tabindex: 0, role: "region", "aria-label": "Disconnects, newest first" }, table);

  function update(next) {
    state = next;
    const drops = Object.entries(state.rows).sort((a, b) => b[0] - a[0]).map(([, drop]) => drop);
    show(scroll, drops.length > 0);
    show(empty, drops.length === 0);
    text(aside, drops.length ? String(drops.length) : "");
    keep(body, rows, drops.length, makeRow).forEach((row, index) => row.set(drops[index]));
  }

  function makeRow() {
    const time = h("time");
    const cells = ["td", "td", "td", "td", "td.tk-number", "td.tk-number"].map((tag) => h(tag));
    const made = { node: h("tr", {}, ...cells), drop: null };
    cells[0].append(time);
    made.set = (drop) => {
      made.drop = drop;
      at(time, drop.t_us);
      text(cells[1], drop.reader);
      text(cells[2], drop.why);
      attribute(cells[2], "title", drop.source);
      text(cells[3], drop.code);
      text(cells[4], drop.rssi === null ? "not known" : dbm(drop.rssi));
      made.tick();
    };
    made.tick = () => {
      const { back, fate, t_us, over_us } = made.drop;
      const gone = ((over_us ?? now()) - t_us) / 1e6;
      const words = {
        itself: () => `\u2713 ${span(back)}`,
        hand: () => `${span(back)}, by hand`,
        awaited: () => `\u2026 ${span(Math.floor(gone))} so far`,
        given_up: () => `\u2715 gave up after ${span(gone)}`,
        gone: () => "not awaited",
        wanted: () => "\u2013",
      };
      text(cells[5], words[fate]());
    };
    return made;
  }

  return { nodes: [empty, scroll], update, tick: () => rows.forEach((row) => row.tick()) };
});
