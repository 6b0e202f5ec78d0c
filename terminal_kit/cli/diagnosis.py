"""`diagnose`: why readers dropped, with the evidence."""

import argparse
import json

from terminal_kit.cli.options import Commands, command
from terminal_kit.cli.output import printable, say
from terminal_kit.cli.recorded import recorded
from terminal_kit.diagnosis.finding import Evidence, Finding, Habit, clock
from terminal_kit.eventlog.readers import known_reader
from terminal_kit.words import hci_words, reason_words, words


def add_to(commands: Commands) -> None:
    """Adds the command."""
    parser = command(
        commands,
        "diagnose",
        "says why readers dropped or did not connect, with the evidence",
        "terminal-kit diagnose bugreport.zip app.log",
    )
    parser.add_argument("files", nargs="+", metavar="LOG|FILE", help="a log, or captures and logs of apps")
    parser.add_argument("--reader", help="only this reader")
    parser.add_argument("--json", action="store_true", help="one list with an object for each incident")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Prints each incident with its ranked causes, and the habits behind many of them."""
    from terminal_kit.diagnosis import diagnose, habits  # noqa: PLC0415 - pandas only for who needs it

    with recorded(chosen.files) as log:
        reader = None if chosen.reader is None else known_reader(log, chosen.reader)
        frame = log.frame()
    findings = [one for one in diagnose(frame) if reader in (None, one.reader)]
    if chosen.json:
        print(json.dumps([finding.as_json() for finding in findings]))
        return 0
    for finding in findings:
        _say_finding(finding)
    for habit in habits(frame):
        if reader is None or not habit.readers or reader in habit.readers:
            _say_habit(habit)
    if not findings:
        say("no disconnect and no failed connection is recorded")
    return 0


def _say_finding(finding: Finding) -> None:
    what = "dropped" if finding.kind == "disconnect" else "did not connect"
    told = [reason_words(finding.reason)] if finding.reason else []
    told += [hci_words(finding.hci_code)] if finding.hci_code is not None else []
    say(f"{clock(finding.t_us)}  {printable(finding.reader) or 'a reader'} {what}: {printable(', '.join(told)) or '–'}")
    for verdict in finding.causes:
        say(f"  {verdict.confidence:4.0%}  {words(verdict.cause)}")
        for sign, evidence in (("+", verdict.for_), ("-", verdict.against)):
            for one in evidence:
                say(f"        {sign} {_evidence(one)}")
    for step in finding.next_steps:
        say(f"  next: {printable(step)}")
    say("")


def _say_habit(habit: Habit) -> None:
    say(f"habit: {printable(habit.text)}")
    for one in habit.evidence:
        say(f"        + {_evidence(one)}")
    say(f"  next: {printable(habit.advice)}")
    say("")


def _evidence(one: Evidence) -> str:
    return printable(f"{one.text} ({one.place})" if one.place else one.text)
