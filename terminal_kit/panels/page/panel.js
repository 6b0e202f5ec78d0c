// What all panels share. Text is only ever set as text: names come from radios and logs.

const SVG = "http://www.w3.org/2000/svg";

/** An element: h("button.tk-primary", { onclick, "aria-label": "…" }, "text", child). */
function h(kind, props = {}, ...children) {
  const [tag, ...classes] = kind.split(".");
  const node = document.createElement(tag);
  // Lab's one-key commands ("x" cuts the cell) reach whatever has the focus, unless that very element says otherwise.
  if ("tabindex" in props || ["button", "input", "select"].includes(tag)) node.dataset.lmSuppressShortcuts = "true";
  return furnish(node, { ...(classes.length ? { class: classes.join(" ") } : {}), ...props }, children);
}

/** The same for drawings. */
function s(tag, props = {}, ...children) {
  return furnish(document.createElementNS(SVG, tag), props, children);
}

function furnish(node, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else attribute(node, name, value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

/** Sets or removes an attribute, and touches the page only where it differs. */
function attribute(node, name, value) {
  if (value === null || value === undefined || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
  } else {
    const text = value === true ? "" : String(value);
    if (node.getAttribute(name) !== text) node.setAttribute(name, text);
  }
}

/** Sets a node's text, and touches the page only where it differs. */
function text(node, value) {
  if (node.textContent !== value) node.textContent = value;
  return node;
}

/** Shows or hides a node; drawings have no `hidden` property, hence the attribute. */
function show(node, on) {
  attribute(node, "hidden", !on);
  return node;
}

/** A table whose rows may have any name, "constructor" and "__proto__" too: there is no Object.prototype behind it. */
const table = (...parts) => Object.assign(Object.create(null), ...parts);
const isTable = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

/** What an object of ours has under a name that came from elsewhere. */
const pick = (object, name, other) => (Object.hasOwn(object, name) ? object[name] : other);

/**
 * A button; `help` says what it does. Help and the reason why it is off (`able`) appear under the pointer and at the
 * focus, and are read out: a button that is off keeps its place in the tab order, and does nothing.
 */
function button(label, onclick, { kind = "", help = "" } = {}) {
  const press = () => {
    node.classList.add("tk-pressed"); // whoever pressed it knows what it does: the help is out of the way
    if (node.getAttribute("aria-disabled") !== "true") onclick();
  };
  const rest = () => node.classList.remove("tk-pressed");
  const tip = h("span.tk-tip", { "aria-hidden": "true", id: unique("tk-tip") }, help);
  const node = h(`button${kind ? `.tk-${kind}` : ""}`, { type: "button", onclick: press, onpointerenter: place, onfocus: place, onpointerleave: rest, onblur: rest }, label, tip);
  node.dataset.help = help;
  attribute(node, "aria-describedby", help ? tip.id : null);
  /** In the right half of its panel, the tip grows to the left. */
  function place() {
    const box = node.getBoundingClientRect();
    const panel = node.closest(".tk-panel").getBoundingClientRect();
    node.classList.toggle("tk-right", (box.left + box.right) / 2 > (panel.left + panel.right) / 2);
  }
  return node;
}

/** An id that no other panel on the page has. */
const unique = (name) => `${name}-${Math.random().toString(36).slice(2)}`;

/** Switches a button on, or off with the reason. */
function able(button, on, why = "") {
  const tip = button.lastChild;
  attribute(button, "aria-disabled", on ? null : "true");
  text(tip, on ? button.dataset.help : why);
  attribute(button, "aria-describedby", tip.textContent ? tip.id : null);
}

const minus = (number, digits = 0) => number.toFixed(digits).replace("-", "\u2212");
const dbm = (value) => (value === null || value === undefined ? "\u2013" : `${minus(value)} dBm`);
const percent = (value) => (value === null || value === undefined ? "\u2013" : `${Math.round(value * 100)} %`);

/** How long, in words: 4.1 s, 42 s, 3 min 12 s, 20 h 14 min, 6 d 3 h. */
function span(seconds) {
  if (seconds < 9.95) return `${Math.max(0, seconds).toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 2 * 86400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
}

/** A running time: 00:03:12. */
function stopwatch(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60]
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
}

const HOUR = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const DATE = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/** Puts a local time into a <time>; the zone and the date are on hover. `null`: lines that tell no time. */
function at(node, us, format = HOUR) {
  if (us === null) {
    node.dateTime = node.title = "";
    return text(node, "no date");
  }
  const date = new Date(us / 1000);
  const iso = date.toISOString();
  if (node.dateTime !== iso) {
    node.dateTime = iso;
    node.title = FULL.format(date);
    text(node, format.format(date));
  }
  return node;
}

/** A bar of 0…1 with its words, for eyes and for screen readers. */
function meter(label) {
  const fill = h("i");
  const node = h("span.tk-meter", { role: "img" }, fill);
  return {
    node,
    set(share, words) {
      fill.style.width = `${Math.round(Math.min(1, Math.max(0, share ?? 0)) * 100)}%`;
      attribute(node, "aria-label", `${label}: ${words}`);
    },
  };
}

/** Readers from a few centimetres (−35 dBm) to the edge of range (−100 dBm), as 0…1. */
const strength = (rssi) => (rssi === null || rssi === undefined ? 0 : (rssi + 100) / 65);

/** A notice with a mark in front, so that colour is not the only sign. */
function note(kind, mark) {
  const words = h("span");
  const node = h(`div.tk-note.tk-${kind}`, {}, h("span.tk-mark", { "aria-hidden": "true" }, mark), words);
  return { node, words };
}

/**
 * A panel as anywidget wants it. `build(tools)` gives what goes into the panel and `update(state, news, buffers)`, and
 * if it likes `tick()` (once a second) and `close()`. Tools: `send(command, facts, buffers)`, `now()` in UTC microseconds.
 */
function panel(title, build) {
  function render({ model, el }) {
    let clock = { us: 0, at: performance.now(), rate: 0 };
    let state = {};
    const now = () => clock.us + (performance.now() - clock.at) * 1000 * clock.rate;
    const send = (command, facts = {}, buffers = undefined) => model.send({ do: command, ...facts }, undefined, buffers);
    const aside = h("span.tk-aside");
    const badge = h("span.tk-badge", { hidden: true });
    const trouble = troubleBox(() => send("dismiss"));
    const waiting = h("p.tk-quiet.tk-waiting", {}, "Waiting for the kernel. If this stays, run the cell again.");
    const made = build({ send, now, aside });
    const body = h("div.tk-body", { hidden: true }, ...made.nodes);
    const root = h(
      "section.tk-panel",
      { "aria-label": title },
      h("header", {}, h("h2", {}, title), aside, badge),
      waiting,
      body,
      trouble.node,
    );
    el.classList.add("tk-host");
    el.append(root);

    function receive(message, buffers) {
      clock = { us: message.now_us, at: performance.now(), rate: message.rate };
      if (message.whole) state = {};
      for (const [name, value] of Object.entries(message.set ?? {})) state[name] = isTable(value) ? table(value) : value;
      for (const [name, rows] of Object.entries(message.rows ?? {})) {
        state[name] = table(state[name], rows.set);
        for (const key of rows.drop) delete state[name][key];
      }
      show(waiting, false);
      show(badge, Boolean(state.badge));
      text(badge, state.badge ?? "");
      trouble.set(state.trouble);
      show(body, state.drawn);
      if (!state.drawn) return;
      made.update(state, { news: message.news, buffers, whole: message.whole });
      made.tick?.(state);
    }

    /** Lab keeps the focus where it was when somebody clicks a cell's margin, and its own keys would not work there. */
    function leave({ target }) {
      if (!el.contains(target) && el.contains(document.activeElement)) document.activeElement.blur();
    }

    /** At a button or in a list Lab may have Ctrl+S and its kin, yet no plain key; what is typed into is left alone. */
    function guard({ target, key, ctrlKey, metaKey }) {
      if (!el.contains(target) || target.matches("input, select")) return;
      target.toggleAttribute("data-lm-suppress-shortcuts", key === "Enter" || !(ctrlKey || metaKey));
    }

    window.addEventListener("keydown", guard, true); // before Lab, which listens at the document
    document.addEventListener("pointerdown", leave, true);
    model.on("msg:custom", receive);
    send("hello");
    const ticking = setInterval(() => state.drawn && made.tick?.(state), 1000);
    return () => {
      clearInterval(ticking);
      window.removeEventListener("keydown", guard, true);
      document.removeEventListener("pointerdown", leave, true);
      model.off("msg:custom", receive);
      made.close?.();
    };
  }
  return { render };
}

function troubleBox(dismiss) {
  const code = h("code");
  const message = h("strong");
  const hint = h("span");
  const close = h("button.tk-plain", { type: "button", "aria-label": "Dismiss this error", onclick: dismiss }, "\u00d7");
  const words = h("div.tk-grow", {}, message, " ", hint, " ", code);
  const node = h("div.tk-note.tk-bad", { role: "alert", hidden: true }, h("span.tk-mark", { "aria-hidden": "true" }, "!"), words, close);
  return {
    node,
    set(trouble) {
      show(node, Boolean(trouble));
      if (trouble) {
        text(code, trouble.code);
        text(message, trouble.message);
        text(hint, trouble.hint);
      }
    },
  };
}

/** Keeps as many nodes as there are rows, made once and then filled: the page changes only where the data does. */
function keep(parent, nodes, count, make) {
  while (nodes.length < count) {
    const made = make();
    nodes.push(made);
    parent.append(made.node);
  }
  while (nodes.length > count) nodes.pop().node.remove();
  return nodes;
}
