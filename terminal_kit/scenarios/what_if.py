"""What would have helped: recorded drops lived through again under another policy."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import Any

import pandas as pd

from terminal_kit.diagnosis import Finding, diagnose
from terminal_kit.errors import InvalidParameterError, TerminalError
from terminal_kit.events import Kind
from terminal_kit.scenarios.passages import AFTER_S, Manner, Passage, passages
from terminal_kit.scenarios.replay import Lived, live, recorded_parameters
from terminal_kit.simulator.link import Parameters
from terminal_kit.words import counted, words

REPLAYS = 10
"""How often each drop is lived through under each policy: shares in steps of a tenth, some seconds for fifty drops."""

INTERVAL_MS = (7.5, 4000.0)
SUPERVISION_TIMEOUT_S = (0.1, 32.0)
"""What the standard allows (Core Vol 4 Part E, 7.8.12)."""

ASSUMPTIONS = (
    "The signal between what was heard is a straight line; where nothing was heard for 15 s it is -60 dBm.",
    "While the reader was silent no packet would have arrived, whatever the policy.",
    "A reader that nobody listened for was back at any time between the drop and when it was heard, alike likely.",
    "A link whose reader restarted, hung or lost power cannot be kept by any policy.",
    "A drop that the app, the host's radio or the reader itself decided on happens under any policy.",
    "Only what was recorded as a drop is replayed: a shorter time-out or a longer interval may bring others.",
    "A longer interval or another time-out changes nothing else: no power, no throughput, no second link.",
    "Automatic reconnection is this kit's: it listens, and asks again when the reader is heard.",
)
"""What a replay takes for granted; a real phone may do otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How a link is kept. None: as it was recorded."""

    interval_ms: float | None = None
    supervision_timeout_s: float | None = None
    auto_reconnect: bool | None = None

    def __post_init__(self) -> None:
        """Raises `InvalidParameterError` for what no link can have."""
        for name, (low, high) in (("interval_ms", INTERVAL_MS), ("supervision_timeout_s", SUPERVISION_TIMEOUT_S)):
            value: Any = getattr(self, name)
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if value is not None and not (is_number and low <= value <= high):
                shown = f"{value:g}" if is_number else repr(value)
                raise InvalidParameterError(
                    f"{name} cannot be {shown}", parameter=name, value=value, hint=f"From {low:g} to {high:g}."
                )
        automatic: Any = self.auto_reconnect
        if not (automatic is None or isinstance(automatic, bool)):
            raise InvalidParameterError(
                f"auto_reconnect cannot be {automatic!r}",
                parameter="auto_reconnect",
                value=automatic,
                hint="True, False, or None for as it was recorded.",
            )
        if self.interval_ms is not None and self.supervision_timeout_s is not None:
            together = Parameters(interval_ms=self.interval_ms, supervision_timeout_s=self.supervision_timeout_s)
            if why := impossible(together):
                raise InvalidParameterError(
                    why,
                    parameter="supervision_timeout_s",
                    value=self.supervision_timeout_s,
                    hint="Lengthen the time-out, or shorten the interval.",
                )

    def parameters(self, recorded: Parameters) -> Parameters:
        """A link's parameters under this policy."""
        changed = {name: getattr(self, name) for name in ("interval_ms", "supervision_timeout_s")}
        return replace(recorded, **{name: value for name, value in changed.items() if value is not None})


def impossible(parameters: Parameters) -> str | None:
    """Why no link can have these parameters together (Core Vol 6 Part B, 4.5.2), or None."""
    least_s, timeout_s = parameters.least_timeout_s, parameters.supervision_timeout_s
    if timeout_s > least_s:
        return None
    latency = f" and a peripheral latency of {parameters.peripheral_latency}" if parameters.peripheral_latency else ""
    interval = f"an interval of {parameters.interval_ms:g} ms{latency}"
    return f"a supervision timeout of {timeout_s:g} s is too short for {interval}: it must exceed {least_s:g} s"


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a policy would have done.

    `drops`: one row for each recorded disconnect: `time`, `t_us`, `reader`, `cause`, `manner`, `replayed`, `why_not`
    (in words, where it was not replayed), `as_recorded` (share of the replays under the recorded policy in which it
    happened), `as_proposed` (under the other), `gone_s` (recorded: until it was connected again) and `gone_proposed_s`
    (median of the replays in which it dropped; missing where it did not come back within three minutes). Both count
    from the recorded drop: a longer time-out notices a loss later, which brings nothing back sooner. `reproduced`:
    share of the replays under the recorded policy that brought the drop; what it falls short of 1 is how far the replay
    is to be trusted.
    """

    policy: Policy
    drops: pd.DataFrame
    reproduced: float | None
    assumptions: Sequence[str]

    @property
    def avoided(self) -> float:
        """How many of the drops would not have happened, as expected over the replays."""
        replayed: Any = self.drops[self.drops["replayed"]]
        return float((replayed["as_recorded"] - replayed["as_proposed"]).clip(lower=0).sum())

    def as_json(self) -> dict[str, Any]:
        """The outlook for programs: `policy`, `reproduced`, `avoided`, `drops` (a list of the rows), `assumptions`."""
        rows = self.drops.drop(columns="time").astype(object)
        return {
            "policy": asdict(self.policy),
            "reproduced": self.reproduced,
            "avoided": self.avoided,
            "drops": rows.where(rows.notna(), None).to_dict("records"),
            "assumptions": list(self.assumptions),
        }

    def sentences(self) -> list[str]:
        """The outcome in words, with what it rests on."""
        drops: Any = self.drops
        count, replayed = len(drops), int(drops["replayed"].sum())
        told = [f"{counted(count, 'drop')}, {replayed} of which can be replayed."]
        if self.reproduced is not None:
            told.append(f"Under the recorded policy the replay brings them in {self.reproduced:.0%} of its runs.")
            told.append(
                f"Under the proposed one about {self.avoided:.1f} of them would not have happened."
                if self.avoided >= 0.05
                else "Under the proposed one they would have happened all the same."
            )
        kept: Any = self.drops[["gone_s", "gone_proposed_s"]].dropna()
        if len(kept):
            before_s, after_s = kept["gone_s"].median(), kept["gone_proposed_s"].median()
            told.append(f"Half of those that came back were gone for {before_s:.1f} s; it would be {after_s:.1f} s.")
        return told


def fate(drop: Mapping[str, Any]) -> str:
    """What would have become of a drop, one row of `Outlook.drops`, in words."""
    if not drop["replayed"]:
        return str(drop["why_not"])
    share = drop["as_proposed"]
    told = "would have happened all the same" if share == 1 else f"would have happened in {share:.0%} of the replays"
    if share == 0:
        told = "would not have happened"
    elif not pd.isna(drop["gone_proposed_s"]):
        told += f", back after {drop['gone_proposed_s']:.1f} s"
        told += "" if pd.isna(drop["gone_s"]) else f" (recorded: {drop['gone_s']:.1f} s)"
    return told


def what_if(
    frame: pd.DataFrame,
    policy: Policy,
    *,
    findings: Sequence[Finding] | None = None,
    replays: int = REPLAYS,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> Outlook:
    """Lives through the drops of a recording again, as recorded and under `policy`, in the simulated air.

    `frame` is `EventLog.frame()`; `findings` those of `diagnose(frame)`, which is asked where they are not given: a
    drop's cause says what a policy can change. Each drop is replayed `replays` times with chances of its own.
    `on_progress(done, all)` is told. Same frame, policy and seed: same outlook. Raises `InvalidParameterError` for less
    than one replay.
    """
    if replays < 1:
        raise InvalidParameterError("a drop is replayed at least once", parameter="replays", value=replays)
    of = passages(frame, diagnose(frame) if findings is None else findings)
    was_automatic = bool((frame["kind"] == Kind.RECONNECT_STARTED.value).any()) if len(frame) else False
    rows: list[dict[str, Any]] = []
    # In a thread of its own: a notebook's cell runs on a loop already, and each replay has one.
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="terminal_kit what-if") as thread:
        for number, passage in enumerate(of):
            rows.append(thread.submit(_row, passage, policy, replays, seed, was_automatic=was_automatic).result())
            if on_progress is not None:
                on_progress(number + 1, len(of))
    drops: Any = pd.DataFrame(rows, columns=pd.Index(_COLUMNS)).astype(_TYPES)
    drops.insert(0, "time", pd.to_datetime(drops["t_us"], unit="us", utc=True).astype("datetime64[us, UTC]"))
    replayed = drops[drops["replayed"]]
    return Outlook(policy, drops, float(replayed["as_recorded"].mean()) if len(replayed) else None, ASSUMPTIONS)


_TYPES = {
    "t_us": "int64",
    "reader": "str",
    "cause": "str",
    "manner": "str",
    "replayed": "bool",
    "why_not": "str",
    "as_recorded": "Float64",
    "as_proposed": "Float64",
    "gone_s": "Float64",
    "gone_proposed_s": "Float64",
}
_COLUMNS = list(_TYPES)

_NOT_REPLAYED: dict[Manner, str] = {
    "unknown": "its cause is not known, so nothing can be said",
    "closed": "asked for, so it would have happened all the same",
}


def _row(passage: Passage, policy: Policy, replays: int, seed: int, *, was_automatic: bool) -> dict[str, Any]:
    row: dict[str, Any] = {
        "t_us": passage.t_us,
        "reader": passage.reader,
        "cause": words(passage.cause),
        "manner": passage.manner,
        "why_not": _NOT_REPLAYED.get(passage.manner),
        "gone_s": passage.returned_s,
    }
    recorded = recorded_parameters(passage)
    proposed = policy.parameters(recorded)
    automatic = was_automatic if policy.auto_reconnect is None else policy.auto_reconnect
    row["why_not"] = row["why_not"] or impossible(proposed)
    if not row["why_not"]:
        try:
            before, after = (
                [live(passage, parameters, auto_reconnect=itself, seed=seed + number) for number in range(replays)]
                for parameters, itself in ((recorded, was_automatic), (proposed, automatic))
            )
        except TerminalError as error:
            row["why_not"] = f"the replay came to no link ({error.code}), so nothing can be said"
        else:
            row["as_recorded"] = sum(lived.dropped_s is not None for lived in before) / replays
            row["as_proposed"] = sum(lived.dropped_s is not None for lived in after) / replays
            row["gone_proposed_s"] = _gone_s(after) if automatic else passage.returned_s
    return row | {"replayed": row["why_not"] is None}


def _gone_s(after: Sequence[Lived]) -> float | None:
    """The median time until the reader was there again, those that were not counted as longest."""
    gone = [
        lived.returned_s if lived.returned_s is not None else AFTER_S for lived in after if lived.dropped_s is not None
    ]
    found = median(gone) if gone else None
    return found if found is not None and found < AFTER_S else None
