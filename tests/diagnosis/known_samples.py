"""Captures and logs of the field whose answer is known, each with how it is known. Told apart from generated ones.

Of most samples nobody knows why the link ended: a code says who ended it, not why. Those are listed without a verdict
on them. The files are strangers' and lie beside the project, not in it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from terminal_kit.events import Cause
from terminal_kit.importers.content import opened

from .incidents.rows import of_reading

FOLDER = Path(__file__).resolve().parents[2] / "../shared/samples"


class Known(NamedTuple):
    """A sample: where it lies, its answer (None: nobody knows), and how that is known."""

    path: str
    answer: Cause | None
    how: str


SAMPLES = (
    Known(
        "sdk_logs/android_353_disconnect_requested.txt",
        Cause.HOST_CLOSED,
        "the app calls disconnectReader, and the SDK notes that it was requested",
    ),
    Known("captures/wban.btsnoop", Cause.HOST_CLOSED, "the host sends Disconnect, and the link ends for that"),
    Known("captures/cnrd_yeelock.btsnoop", None, "0x13: the peer, no card reader, hung up; why is not known"),
    Known("captures/csacca_horizon.btsnoop", None, "the capture ends with the link up"),
    Known("captures/isap_2010.pklg", None, "a classic link, none of LE"),
    Known("sdk_logs/android_70_error_stack.txt", None, "lost in the middle of an operation; why is not known"),
)


class Answer(NamedTuple):
    """What diagnosis says of one incident in a sample."""

    sample: Known
    said: Cause | None
    confidence: float | None


def answers() -> Iterator[Answer]:
    """Every incident of every sample that is at hand; one without an incident gives one answer without a verdict."""
    from terminal_kit.diagnosis import diagnose

    for sample in SAMPLES:
        path = FOLDER / sample.path
        if not path.exists():
            continue
        findings = diagnose(frame_of(path))
        for finding in findings:
            yield Answer(sample, finding.causes[0].cause, finding.causes[0].confidence)
        if not findings:
            yield Answer(sample, None, None)


def frame_of(path: Path) -> pd.DataFrame:
    """A sample's frame, by the importer that its folder asks for."""
    from terminal_kit.importers.captures.reading import CaptureReading
    from terminal_kit.importers.sdk_logs.reading import LogReading

    with opened(path) as content:
        reading = CaptureReading([content]) if path.parent.name == "captures" else LogReading(content, year=2022)
        return of_reading(reading, [path.name])


def report() -> str:
    """The samples as a Markdown table, and how many of the known ones are right."""
    lines = ["| sample | answer | how it is known | said first | confidence |", "|---|---|---|---|---|"]
    known = right = 0
    for sample, said, confidence in answers():
        known += sample.answer is not None
        right += sample.answer is not None and said == sample.answer
        sure = "–" if confidence is None else f"{confidence:.2f}"
        lines.append(
            f"| {sample.path} | {sample.answer or 'not known'} | {sample.how} | {said or 'no incident'} | {sure} |"
        )
    return "\n".join([*lines, "", f"Of the incidents whose answer is known {right} of {known} are right."])
