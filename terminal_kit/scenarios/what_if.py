"""What would have helped: recorded drops lived through again under another policy."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import pandas as pd

from terminal_kit.diagnosis import Finding, diagnose
from terminal_kit.errors import InvalidParameterError, TerminalError
from terminal_kit.events import is_dated
from terminal_kit.scenarios.passages import AFTER_S, NEVER_REPLAYED, USUAL_DBM, Passage, passages
from terminal_kit.scenarios.policy import Policy, impossible
from terminal_kit.scenarios.replay import NEAR_S, Lived, live
from terminal_kit.simulator.link import Parameters
from terminal_kit.words import counted, words

REPLAYS = 10
"""How often each drop is lived through under each policy: shares in steps of a tenth, half a second a drop."""

IN_TIME_S = 2.0
"""A replay that ends the link so near to the recorded drop, give or take a connection event, brings that drop."""

_USUAL = Parameters()
_USUAL_LINK = f"{_USUAL.interval_ms:g} ms, no latency, {_USUAL.supervision_timeout_s:g} s"

ASSUMPTIONS = (
    "Only recorded drops are replayed: a shorter supervision timeout or a longer interval may bring others.",
    f"What was not recorded of a link is usual: {_USUAL_LINK}.",
    "Reader and phone agree to what is proposed, once a link is made.",
    f"The signal between what was heard is a straight line; without any for {NEAR_S:g} s it is {USUAL_DBM:g} dBm.",
    "While the reader was silent no packet would have arrived, whatever the policy.",
    "A reader was back at any time between when the host listened in vain and when it was heard, alike likely.",
    "A reader that may skip connection events attends all of them while it hears nothing.",
    "A link whose reader restarted, hung or lost power cannot be kept by any policy.",
    "A drop that the app, the host or the reader itself decided on happens under any policy.",
    "A longer interval or another timeout changes nothing else: no power, no throughput, no second link.",
    "Automatic reconnection is this kit's: it listens, and asks again when the reader is heard.",
    "A reader of whose automatic reconnection the recording tells nothing, as captures do, was connected by hand.",
    "By hand it is connected when it was, or as soon as the link has ended.",
)
"""What a replay takes for granted; a real phone may do otherwise."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a policy would have done.

    `drops`: one row for each recorded disconnect: `time`, `t_us`, `reader`, `cause`, `manner`, `replayed`, `why_not`
    (why it was not replayed; missing where it was), `as_recorded` (share of the replays under the recorded policy in
    which the link ended, at any time in the passage), `as_proposed` (under the other), `gone_s` and `gone_proposed_s`:
    until the reader was connected again, recorded (missing where it was not before its next drop) and under the other
    policy (median of the replays in which the link ended; missing where it did not come back by itself within three
    minutes, or by hand as it was recorded). Both are counted from the moment of the recorded
    drop: a longer supervision timeout makes the app learn of a loss later, which brings nobody back sooner.

    `reproduced`: share of the replays under the recorded policy that brought the drop at its time (`IN_TIME_S`); what
    it falls short of 1 is how far the replay is to be trusted. `assumptions`: what the replays, where there were any,
    take for granted.
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
        """The outlook for programs: `policy`, `reproduced`, `avoided`, `drops` (a list of the rows), `assumptions`.

        `t_us` is null for drops of files that tell no times.
        """
        rows = self.drops.drop(columns="time").astype(object)
        rows["t_us"] = rows["t_us"].where(rows["t_us"].map(is_dated), None)
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
        if self.reproduced is None:
            return [
                f"{counted(count, 'drop')}, of which none was replayed." if count else "There are no drops to replay."
            ]
        told = [f"{counted(count, 'drop')}, of which {replayed} {'was' if replayed == 1 else 'were'} replayed."]
        told.append(f"The recorded policy brings a replayed drop at its time in {self.reproduced:.0%} of the replays.")
        avoided = f"{self.avoided:.1f}".removesuffix(".0")
        spared = {"0": "none would have been spared", str(replayed): "none would have happened"}
        some = f"about {avoided} of {counted(replayed, 'drop')} would not have happened"
        told.append(f"Under the proposed one {spared.get(avoided, some)}.")
        return told + _returns(drops[drops["replayed"] & (drops["as_proposed"] > 0).fillna(value=False)])


def _returns(ended: Any) -> list[str]:
    """How soon readers are back after drops that happen under the proposed policy too, and how many are not."""
    both = ended[["gone_s", "gone_proposed_s"]].dropna()
    every, told = counted(len(ended), "drop"), list[str]()
    if len(both):
        before_s, after_s = both["gone_s"].median(), both["gone_proposed_s"].median()
        share = (
            counted(len(ended), "drop") if len(both) == len(ended) else f"{len(both)} of {counted(len(ended), 'drop')}"
        )
        of = f" (median of {share})" if len(ended) > 1 else ""
        told.append(
            f"Where the link would have ended, the reader was back {before_s:.1f} s after the recorded drop{of}; "
            f"it would be {after_s:.1f} s."
        )
    away = [len(ended) - int((ended[name] <= AFTER_S).sum()) for name in ("gone_s", "gone_proposed_s")]
    if any(away):
        told.append(
            f"Of {every} where the link would have ended, so many are without a known return within "
            f"{AFTER_S / 60:g} minutes: {away[0]} as recorded, {away[1]} as proposed."
        )
    return told


def fate(drop: Mapping[str, Any]) -> str:
    """What would have become of a drop, one row of `Outlook.drops`, in words."""
    if not drop["replayed"]:
        return str(drop["why_not"])
    share, as_recorded = drop["as_proposed"], drop["as_recorded"]
    if as_recorded == 0:
        return "no replay brings it as it was recorded, so nothing can be said"
    if share == 0:
        told = "would not have happened"
    else:
        told = f"would have happened {'all the same' if share == 1 else f'in {share:.0%} of the replays'}"
        back_s, recorded_s = drop["gone_proposed_s"], drop["gone_s"]
        never = f", not back by itself within {AFTER_S / 60:g} minutes"
        told += never if pd.isna(back_s) else f", back after {back_s:.1f} s"
        told += "" if pd.isna(recorded_s) else f" (recorded: {recorded_s:.1f} s)"
    return told if as_recorded == 1 else f"{told}; as recorded it happens in {as_recorded:.0%}"


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
    drop's cause says what a policy can change. Each drop is replayed `replays` times with chances of its own, the same
    ones under both policies. A drop that cannot be replayed, or not with the link that was recorded, says why.
    `on_progress(done, all)` is told. Same frame, policy and seed: same outlook.

    Raises `InvalidParameterError` for less than one replay, a seed that is no whole number, and rows without `t_us`,
    `reader` or `kind`.
    """
    _check(frame, replays, seed)
    of = passages(frame, diagnose(frame) if findings is None else findings)
    rows: list[dict[str, Any]] = []
    # In a thread of its own: a notebook's cell runs on a loop already, and each replay has one.
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="terminal_kit what-if") as thread:
        for number, passage in enumerate(of):
            rows.append(thread.submit(_row, passage, policy, replays, seed).result())
            if on_progress is not None:
                on_progress(number + 1, len(of))
    in_time = [row["in_time"] for row in rows if row["replayed"]]
    drops: Any = pd.DataFrame(rows, columns=pd.Index(_COLUMNS)).astype(_TYPES)
    drops.insert(0, "time", pd.to_datetime(drops["t_us"], unit="us", utc=True).astype("datetime64[us, UTC]"))
    return Outlook(policy, drops, sum(in_time) / len(in_time) if in_time else None, ASSUMPTIONS if in_time else ())


def _check(frame: pd.DataFrame, replays: object, seed: object) -> None:
    if not isinstance(replays, int) or isinstance(replays, bool) or replays < 1:
        raise InvalidParameterError(
            f"a drop cannot be replayed {replays!r} times",
            parameter="replays",
            value=replays,
            hint="A whole number, 1 or more.",
        )
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise InvalidParameterError(
            f"the seed cannot be {seed!r}", parameter="seed", value=seed, hint="A whole number."
        )
    missing = [name for name in ("kind", "t_us", "reader") if name not in frame]
    if missing and len(frame):
        raise InvalidParameterError(
            f"the frame has no column {missing[0]}",
            parameter="frame",
            value=list(frame),
            hint="Take what EventLog.frame() gives.",
        )


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


def _row(passage: Passage, policy: Policy, replays: int, seed: int) -> dict[str, Any]:
    row: dict[str, Any] = {
        "t_us": passage.t_us,
        "reader": passage.reader,
        "cause": words(passage.cause),
        "manner": passage.manner,
        "gone_s": passage.returned_s,
    }
    why_not = NEVER_REPLAYED.get(passage.manner) or _conflict(passage, policy)
    if not is_dated(passage.t_us):
        row["gone_s"], why_not = None, why_not or "not replayed, since its file tells no times"
    found: dict[str, Any] = {}
    if why_not is None:
        try:
            found = _replayed(passage, policy, replays, seed)
        except TerminalError as error:
            why_not = f"not replayed, since it failed: {error.line()}"
    return row | found | {"replayed": why_not is None, "why_not": why_not}


def _conflict(passage: Passage, policy: Policy) -> str | None:
    """Why no link could have had the policy together with what was recorded; a link that was recorded is a fact."""
    why = impossible(policy.parameters(passage.parameters)) if policy.changes_link else None
    is_assumed = policy.supervision_timeout_s is None and passage.supervision_timeout_s is None
    assumed = "; none was recorded" if is_assumed else ""
    return f"not replayed, since {why}{assumed}" if why else None


def _replayed(passage: Passage, policy: Policy, replays: int, seed: int) -> dict[str, Any]:
    recorded = passage.parameters
    near_s = IN_TIME_S + recorded.interval_ms / 1000
    automatic = passage.was_automatic if policy.auto_reconnect is None else policy.auto_reconnect
    before = [
        live(passage, recorded, auto_reconnect=passage.was_automatic, seed=seed + number).dropped_s
        for number in range(replays)
    ]
    after = [
        live(passage, policy.parameters(recorded), auto_reconnect=automatic, seed=seed + number)
        for number in range(replays)
    ]
    return {
        "as_recorded": sum(dropped_s is not None for dropped_s in before) / replays,
        "as_proposed": sum(lived.dropped_s is not None for lived in after) / replays,
        "in_time": sum(dropped_s is not None and abs(dropped_s) <= near_s for dropped_s in before) / replays,
        "gone_proposed_s": _gone_s(after) if automatic else _gone_by_hand_s(passage, after),
    }


def _gone_s(after: Sequence[Lived]) -> float | None:
    """The median time until the reader was there again, those that were not counted as longest."""
    gone = [lived.back_s if lived.back_s is not None else AFTER_S for lived in after if lived.dropped_s is not None]
    found = median(gone) if gone else None
    return found if found is not None and found < AFTER_S else None


def _gone_by_hand_s(passage: Passage, after: Sequence[Lived]) -> float | None:
    """As it was recorded, or once the link had ended; nobody knows when by hand, where the recorded return was not."""
    ends = [lived.dropped_s for lived in after if lived.dropped_s is not None]
    if not ends or passage.returned_s is None or passage.was_automatic:
        return None
    return median(max(passage.returned_s, end_s) for end_s in ends)
