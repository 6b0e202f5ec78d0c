"""`what-if`: recorded drops, lived through again under another policy."""

import argparse
import json
from typing import Any

from terminal_kit.cli import values
from terminal_kit.cli.options import Commands, UsageError, command, usage_of
from terminal_kit.cli.output import printable, say
from terminal_kit.cli.recorded import recorded
from terminal_kit.cli.share_bar import ShareBar
from terminal_kit.errors import InvalidParameterError


def add_to(commands: Commands) -> None:
    """Adds the command."""
    parser = command(
        commands,
        "what-if",
        "replays recorded drops in the simulated air under another policy",
        "terminal-kit what-if field.db --supervision-timeout-s 8 --auto-reconnect",
    )
    parser.add_argument("files", nargs="+", metavar="LOG|FILE", help="a log, or captures and logs of apps")
    parser.add_argument("--supervision-timeout-s", type=float, metavar="S", help="0.1 to 32 (default: as recorded)")
    parser.add_argument("--interval-ms", type=float, metavar="MS", help="7.5 to 4000 (default: as recorded)")
    parser.add_argument(
        "--auto-reconnect", action=argparse.BooleanOptionalAction, help="whether it reconnects by itself"
    )
    parser.add_argument("--replays", type=values.replays, default=10, help="of each drop (default: %(default)s)")
    parser.add_argument("--seed", type=values.seed, default=0, help="repeats a run (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="one object: policy, reproduced, drops, assumptions")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Prints a line a drop, what it comes to, and what it rests on."""
    from terminal_kit.scenarios.what_if import Policy, what_if  # noqa: PLC0415 - pandas only for who needs it

    try:
        policy = Policy(
            interval_ms=chosen.interval_ms,
            supervision_timeout_s=chosen.supervision_timeout_s,
            auto_reconnect=chosen.auto_reconnect,
        )
    except InvalidParameterError as error:
        raise usage_of(error) from error
    if policy == Policy():
        raise UsageError("say what would be different: --supervision-timeout-s, --interval-ms or --auto-reconnect")
    with recorded(chosen.files) as log:
        frame = log.frame()
    with ShareBar() as bar:
        outlook = what_if(
            frame,
            policy,
            replays=chosen.replays,
            seed=chosen.seed,
            on_progress=lambda done, of: bar.show(done, of, f"drop {done} of {of}"),
        )
    if chosen.json:
        print(json.dumps(outlook.as_json()))
        return 0
    drops: Any = outlook.drops
    for drop in drops.to_dict("records"):
        say(_line(drop))
    for sentence in outlook.sentences():
        say(sentence)
    if outlook.assumptions:
        say("It is assumed:")
    for assumption in outlook.assumptions:
        say(f"  {assumption}")
    return 0


def _line(drop: "dict[str, Any]") -> str:
    from terminal_kit.diagnosis.finding import clock  # noqa: PLC0415
    from terminal_kit.scenarios.what_if import fate  # noqa: PLC0415

    return f"{clock(drop['t_us']):<23} {printable(str(drop['reader'])):<22} {drop['cause']}: {fate(drop)}"
