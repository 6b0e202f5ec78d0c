"""The exchanges with Zephyr's servers again, from files: our client must still say, byte for byte, what it said then.

Whoever changes the client's bytes records anew (see `test_zephyr_servers.py`) and so finds out what real servers think.
"""

import dataclasses
from pathlib import Path

import pytest
import stories
from board import Board, Recording, Replay
from stage import virtual

FILES = sorted((Path(__file__).parent / "recordings").glob("*.json"))
RECORDINGS = {path.stem: Recording.read(path) for path in FILES}


def story_of(recording: Recording) -> stories.Story:
    if recording.story == "updates":
        return stories.updates_to(stories.uploaded(recording.connections[0]))
    return stories.STORIES[recording.story]


@pytest.mark.parametrize("name", RECORDINGS)
@virtual
async def test_the_client_says_what_it_said(name: str) -> None:
    recording = RECORDINGS[name]
    line = Replay(recording)
    await story_of(recording)(Board(line))
    line.finish()


def test_every_story_was_recorded_and_the_files_stay_small() -> None:
    assert {recording.story for recording in RECORDINGS.values()} == {*stories.STORIES, "updates"}
    assert sum(path.stat().st_size for path in FILES) < 300_000


@virtual
async def test_a_changed_request_is_noticed() -> None:
    """The replay itself can fail."""
    recording = next(each for each in RECORDINGS.values() if each.story == "takes_an_image")
    changed = list(recording.connections[0])
    way, frame = changed[4]
    assert way == ">"
    changed[4] = way, frame[:-1] + bytes([frame[-1] ^ 1])
    line = Replay(dataclasses.replace(recording, connections=[changed]))
    with pytest.raises(AssertionError, match="not the recorded one"):
        await story_of(recording)(Board(line))
