"""The three views of a story: the terminal's own record, the phone's capture, the app's log, each as a frame."""

import random
from collections.abc import Callable, Sequence

import pandas as pd

from terminal_kit.events import Event
from terminal_kit.importers.content import Content

from . import rows
from .ends import End
from .log_lines import SHAPES
from .log_story import steps
from .scene import ENDINGS, NothingHappenedError, Scene

Shown = tuple[pd.DataFrame, str, int]
"""The frame, the reader's name in it, and when the incident was."""

ROTATES_AFTER_S = (240.0, 540.0)
"""Android keeps two files of 65,535 packets: in a busy place four and a half to nine minutes (captures.md, 2.5)."""

EARLY_US, LATE_US = 2_000_000, 45_000_000
"""A log tells of an end at once, and of a connection that failed when its last try has."""

CUT_SHARE = 0.3
"""So many logs are sent without their beginning."""

SHAPE_SHARES = ("android", "android", "android", "ios", "react_native")


def live(stage: Scene, told: Sequence[Event], ends: Sequence[End], rng: random.Random) -> Shown:
    """What the terminal told."""
    for event in told:
        if event.t_us >= stage.mark_us and event.reader == stage.setting.serial and event.kind in ENDINGS:
            return rows.of_events(told), stage.setting.serial, event.t_us
    raise NothingHappenedError


def capture(stage: Scene, told: Sequence[Event], ends: Sequence[End], rng: random.Random) -> Shown | None:
    """What the phone's controller log held, read by the importer; rotation may have taken the beginning."""
    from terminal_kit.importers.captures.reading import CaptureReading

    end = _first_end(stage, ends)
    if stage.tap is None or end is None:
        return None
    since_us = end.t_us - round(rng.uniform(*ROTATES_AFTER_S) * 1e6) if rng.random() < 0.5 else None
    content = Content("phone.btsnoop", stage.tap.to_bytes(since_us=since_us))
    reading = CaptureReading([content])
    frame = rows.of_reading(reading, [content.name])
    names = (stage.setting.serial, f"addr:{stage.reader.address}")
    return frame, _name_in(frame, end.t_us, names), end.t_us


def log(stage: Scene, told: Sequence[Event], ends: Sequence[End], rng: random.Random) -> Shown | None:
    """What the app's SDK printed, read by the importer, which is told the year and the zone."""
    from terminal_kit.importers.sdk_logs.reading import LogReading

    serial = stage.setting.serial
    shape = rng.choice(SHAPE_SHARES)
    offset_h = rng.choice((-5, 0, 1, 2))
    end = _first_end(stage, ends)
    t_us = end.t_us if end is not None and end.is_link else live(stage, told, ends, rng)[2]
    kept_us = t_us - round(rng.uniform(5.0, 300.0) * 1e6) if rng.random() < CUT_SHARE else 0
    kept = [step for step in steps(told, ends, serial, rng) if step.t_us >= kept_us]
    text = SHAPES[shape](kept, rng, offset_h)
    content = Content(f"{shape}.log", text.encode())
    zone = f"{'-' if offset_h < 0 else '+'}{abs(offset_h):02d}:00"
    reading = LogReading(content, year=stage.setting.start.year, time_zone=zone)
    frame = rows.of_reading(reading, [content.name])
    name = _name_in(frame, t_us, (serial, ""))
    ends_us = frame.loc[frame["kind"].isin(ENDINGS) & (frame["reader"] == name), "t_us"] - t_us
    if not ends_us.between(-EARLY_US, LATE_US).any():
        return None  # an SDK that tries again by itself prints nothing of a try that failed
    return frame, name, t_us


def _name_in(frame: pd.DataFrame, t_us: int, names: Sequence[str]) -> str:
    """What the reader is called on the rows that end something then; its first name where none does.

    A capture that begins in the middle of a link knows its handle alone.
    """
    ends = frame[frame["kind"].isin(ENDINGS)]
    for within_us in (1_000_000, 60_000_000):
        told = set(ends.loc[(ends["t_us"] - t_us).abs() < within_us, "reader"])
        nameless = sorted(name for name in told if name.startswith("handle:"))
        if name := next((name for name in (*names, *nameless) if name in told), None):
            return name
    return names[0]


def _first_end(stage: Scene, ends: Sequence[End]) -> End | None:
    """The first end of a link, or attempt given up, since the fault."""
    mine = (end for end in ends if end.t_us >= stage.mark_us and end.reader == stage.setting.serial)
    return next(mine, None)


SHOWN: dict[str, Callable[[Scene, Sequence[Event], Sequence[End], random.Random], Shown | None]] = {
    "live": live,
    "capture": capture,
    "log": log,
}
