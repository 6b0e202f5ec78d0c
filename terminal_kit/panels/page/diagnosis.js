const WHEN = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

export default panel("Why it dropped", ({ send, aside }) => {
  let state = { incidents: {} };
  const rows = [];
  const again = button("Look again", () => send("look"), { help: "Reads what was recorded or imported meanwhile" });
  const looking = h("p.tk-quiet", { role: "status" }, "Looking…");
  const empty = h("p.tk-quiet", {}, "No drop and no failed connection is recorded.");
  const list = h("ul.tk-incidents", { "aria-label": "Incidents, newest first", tabindex: 0 });
  const whole = h("div.tk-whole", { role: "region", "aria-live": "polite", "aria-label": "Causes of the chosen incident" });
  const habits = h("div", { role: "region", "aria-label": "Habits behind many drops" });

  function update(next) {
    state = next;
    const keys = Object.keys(state.incidents).sort((a, b) => b - a);
    text(aside, keys.length < state.count ? `${keys.length} of ${state.count}` : keys.length ? String(keys.length) : "");
    show(again, state.again);
    show(looking, state.looking);
    show(empty, !state.looking && keys.length === 0);
    show(list, keys.length > 0);
    keep(list, rows, keys.length, makeRow).forEach((row, place) => row.set(keys[place], state.incidents[keys[place]]));
    show(whole, Boolean(state.whole));
    whole.replaceChildren(...(state.whole ? told(state.whole) : []));
    habits.replaceChildren(...state.habits.map((habit) => h("p.tk-note", {}, h("span.tk-mark", { "aria-hidden": "true" }, "↻"), h("strong", {}, habit.text), " ", habit.advice)));
  }

  function makeRow() {
    const time = h("time");
    const reader = h("span.tk-grow.tk-cut");
    const cause = h("strong.tk-cut");
    const said = h("span.tk-quiet.tk-small.tk-cut");
    const sure = meter("confidence");
    const share = h("span.tk-number");
    const open = h("button.tk-incident", { type: "button", onclick: () => send("choose", { incident: made.key === state.chosen ? null : made.key }) }, time, reader, cause, sure.node, share, said);
    const made = { node: h("li", {}, open), key: "" };
    made.set = (key, incident) => {
      made.key = key;
      at(time, incident.t_us, WHEN);
      text(reader, `${incident.reader} ${incident.what}`);
      text(cause, incident.cause);
      text(said, incident.said);
      sure.set(incident.confidence, percent(incident.confidence));
      text(share, percent(incident.confidence));
      attribute(open, "aria-expanded", key === state.chosen ? "true" : "false");
    };
    return made;
  }

  function told({ causes, steps }) {
    return [
      ...causes.map((cause) => h("div", {},
        h("p", {}, h("strong", {}, cause.cause), ` ${percent(cause.confidence)}`),
        h("ul", {}, ...cause.for.map((one) => evidence("+", "for it", one)), ...cause.against.map((one) => evidence("−", "against it", one))),
      )),
      ...(steps.length ? [h("p", {}, h("strong", {}, "What to do next")), h("ul", {}, ...steps.map((step) => h("li", {}, step)))] : []),
    ];
  }

  function evidence(mark, spoken, { text: words, place }) {
    return h("li.tk-evidence", {}, h("span.tk-mark", { role: "img", "aria-label": spoken }, mark), ` ${words} `, h("span.tk-quiet", {}, place ? `(${place})` : ""));
  }

  return { nodes: [h("div.tk-row", {}, again, looking), empty, h("div.tk-split", {}, list, whole), habits], update };
});
