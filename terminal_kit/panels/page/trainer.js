export default panel("Trainer", ({ send, now }) => {
  let state = { faults: {}, active: {}, readers: [] };
  const who = h("select.tk-grow", { "aria-label": "Reader to act on" });
  const what = h("select.tk-grow", { "aria-label": "What happens", onchange: fill });
  const settings = h("span.tk-row", { oninput: check });
  const wrong = h("p.tk-small.tk-invalid", { role: "status", id: unique("tk-wrong"), hidden: true });
  const start = button("Start", () => send("start", { fault: what.value, reader: who.value, parameters: chosen() }), { kind: "primary" });
  const day = button("+24 h", () => send("skip", { seconds: 86400 }), { help: "Let a day of simulated time pass at once" });
  const hour = button("+1 h", () => send("skip", { seconds: 3600 }), { help: "Let an hour of simulated time pass at once" });
  const outcome = h("select.tk-grow", { "aria-label": "Update that waits for the reader" });
  const offer = button("Set", () => send("outcome", { reader: who.value, outcome: outcome.value }));
  const list = h("div.tk-body", { style: "flex:none;gap:4px" });
  const calm = h("p.tk-quiet", {}, "All is well: no fault is active.");
  const rows = [];
  let listed = "";

  function options(select, pairs) {
    const before = select.value;
    select.replaceChildren(...pairs.map(([value, label]) => h("option", { value }, label)));
    if (pairs.some(([value]) => value === before)) select.value = before;
  }

  function update(next) {
    state = next;
    const key = JSON.stringify([state.readers, state.outcomes, Object.keys(state.faults)]);
    if (key !== listed) {
      listed = key;
      options(who, state.readers);
      options(what, Object.entries(state.faults).map(([name, fault]) => [name, fault.words]));
      options(outcome, state.outcomes);
      fill();
    }
    outcome.disabled = Boolean(state.cannot_offer);
    able(offer, !state.cannot_offer, state.cannot_offer);
    const active = Object.entries(state.active);
    show(calm, active.length === 0);
    keep(list, rows, active.length, makeRow).forEach((row, index) => row.set(...active[index]));
  }

  /** The fields for the chosen fault's parameters. */
  function fill() {
    const fault = state.faults[what.value];
    settings.replaceChildren(...(fault?.parameters ?? []).map(({ name, label, unit, value, least, most }) => {
      if (typeof value === "boolean") return h("label", {}, h("input", { type: "checkbox", checked: value, "data-name": name }), label);
      const limits = { min: least, max: most, required: true, step: "any" };
      const field = h("input", { type: "number", ...limits, value, "data-name": name, "aria-describedby": wrong.id });
      field.dataset.range = `${label} must be a number from ${least} to ${most}`;
      return h("label", {}, label, field, unit);
    }));
    who.disabled = Boolean(fault?.of_host);
    if (who.disabled) settings.append(h("span.tk-quiet", {}, "It happens to the host, not to one reader."));
    check();
  }

  /** Says which figure cannot be, and does not start with it: an emptied field is no zero. */
  function check() {
    const fields = [...settings.querySelectorAll("input")];
    fields.forEach((field) => attribute(field, "aria-invalid", field.checkValidity() ? null : "true"));
    const reason = fields.find((field) => !field.checkValidity())?.dataset.range ?? "";
    text(wrong, reason && `${reason[0].toUpperCase()}${reason.slice(1)}.`);
    show(wrong, Boolean(reason));
    able(start, !reason, wrong.textContent);
  }

  function chosen() {
    const fields = [...settings.querySelectorAll("input")];
    return Object.fromEntries(fields.map((field) => [field.dataset.name, field.type === "checkbox" ? field.checked : Number(field.value)]));
  }

  function makeRow() {
    const words = h("span.tk-grow");
    const since = h("span.tk-quiet.tk-small");
    const undo = button("Undo", () => send("undo", { id: made.id }));
    const made = { id: null, since_us: 0, node: h("div.tk-note.tk-warn", { style: "align-items:center" }, h("span.tk-mark", { "aria-hidden": "true" }, "!"), words, since, undo) };
    made.set = (id, fault) => {
      Object.assign(made, { id, since_us: fault.since_us });
      text(words, fault.words);
      attribute(undo, "aria-label", `Undo: ${fault.words}`);
      made.tick();
    };
    made.tick = () => text(since, stopwatch((now() - made.since_us) / 1e6));
    return made;
  }

  return {
    nodes: [
      h("div.tk-row", {}, what, start),
      h("div.tk-row", {}, who, settings),
      wrong,
      list,
      calm,
      h("div.tk-row", { style: "margin-top:auto;flex-wrap:nowrap" }, h("label.tk-grow", {}, "Update", outcome), offer),
      h("div.tk-row", {}, h("span.tk-quiet.tk-grow", {}, "Let time pass at once"), hour, day),
    ],
    update,
    tick: () => rows.forEach((row) => row.tick()),
  };
});
