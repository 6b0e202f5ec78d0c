"""A case as one HTML page: it opens offline, prints well, and runs no script but the charts'."""

# plotly has no complete annotations.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from collections.abc import Iterable
from datetime import UTC, datetime

from plotly.offline import get_plotlyjs

from terminal_kit.case.gathering import Case
from terminal_kit.charts.timeline import timeline_chart
from terminal_kit.diagnosis import Evidence, Finding, Habit
from terminal_kit.diagnosis.finding import clock
from terminal_kit.eventlog import Source
from terminal_kit.words import TIME_RULES, escape, hci_words, reason_words, words

_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
"""Nothing is fetched from anywhere: what a log says cannot call home."""

_STYLE = """
:root { color-scheme: light dark; --ink: #20262c; --ground: #fff; --line: #d5dae0; --quiet: #5d6873; --mark: #2f7de1 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e3e7eb; --ground: #16191d; --line: #363d45; --quiet: #9aa5b0; --mark: #6ea8f0 }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); max-width: 70rem;
       margin: 2rem auto; padding: 0 1rem }
h1, h2, h3 { line-height: 1.25 } h2 { margin-top: 2.2rem; border-bottom: 1px solid var(--line) }
table { border-collapse: collapse; width: 100%; font-size: 13px } td, th { border-bottom: 1px solid var(--line);
        padding: .3rem .6rem .3rem 0; text-align: left; vertical-align: top; overflow-wrap: anywhere }
.quiet { color: var(--quiet) } .finding { break-inside: avoid; margin: 1.2rem 0; padding-left: .9rem;
         border-left: 3px solid var(--mark) }
ul { margin: .3rem 0; padding-left: 1.3rem } li.for::marker { content: "+ " } li.against::marker { content: "− " }
@media print { body { max-width: none; margin: 0 } .chart { break-inside: avoid } }
"""

_CITED = 200
"""Rows of the table of frames; a case with more evidence is better split."""


def render(case: Case, *, time_zone: str = "UTC") -> str:
    """The page. `time_zone` (an IANA name) is that of the charts; all other times are UTC."""
    parts = [
        f"<h1>Case {escape(case.title)}".rstrip() + "</h1>",
        f'<p class="quiet">{_of(case)}</p>',
        _list("", case.sentences()),
        "<h2>Timeline</h2>",
        *(_chart(case, reader, time_zone) for reader in case.readers),
        *(["<h2>How often</h2>", _days(case)] if case.findings else []),
        "<h2>Why it dropped</h2>",
        *(map(_finding, case.findings) if case.findings else ["<p>No drop and no failed connection is recorded.</p>"]),
        *(["<h2>Habits behind many drops</h2>", *map(_habit, case.habits)] if case.habits else []),
        *(["<h2>Notes</h2>", _list("", case.notes)] if case.notes else []),
        "<h2>Frames and lines</h2>",
        _frames(case.findings),
        "<h2>Sources</h2>",
        _sources(case.sources),
    ]
    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(case.title) or 'Case'}</title><style>{_STYLE}</style><script>{get_plotlyjs()}</script>"
    )
    body = "\n".join(parts)
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'


def _of(case: Case) -> str:
    made = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    names = (
        "Addresses, names and serial numbers are pseudonyms, and payloads are left out; read the messages of apps "
        "before you send it."
        if case.is_redacted
        else "Addresses, names and serial numbers are as they were recorded: do not give it to strangers."
    )
    return f"Made {made} by terminal_kit. {names}"


def _chart(case: Case, reader: str, time_zone: str) -> str:
    findings = [finding for finding in case.findings if finding.reader == reader]
    figure = timeline_chart(case.frame, reader=reader, time_zone=time_zone, findings=findings, mixed=True)
    drawn = figure.to_html(full_html=False, include_plotlyjs=False, config={"displayModeBar": False})
    return f'<div class="chart"><h3>{escape(reader)}</h3>{drawn}</div>'


def _days(case: Case) -> str:
    names = ("reader", "day (UTC)", "drops", "failed connections", "cause found most often")
    return _table(
        names,
        ((reader or "–", day, str(drops), str(failed), cause) for reader, day, drops, failed, cause in case.days()),
    )


def _finding(finding: Finding) -> str:
    what = "dropped" if finding.kind == "disconnect" else "did not connect"
    told = [reason_words(finding.reason)] if finding.reason else []
    told += [hci_words(finding.hci_code)] if finding.hci_code is not None else []
    parts = [
        f"<h3>{clock(finding.t_us)}: {escape(finding.reader) or 'a reader'} {what}</h3>",
        f'<p class="quiet">{escape(", ".join(told))}</p>' if told else "",
    ]
    for verdict in finding.causes:
        parts.append(f"<p><strong>{words(verdict.cause)}</strong>, {verdict.confidence:.0%}</p>")
        if verdict.for_ or verdict.against:
            items = [*(("for", one) for one in verdict.for_), *(("against", one) for one in verdict.against)]
            parts.append("<ul>" + "".join(f'<li class="{side}">{_evidence(one)}</li>' for side, one in items) + "</ul>")
    parts.append(_list("<p>What to do next:</p>", finding.next_steps) if finding.next_steps else "")
    return f'<div class="finding">{"".join(parts)}</div>'


def _habit(habit: Habit) -> str:
    return (
        f'<div class="finding"><p><strong>{escape(habit.text)}</strong> {escape(habit.advice)}</p>'
        f"<ul>{''.join(f'<li>{_evidence(one)}</li>' for one in habit.evidence)}</ul></div>"
    )


def _evidence(one: Evidence) -> str:
    return f'{escape(one.text)} <span class="quiet">({escape(one.place)})</span>' if one.place else escape(one.text)


def _list(before: str, lines: Iterable[str]) -> str:
    return before + "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def _frames(findings: Iterable[Finding]) -> str:
    """Every frame or line that is cited, once, in the order of time."""
    cited: dict[tuple[str, int | None, int | None], Evidence] = {}
    for finding in findings:
        for verdict in finding.causes:
            for one in (*verdict.for_, *verdict.against):
                cited.setdefault((one.file or "", one.record, one.t_us), one)
    rows = sorted(cited.values(), key=lambda one: (one.t_us or 0, one.record or 0))
    lines = [
        (clock(one.t_us) if one.t_us is not None else "", one.place if one.record is not None else "", one.text)
        for one in rows[:_CITED]
    ]
    more = f'<p class="quiet">{len(rows) - _CITED} more are left out.</p>' if len(rows) > _CITED else ""
    return _table(("time", "where", "what it shows"), lines) + more


def _sources(sources: Iterable[Source]) -> str:
    lines = [
        (
            source.name,
            source.container,
            TIME_RULES.get(source.time_rule, source.time_rule),
            f"{source.clock_offset_us / 1e6:+.3f} s" if source.clock_offset_us else "–",
            f"{source.records:,}",
            f"{source.understood:,} / {source.foreign:,} / {source.damaged:,}",
            source.sha256[:16],
        )
        for source in sources
    ]
    names = ("file", "format", "times", "corrected by", "records", "understood / foreign / damaged", "SHA-256")
    return _table(names, lines) if lines else "<p>Nothing was imported: the rows are a live recording's.</p>"


def _table(names: Iterable[str], lines: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>" for line in lines)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
