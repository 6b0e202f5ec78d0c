"""Incidents with their truth, from the simulated air, as a live log, a phone's capture and an app's log would show them.

`generate(seeds)` gives one incident for each seed and view; the seed alone decides everything. Seeds below 1,000,000
are for tuning the rules of diagnosis, the others for judging them.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import pandas as pd

from terminal_kit.events import Cause
from terminal_kit.simulator.clock import run_virtual

from . import of_host, of_reader, of_signal
from .scene import NothingHappenedError, scene
from .setting import draw
from .shown import SHOWN
from .story import VIEWS, Story
from .traces import left_trace

STORIES: tuple[Story, ...] = (*of_signal.STORIES, *of_reader.STORIES, *of_host.STORIES)

JUDGING_FROM = 1_000_000
"""Seeds from here on are for judging, those below for tuning."""

TRIES = 12
"""Some draws do no harm (a link that holds): the next one is taken then."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One labelled incident. `frame` is what is known in this view, with other drops, readers and noise in it.

    To be judged is the finding about `reader` nearest to `t_us`; `truth` is what was done, and `left_trace` whether
    anything in the frame tells it, decided by the rules in `traces.py` before anybody diagnoses.
    """

    frame: pd.DataFrame = field(repr=False)  # asyncio's runner words what it runs, twice
    truth: Cause
    left_trace: bool
    view: str
    kind: str
    seed: int
    reader: str
    t_us: int


def generate(seeds: Iterable[int], views: Sequence[str] = ("live",)) -> Iterator[Incident]:
    """One incident a seed and view; a view that cannot show a kind at all is left out."""
    for seed in seeds:
        yield from play(seed, views)


def play(seed: int, views: Sequence[str] = VIEWS) -> list[Incident]:
    """The incident of one seed, in each of the views."""
    story = STORIES[seed % len(STORIES)]
    wanted = [view for view in views if view in story.views]
    for attempt in range(TRIES if wanted else 0):
        rng = random.Random(f"incident/{seed}/{attempt}")
        try:
            return run_virtual(_play(story, seed, rng, wanted))
        except NothingHappenedError:
            continue
    return []


async def _play(story: Story, seed: int, rng: random.Random, views: Sequence[str]) -> list[Incident]:
    setting = draw(seed, rng, story.forces)
    async with scene(setting, rng, tapped="capture" in views) as stage:
        await story.play(stage)
        told, ends = list(stage.told), list(stage.ends.all)
        seen = {view: SHOWN[view](stage, told, ends, rng) for view in views}
    found: list[Incident] = []
    for view, shown in seen.items():
        if shown is None:
            continue
        frame, reader, t_us = shown
        trace = left_trace(frame, story.cause, reader, t_us)
        found.append(Incident(frame, story.cause, trace, view, story.name, seed, reader, t_us))
    return found
