const MARKS = { not_connected: "\u25cb", discovering: "\u25ce", connecting: "\u25d4", connected: "\u25cf", reconnecting: "\u21bb" };
const NOTICES = { connection_lost: ["warn", "!"], disconnected: ["bad", "!"], reconnected: ["good", "\u2713"], low_battery: ["warn", "!"], update_failed: ["warn", "!"] };

const ASKED_MS = 5000; // long enough to read the question and answer it
const DOUBLE_MS = 500; // a double click is one wish, and no answer

/** A button that asks once more: the first press changes its label to the question, the second means it. */
function twice(label, question, onclick) {
  let asked = -Infinity;
  let waiting = 0;
  const node = button(label, () => {
    const since = performance.now() - asked;
    if (since < DOUBLE_MS) return;
    if (since < ASKED_MS) {
      rest();
      onclick();
      return;
    }
    asked = performance.now();
    node.style.minWidth = `${node.offsetWidth}px`; // it stays under the pointer
    node.firstChild.data = question;
    waiting = setTimeout(rest, ASKED_MS);
  });
  function rest() {
    clearTimeout(waiting);
    asked = -Infinity;
    node.firstChild.data = label;
    node.style.minWidth = "";
  }
  return { node, rest };
}

export default panel("Connection", ({ send, now }) => {
  let state = {};
  const mark = h("b", { "aria-hidden": "true" });
  const word = h("span.tk-big", { role: "status" });
  const since = h("span.tk-quiet", { title: "Time in this status" });
  const status = h("div.tk-status", {}, mark, word, since);
  const notices = h("div.tk-body", { style: "flex:none;gap:4px", role: "log", "aria-label": "Notices" });
  const facts = h("dl.tk-facts");
  const told = [];
  const lines = [];
  const level = meter("Battery");
  const restart = h("time");

  const auto = h("button.tk-switch", {
    type: "button", role: "switch", onclick: () => send("auto_reconnect", { on: auto.getAttribute("aria-checked") !== "true" }),
  }, "Reconnect by itself after a drop");
  const reboot = button("Reboot", () => send("reboot"), { help: "Restart the reader; it comes back by itself" });
  const disconnect = button("Disconnect", () => send("disconnect"), {
    help: "Not needed to save power: the reader has its own standby",
  });
  const breakOff = twice("Break off and disconnect", "Break off: sure?", () => send("break_off"));
  const cancel = button("Cancel", () => send("cancel"), { help: "Stop trying to connect" });
  const again = button("Discover again", () => send("scan"), { kind: "primary", help: "Listen for readers for half a minute" });

  function update(next) {
    state = next;
    attribute(status, "data-status", state.status);
    text(mark, MARKS[state.status] ?? "?");
    text(word, state.status_words);
    keep(notices, told, state.notices.length, makeNotice).forEach((notice, index) => notice.set(state.notices[index]));
    keep(facts, lines, state.facts.length, makeLine).forEach((line, index) => line.set(state.facts[index]));
    attribute(auto, "aria-checked", String(state.auto_reconnect));
    able(reboot, !state.cannot_leave, state.cannot_leave);
    able(disconnect, !state.cannot_leave, state.cannot_leave);
    if (!state.can_break_off) breakOff.rest();
    breakOff.node.dataset.help = state.break_off_help;
    able(breakOff.node, true);
    show(breakOff.node, state.can_break_off);
    show(cancel, state.can_cancel);
    show(again, state.can_discover);
  }

  function makeNotice() {
    const time = h("time.tk-quiet.tk-small");
    const made = note("info", "i");
    made.node.append(h("div.tk-grow", {}, made.words, " ", time));
    return {
      node: made.node,
      set([us, stage, words]) {
        const [kind, sign] = pick(NOTICES, stage, ["info", "i"]);
        attribute(made.node, "class", `tk-note tk-${kind}`);
        text(made.node.firstChild, sign);
        text(made.words, words);
        at(time, us);
      },
    };
  }

  function makeLine() {
    const term = h("dt");
    const what = h("dd");
    const made = { node: h("div", { style: "display:contents" }, term, what) };
    made.set = ([label, words, kind, value]) => {
      text(term, label);
      if (kind === "battery") {
        if (level.node.parentNode !== what) what.replaceChildren(h("span", { style: "margin-right:8px" }), level.node);
        text(what.firstChild, words);
        attribute(level.node, "class", value <= 0.2 ? "tk-meter tk-low" : "tk-meter");
        level.set(value, words);
      } else if (kind === "restart") {
        if (restart.parentNode !== what) what.replaceChildren(restart, h("span.tk-quiet"));
        restart.dataset.us = value;
        made.countdown();
      } else {
        text(what, words);
      }
    };
    made.countdown = () => {
      if (restart.parentNode !== what) return;
      const us = Number(restart.dataset.us);
      at(restart, us, DAY);
      text(what.lastChild, us > now() ? `, in ${span(Math.round((us - now()) / 6e7) * 60)}` : ", due now");
    };
    return made;
  }

  function tick() {
    text(since, state.since_us ? stopwatch((now() - state.since_us) / 1e6) : "");
    lines.forEach((line) => line.countdown());
  }

  return {
    nodes: [
      h("div.tk-row", {}, status, h("span.tk-push"), cancel, again),
      facts,
      notices,
      h("div.tk-row", { style: "margin-top:auto" }, auto),
      h("div.tk-row", {}, reboot, disconnect, breakOff.node, h("span.tk-quiet.tk-small", {}, "Standby saves power, not disconnecting.")),
    ],
    update,
    tick,
    close: breakOff.rest,
  };
});
