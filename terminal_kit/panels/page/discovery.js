const ROW = 44;
const RESORT_MS = 2000; // a list that jumps about cannot be clicked: neighbours change places every two seconds at most
const LIVE_BYTES = 5;
const OLDER = 0xffff;

const ORDERS = {
  signal: ["Nearest first", (a, b) => b.smooth - a.smooth],
  serial: ["Serial number", (a, b) => a.serial.localeCompare(b.serial)],
  heard: ["Last heard", (a, b) => b.heard - a.heard],
  battery: ["Battery, lowest first", (a, b) => (a.battery ?? 2) - (b.battery ?? 2)],
};

/** How long ago, short: 0.3 s, 42 s, 3 min, 20 h, 6 d. */
function ago(seconds) {
  const [size, unit] = seconds < 3600 ? [60, "min"] : seconds < 172800 ? [3600, "h"] : [86400, "d"];
  return seconds < 59.5 ? span(seconds) : `${Math.max(1, Math.floor(seconds / size))} ${unit}`;
}

export default panel("Readers", ({ send, now, aside }) => {
  const rows = new Map(); // id → facts of the reader, `rssi` and `heard` (UTC, microseconds of the session)
  const pool = [];
  let order = [];
  let sortedAt = 0;
  let chosen = null;
  let state = {};
  let listed = null;
  let placed = null;

  const timeout = h("input", { type: "number", min: 0, step: "any", required: true, value: 30, "aria-label": "Scan limit in seconds, 0 for none", oninput: draw });
  const others = h("input", { type: "checkbox", onchange: () => state.scanning && timeout.checkValidity() && scan() });
  const scan = () => send("scan", { timeout_s: Number(timeout.value), show_others: others.checked });
  const place = () => where.value;
  const scanButton = button("Scan", scan, { kind: "primary", help: "Listen for readers" });
  const stop = button("Stop", () => send("stop"));
  const filter = h("input.tk-grow", { type: "search", placeholder: "Filter", "aria-label": "Filter the list", oninput: () => arrange(true) });
  const sort = h("select", { "aria-label": "Order of the list", onchange: () => arrange(true) },
    ...Object.entries(ORDERS).map(([key, [label]]) => h("option", { value: key }, label)));
  const spacer = h("div", { "aria-hidden": "true" });
  const empty = h("p.tk-empty");
  const list = h("div.tk-list", { role: "listbox", tabindex: 0, "aria-label": "Readers near", onscroll: draw, onkeydown: key }, spacer, empty);
  const where = h("select.tk-grow", { "aria-label": "Location", onchange: draw });
  const connect = button("Connect", () => chosen !== null && send("connect", { id: chosen, location_id: place() }), { kind: "primary" });
  const nearest = button("Connect nearest", () => send("connect_nearest", { location_id: place() }), { help: "Listen for two seconds and connect the reader with the strongest signal" });
  const last = button("Reconnect last", () => send("reconnect_last"), { help: "Look for the readers connected before, the last one first" });
  const cancel = button("Cancel", () => send("cancel"), { help: "Stop trying to connect" });
  const forget = button("Forget", () => send("forget", { id: chosen }), { help: "Drop this host's pairing with the reader, so that it is paired anew" });
  const count = h("span");
  const doing = h("span", { role: "status" });
  aside.append(count, doing);

  function update(next, { news, buffers, whole }) {
    if (whole) rows.clear();
    const joined = next.rows !== listed;
    state = next;
    listed = next.rows;
    if (joined) {
      for (const id of rows.keys()) if (!Object.hasOwn(state.rows, id)) rows.delete(id);
      for (const [id, facts] of Object.entries(state.rows)) {
        rows.set(id, { rssi: null, smooth: -127, heard: -Infinity, older: false, ...rows.get(id), id, ...facts });
      }
    }
    if (buffers?.length) hear(buffers[0]);
    fillPlaces();
    arrange(joined);
  }

  /** Five bytes a reader: u16 id, i8 dBm, u16 tenths of a second since it was heard, or OLDER. */
  function hear(buffer) {
    const at = now();
    for (let offset = 0; offset < buffer.byteLength; offset += LIVE_BYTES) {
      const row = rows.get(String(buffer.getUint16(offset, true)));
      if (!row) continue;
      row.rssi = buffer.getInt8(offset + 2);
      row.smooth = row.heard === -Infinity ? row.rssi : 0.8 * row.smooth + 0.2 * row.rssi;
      const tenths = buffer.getUint16(offset + 3, true);
      row.heard = at - tenths * 1e5;
      row.older = tenths === OLDER;
    }
  }

  function fillPlaces() {
    if (placed === state.locations) return;
    placed = state.locations;
    where.replaceChildren(...state.locations.map(([id, name]) => h("option", { value: id }, name)));
  }

  function arrange(at_once) {
    const at = performance.now();
    if (at_once || at - sortedAt > RESORT_MS) {
      const wanted = filter.value.trim().toLowerCase();
      const found = [...rows.values()].filter((row) => !wanted || row.search.includes(wanted));
      order = found.sort(ORDERS[sort.value][1]);
      sortedAt = at;
    }
    if (!rows.has(chosen)) chosen = null;
    draw();
  }

  function draw() {
    const first = Math.max(0, Math.floor(list.scrollTop / ROW) - 1);
    const visible = order.slice(first, first + Math.ceil(list.clientHeight / ROW) + 2);
    attribute(spacer, "style", `height:${order.length * ROW}px`);
    keep(list, pool, visible.length, makeRow).forEach((row, index) => row.set(visible[index], first + index));
    const active = pool.find((row) => row.id === chosen);
    attribute(list, "aria-activedescendant", active ? active.node.id : null);
    show(empty, order.length === 0);
    if (order.length === 0) text(empty, rows.size ? "No reader fits the filter." : state.empty ?? "");
    const scanning = state.scanning && !state.doing ? "scanning" : "";
    text(count, [rows.size || "", scanning].filter(Boolean).join(", "));
    text(doing, state.doing ? `${rows.size ? " · " : ""}${state.doing}` : "");
    attribute(aside, "title", state.doing || null);
    buttons();
  }

  function buttons() {
    const row = rows.get(chosen);
    const idle = state.status === "not_connected" || state.status === "discovering";
    const busy = "A reader is connected or connecting: one at a time.";
    const limited = timeout.checkValidity();
    attribute(timeout, "aria-invalid", limited ? null : "true");
    able(scanButton, idle && limited, idle ? "The limit is a number of seconds, 0 for none." : busy);
    able(stop, Boolean(state.scanning), "No scan is running.");
    able(connect, Boolean(idle && row?.able && place()), !idle ? busy : row ? row.why : "Choose a reader in the list first.");
    able(nearest, Boolean(idle && place()), idle ? "There is no location: add one to your locations file." : busy);
    able(last, idle, busy);
    able(forget, Boolean(idle && row?.ours), !idle ? busy : row ? row.why : "Choose a reader in the list first.");
    show(cancel, state.status === "connecting");
  }

  function makeRow() {
    const name = h("strong.tk-cut");
    const about = h("span.tk-cut.tk-small.tk-quiet", { style: "display:block" });
    const bar = meter("Signal");
    const rssi = h("span.tk-number");
    const age = h("span.tk-number.tk-quiet.tk-small", { title: "Last heard" });
    const battery = h("span.tk-number.tk-small", { title: "Battery" });
    const made = { id: null };
    made.node = h("div.tk-reader", {
      role: "option",
      onmousedown: () => choose(made.id),
      ondblclick: () => connect.click(),
    }, h("div", { style: "min-width:0" }, name, about), bar.node, rssi, age, battery);
    made.node.id = unique("tk-reader");
    made.set = (row, index) => {
      made.id = row.id;
      made.node.style.transform = `translateY(${index * ROW}px)`;
      attribute(made.node, "aria-selected", String(row.id === chosen));
      attribute(made.node, "aria-disabled", row.able ? null : "true");
      attribute(made.node, "aria-posinset", index + 1);
      attribute(made.node, "aria-setsize", order.length);
      attribute(made.node, "title", row.why || null);
      text(name, row.name);
      text(about, row.about);
      // The average of the last second or so: what the order goes by, and steadier to read.
      const level = row.rssi === null ? null : row.smooth;
      bar.set(strength(level), dbm(level));
      text(rssi, dbm(level));
      text(age, row.heard === -Infinity ? "" : `${row.older ? "> " : ""}${ago((now() - row.heard) / 1e6)}`);
      text(battery, row.battery === null ? "" : `${row.charging ? "\u26a1" : ""}${percent(row.battery)}`);
    };
    return made;
  }

  function choose(id) {
    chosen = id;
    draw();
  }

  function key(event) {
    const index = order.findIndex((row) => row.id === chosen);
    const page = Math.floor(list.clientHeight / ROW);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (Object.hasOwn(steps, event.key) && order.length) {
      const from = index < 0 && event.key !== "End" ? 0 : index + steps[event.key];
      const next = Math.min(order.length - 1, Math.max(0, from));
      list.scrollTop = Math.min(next * ROW, Math.max(list.scrollTop, (next + 1) * ROW - list.clientHeight));
      choose(order[next].id);
    } else if (event.key === "Enter") connect.click();
    else return;
    event.preventDefault();
  }

  return {
    nodes: [
      h("div.tk-row", {}, scanButton, stop, h("label", {}, "limit", timeout, "s"), h("label.tk-push", {}, others, "Show others")),
      h("div.tk-row", {}, filter, sort),
      list,
      h("div.tk-row", {}, where, cancel, connect),
      h("div.tk-row", {}, nearest, last, h("span.tk-push"), forget),
    ],
    update,
    tick: draw,
  };
});
