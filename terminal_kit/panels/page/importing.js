const bytes = (count) => (count === null ? "" : count < 1e6 ? `${Math.ceil(count / 1000)} kB` : `${(count / 1e6).toFixed(1)} MB`);
const count = (number) => number.toLocaleString("en-GB");

export default panel("Import", ({ send, aside }) => {
  let state = {};
  let file = null; // the upload on its way

  // ---- choosing
  const folder = h("span.tk-quiet.tk-small.tk-grow.tk-cut");
  const up = button("Up", () => send("browse", { up: true }), { help: "Shows the folder above" });
  const path = h("input", { type: "text", "aria-label": "Path of a file or folder on the kernel's machine", placeholder: "a path, and Enter", onkeydown: typed });
  const entries = h("ul.tk-files", { "aria-label": "Files in this folder", tabindex: 0 });
  const more = h("p.tk-quiet.tk-small");
  const picker = h("input", { type: "file", hidden: true, multiple: true, onchange: picked, "aria-label": "Files to upload" });
  const upload = button("Upload…", () => picker.click(), { help: "Sends files of this computer to the kernel" });
  const limit = h("span.tk-quiet.tk-small");
  const waiting = []; // files that are uploaded after the one on its way

  // ---- what is chosen
  const chosen = h("ul.tk-files.tk-short", { "aria-label": "Files to import", tabindex: 0 });
  const none = h("p.tk-quiet.tk-small", {}, "Choose captures, logs, archives of them, or whole folders.");
  const redact = h("input", { type: "checkbox" });
  const start = button("Import", () => send("import", { redact: redact.checked }), { kind: "primary", help: "Takes the files into the log; one that is there already adds nothing" });
  const stop = button("Stop", () => (state.working ? send("stop") : send("cancel_upload")), { help: "Leaves the log as it was before this file" });

  // ---- what happens
  const words = h("span.tk-small.tk-cut");
  const fill = h("i");
  const bar = h("div.tk-progress", { role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100, "aria-label": "Progress" }, fill);
  const progress = h("div", { hidden: true }, words, bar);
  const question = h("span.tk-grow");
  const year = h("input", { type: "number", min: 1970, max: 2200, step: 1, "aria-label": "Year of its first line" });
  const zone = h("input", { type: "text", size: 18, "aria-label": "Time zone", placeholder: "+02:00, Europe/Berlin" });
  const yearLabel = h("label", {}, "year", year);
  const zoneLabel = h("label", {}, "time zone", zone);
  const answer = button("Go on", () => send("answer", { year: year.value ? Number(year.value) : null, zone: zone.value.trim() || null }), { kind: "primary", help: "Empty fields are assumed, which the report says" });
  const asking = h("div.tk-note", { role: "group", "aria-label": "What the log lacks", hidden: true }, h("span.tk-mark", { "aria-hidden": "true" }, "?"), question, yearLabel, zoneLabel, answer);
  const reports = h("div.tk-reports", { "aria-live": "polite", "aria-label": "Reports, newest first", role: "region", tabindex: 0 });

  // ---- what the log has
  const body = h("tbody");
  const heads = ["File", "What", "Records", "Times", "Clock, s"];
  const sources = h("div.tk-scroll", { tabindex: 0, role: "region", "aria-label": "Imported files" }, h("table", {}, h("thead", {}, h("tr", {}, ...heads.map((head, at) => h(at === 2 || at === 4 ? "th.tk-number" : "th", { scope: "col" }, head)))), body));

  const left = h("div", {}, h("div.tk-row", {}, up, folder), h("div.tk-row", {}, path), entries, more, h("div.tk-row", {}, upload, limit, picker));
  const right = h("div", {}, h("strong", {}, "To import"), chosen, none, h("div.tk-row", {}, start, stop, h("label", {}, redact, "replace names by pseudonyms")), progress);

  function typed(event) {
    if (event.key === "Enter" && path.value.trim()) send("type", { path: path.value });
  }

  function picked() {
    waiting.push(...picker.files);
    picker.value = "";
    if (!state.upload && !file) next();
  }

  function next() {
    file = waiting.shift() ?? null;
    if (file) send("upload", { name: file.name, size: file.size });
  }

  /** Sends the piece that the kernel waits for; it tells when that came, and then is the next one's turn. */
  async function feed() {
    const { received, chunk } = state.upload;
    const mine = file;
    if (!mine || mine.asked === received) return;
    mine.asked = received;
    const piece = await mine.slice(received, received + chunk).arrayBuffer();
    if (file === mine) send("chunk", { at: received }, [piece]);
  }

  const listed = [];
  function listEntries() {
    keep(entries, listed, state.entries.length, () => {
      const name = button("", () => send("open", { listing: made.listing, place: made.place }), { kind: "name" });
      const size = h("span.tk-quiet.tk-small");
      const made = { node: h("li", {}, name, size), name, size };
      return made;
    }).forEach((row, place) => {
      const entry = state.entries[place];
      Object.assign(row, { place, listing: state.listing });
      text(row.name.firstChild, entry.folder ? `${entry.name}/` : entry.name);
      text(row.size, bytes(entry.size));
      attribute(row.name, "aria-label", entry.folder ? `Open the folder ${entry.name}` : `Choose ${entry.name}`);
    });
    show(more, state.more > 0);
    text(more, `and ${count(state.more)} more: type a path`);
  }

  const picks = [];
  function listChosen() {
    const found = Object.entries(state.choices);
    keep(chosen, picks, found.length, () => {
      const name = h("span.tk-grow.tk-cut");
      const size = h("span.tk-quiet.tk-small");
      const drop = h("button.tk-plain", { type: "button", onclick: () => send("drop", { key: made.key }) }, "\u00d7");
      const made = { node: h("li", {}, name, size, drop), name, size, drop };
      return made;
    }).forEach((row, place) => {
      const [key, choice] = found[place];
      row.key = key;
      text(row.name, choice.name);
      attribute(row.name, "title", choice.name);
      text(row.size, bytes(choice.size));
      attribute(row.drop, "aria-label", `Do not import ${choice.name}`);
    });
    show(chosen, found.length > 0);
    show(none, found.length === 0);
    able(start, found.length > 0 && !state.working && !state.upload, state.working ? "An import is under way." : state.upload ? "A file is being uploaded." : "No file is chosen.");
  }

  function tellProgress() {
    const { upload: sent, progress: read } = state;
    const share = sent ? sent.received / sent.size : (read?.share ?? 0);
    show(progress, state.working || Boolean(sent));
    show(stop, state.working || Boolean(sent));
    text(words, sent ? `uploading ${sent.name}` : read ? `reading ${read.file}` : "looking at the files");
    fill.style.width = `${Math.round(share * 100)}%`;
    attribute(bar, "aria-valuenow", Math.round(share * 100));
    show(asking, Boolean(state.asking));
    if (state.asking) {
      const lacks = [state.asking.year && "year", state.asking.zone && "time zone"].filter(Boolean).join(" and ");
      text(question, `${state.asking.file} does not tell its ${lacks}.`);
      show(yearLabel, state.asking.year);
      show(zoneLabel, state.asking.zone);
    }
  }

  function reportNode(report) {
    const unit = report.lines ? "line" : "record";
    const facts = report.error
      ? `not imported: ${report.error}`
      : report.already
        ? "the log has it already; nothing was added"
        : `${report.container}: ${count(report.records)} ${unit}s, ${count(report.understood)} understood, ${count(report.foreign)} foreign, ${count(report.damaged)} damaged; ${count(report.events)} events`;
    const places = report.damages.map(({ text: what, offset, record }) => {
      const place = [offset === null ? null : `byte ${count(offset)}`, record === null ? null : `${unit} ${count(record)}`].filter(Boolean).join(", ");
      return `damaged at ${place || "an unknown place"}: ${what}`;
    });
    const items = [...report.findings, ...report.reasons.map(([reason, number]) => `foreign: ${count(number)} ${reason}`), ...places];
    return h(`div.tk-report${report.error ? ".tk-bad" : ""}`, {}, h("strong", {}, report.file), h("div", {}, facts), h("ul", { hidden: items.length === 0 }, ...items.map((item) => h("li", {}, item))));
  }

  let told = "";
  function listReports() {
    const now = JSON.stringify(state.reports);
    if (now === told) return;
    told = now;
    reports.replaceChildren(...state.reports.map(reportNode));
    show(reports, state.reports.length > 0);
  }

  const rows = [];
  function listSources() {
    const found = Object.entries(state.sources).sort((a, b) => a[0] - b[0]);
    keep(body, rows, found.length, () => {
      const cells = ["td", "td", "td.tk-number", "td", "td.tk-number"].map((tag) => h(tag));
      // Lab keeps Enter from an input's own "change", which then comes when it is left.
      const offset = h("input.tk-offset", { type: "number", step: 0.001, onchange: correct, onkeydown: ({ key }) => key === "Enter" && correct() });
      function correct() {
        const seconds = Number(offset.value);
        if (offset.value !== "" && seconds !== state.sources[made.id].offset_s) send("offset", { source: made.id, seconds });
      }
      cells[4].append(offset);
      const made = { node: h("tr", {}, ...cells), cells, offset };
      return made;
    }).forEach((row, place) => {
      const [id, source] = found[place];
      row.id = id;
      [source.name, source.container, count(source.records), source.rule].forEach((value, at) => text(row.cells[at], value));
      attribute(row.offset, "aria-label", `Seconds that are added to the times of ${source.name}`);
      if (document.activeElement !== row.offset) row.offset.value = source.offset_s;
    });
    show(sources, found.length > 0);
  }

  function update(next_) {
    const before = state.upload;
    state = { ...next_ };
    text(aside, `into ${state.log}`);
    text(folder, state.folder);
    attribute(folder, "title", state.folder);
    text(limit, `up to ${bytes(state.upload_bytes)} in all; larger files: by their path`);
    able(upload, !state.working, "An import is under way.");
    listEntries();
    listChosen();
    tellProgress();
    listReports();
    listSources();
    if (state.upload) feed();
    else if (before || (file && state.trouble)) next();
  }

  return { nodes: [h("div.tk-import", {}, left, right), asking, reports, sources], update };
});
