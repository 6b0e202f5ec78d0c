"""Judges diagnosis on generated incidents: `python -m tests.diagnosis.judge --incidents 2000 --seed 1300000`.

Prints how often the first cause is right, by view and by cause, the confusion matrix, and how honest the confidences
are. `--tuning` takes seeds below 1,000,000, which the rules may be tuned on; without it such seeds are refused.
"""

import argparse
import os
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import count
from typing import Self

from terminal_kit.events import Cause

from . import known_samples
from .incidents import JUDGING_FROM, STORIES, Incident, play
from .incidents.story import VIEWS

FIRST_SEED = 1_300_000
"""Those before have been judged with, and rules were changed since (README.md): they judge no more."""

BINS = 10

NOT_FOUND = 1.0
"""The confidence that is put down where diagnosis has no finding; it never gives as much itself."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One incident with what diagnosis said first of it, and how sure it was."""

    seed: int
    view: str
    kind: str
    truth: Cause
    left_trace: bool
    said: Cause
    confidence: float

    @property
    def right(self) -> bool:
        """The truth, or "cannot tell" where the truth left no trace."""
        return self.said == self.truth or (self.said == Cause.CANNOT_TELL and not self.left_trace)


def judge(incident: Incident) -> Judged:
    """Asks diagnosis about one incident. An incident that it does not find at all counts as "cannot tell", for sure."""
    from terminal_kit.diagnosis import diagnose

    found = diagnose(incident.frame)
    findings = [finding for finding in found if finding.reader == incident.reader]
    if not findings:  # a log that never names its reader: then it is the one without a serial
        findings = [finding for finding in found if not finding.reader or finding.reader.startswith("addr:")]
    nearest = min(findings, key=lambda finding: abs(finding.t_us - incident.t_us), default=None)
    said, confidence = Cause.CANNOT_TELL, NOT_FOUND
    if nearest is not None and abs(nearest.t_us - incident.t_us) <= 60_000_000:
        said, confidence = nearest.causes[0].cause, nearest.causes[0].confidence
    return Judged(
        incident.seed,
        incident.view,
        incident.kind,
        incident.truth,
        incident.left_trace,
        Cause(said),
        confidence,
    )


def judged_of(seed: int, views: Sequence[str] = VIEWS) -> list[Judged]:
    """Plays and judges one seed."""
    return [judge(incident) for incident in play(seed, views)]


def judged(incidents: int, first_seed: int, *, views: Sequence[str] = VIEWS, processes: int = 1) -> list[Judged]:
    """At least so many incidents, whole rounds of kinds, in the order of their seeds."""
    found: list[Judged] = []
    with _Mapped(processes) as mapped:
        for start in count(first_seed, len(STORIES)):
            if len(found) >= incidents:
                return found
            for one in mapped(range(start, start + len(STORIES)), views):
                found += one
    raise AssertionError("seeds never end")


class _Mapped:
    """`judged_of` over some seeds, in this process or in several."""

    def __init__(self, processes: int) -> None:
        self._pool = ProcessPoolExecutor(processes) if processes > 1 else None

    def __enter__(self) -> Self:
        return self

    def __call__(self, seeds: Iterable[int], views: Sequence[str]) -> Iterator[list[Judged]]:
        if self._pool is None:
            return (judged_of(seed, views) for seed in seeds)
        seeds = list(seeds)
        return self._pool.map(judged_of, seeds, [views] * len(seeds), chunksize=4)

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown()


def accuracy(of: Sequence[Judged]) -> float:
    """The share that is right."""
    return sum(one.right for one in of) / len(of)


def calibration_error(of: Sequence[Judged]) -> float:
    """The expected calibration error over ten bins of equal width (Naeini et al., 2015)."""
    error = 0.0
    for _, _, group in bins(of):
        if group:
            error += abs(accuracy(group) - mean_confidence(group)) * len(group) / len(of)
    return error


def wrong_when_sure(of: Sequence[Judged], at_least: float = 0.9) -> float:
    """The share that is wrong among the verdicts of this confidence or more."""
    sure = [one for one in of if one.confidence >= at_least]
    return 1 - accuracy(sure) if sure else 0.0


def mean_confidence(of: Sequence[Judged]) -> float:
    """How sure they were on average."""
    return sum(one.confidence for one in of) / len(of)


def bins(of: Sequence[Judged]) -> Iterator[tuple[float, float, list[Judged]]]:
    """Ten bins of equal width over the confidence, each with its bounds."""
    for number in range(BINS):
        low, high = number / BINS, (number + 1) / BINS
        last = number == BINS - 1
        yield low, high, [one for one in of if low <= one.confidence < high or (last and one.confidence >= high)]


def report(of: Sequence[Judged]) -> str:
    """Everything as Markdown."""
    sure = [one for one in of if one.confidence >= 0.9]
    lines = [
        f"{len(of)} incidents, seeds {min(one.seed for one in of)} to {max(one.seed for one in of)}.",
        "",
        "| figure | measured | asked |",
        "|---|---|---|",
        f"| right at the first place | {accuracy(of):.1%} | at least 95 % |",
        f"| expected calibration error | {calibration_error(of):.3f} | at most 0.05 |",
        f"| wrong among verdicts of 0.9 or more ({len(sure)}) | {wrong_when_sure(of):.1%} | at most 8 % |",
        "",
        *_told(of),
        "",
        "| view | incidents | left a trace | right | right where there is a trace | right where there is none |",
        "|---|---|---|---|---|---|",
        *_shares(of, "view"),
        "",
        "| cause | incidents | left a trace | right | right where there is a trace | right where there is none |",
        "|---|---|---|---|---|---|",
        *_shares(of, "truth"),
        "",
        *confusion(of),
        "",
        "| confidence | verdicts | mean confidence | right |",
        "|---|---|---|---|",
    ]
    for low, high, group in bins(of):
        if group:
            lines.append(
                f"| {low:.1f}–{high:.1f} | {len(group)} | {mean_confidence(group):.2f} | {accuracy(group):.2f} |"
            )
    return "\n".join(lines)


def _told(of: Sequence[Judged]) -> Iterator[str]:
    """How much of the figure is silence: verdicts that name a cause, and incidents that were not found at all."""
    named = [one for one in of if one.said != Cause.CANNOT_TELL]
    missing = sum(one.confidence == NOT_FOUND for one in of)
    right = f"{accuracy(named):.1%}" if named else "none"
    yield f"A cause was named for {len(named)} of them, and is right for {right}; for the others it was"
    yield f'"cannot tell", {missing} times because there was no finding about that moment.'


def _shares(of: Sequence[Judged], by: str) -> Iterator[str]:
    groups: dict[str, list[Judged]] = defaultdict(list)
    for one in of:
        groups[getattr(one, by)].append(one)
    for name, group in sorted(groups.items()):
        traced = [one for one in group if one.left_trace]
        untraced = [one for one in group if not one.left_trace]
        cells = [f"{accuracy(part):.1%}" if part else "–" for part in (group, traced, untraced)]
        yield f"| {name} | {len(group)} | {len(traced) / len(group):.0%} | {' | '.join(cells)} |"


def confusion(of: Sequence[Judged]) -> list[str]:
    """The confusion matrix: truths in rows, first verdicts in columns; "cannot tell" in two, right and wrong."""
    truths = [cause for cause in Cause if any(one.truth == cause for one in of)]
    said = [cause for cause in Cause if any(one.said == cause for one in of)]
    cells = Counter((one.truth, one.said, one.left_trace) for one in of)
    lines = [
        "Rows are the truth, columns what was said first; in the last one the number in brackets had left a trace.",
        "",
        f"| truth | {' | '.join(said)} |",
        f"|---|{'---|' * len(said)}",
    ]
    for truth in truths:
        row: list[str] = []
        for cause in said:
            traced, untraced = cells[truth, cause, True], cells[truth, cause, False]
            total = str(traced + untraced or "")
            row.append(f"{total} ({traced})" if cause == Cause.CANNOT_TELL and traced else total)
        lines.append(f"| {truth} | {' | '.join(row)} |")
    return lines


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.diagnosis.judge", description=__doc__)
    parser.add_argument("--incidents", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=None, help="the first seed")
    parser.add_argument("--tuning", action="store_true", help="seeds that the rules may be tuned on")
    parser.add_argument("--views", default=",".join(VIEWS))
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--wrong", action="store_true", help="lists what is wrong, by kind")
    parser.add_argument("--samples", action="store_true", help="the samples of the field whose answer is known")
    given = parser.parse_args()
    if given.samples:
        print(known_samples.report())
        return
    first = given.seed if given.seed is not None else 0 if given.tuning else FIRST_SEED
    if given.tuning == (first >= JUDGING_FROM):
        parser.error(f"seeds from {JUDGING_FROM} on are for judging, those below for tuning")
    begun_s = time.perf_counter()
    found = judged(given.incidents, first, views=given.views.split(","), processes=given.processes)
    print(report(found))
    print(f"\n{len(found) / (time.perf_counter() - begun_s):.1f} incidents/s")
    if given.wrong:
        for (view, kind, truth, said, traced), number in Counter(
            (one.view, one.kind, one.truth, one.said, one.left_trace) for one in found if not one.right
        ).most_common():
            print(f"{number:4} {view:8} {kind:36} {truth} → {said}{'' if traced else ' (no trace)'}")


if __name__ == "__main__":
    main()
