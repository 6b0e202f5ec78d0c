"""The diagnosis panel: a list of incidents, and the evidence of the one that is chosen."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from easel import Watched
from story import HOSTILE, READER, story_log

from terminal_kit.eventlog import EventLog
from terminal_kit.events import Event, Kind
from terminal_kit.panels.diagnosis import DiagnosisPanel


class Shown(Watched, DiagnosisPanel):
    """The panel, with what it shows."""


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventLog]:
    with story_log(tmp_path / "field.db") as opened:
        yield opened


@pytest.fixture
def panel(log: EventLog) -> Iterator[Shown]:
    shown = Shown(log)
    yield shown
    shown.close()


def test_it_lists_the_incidents_with_their_first_cause(panel: Shown) -> None:
    picture = panel.until(lambda now: not now["looking"] and now["incidents"])
    told = list(picture["incidents"].values())
    assert any(each["reader"] == READER and "0x08" in each["said"] for each in told)
    assert all(0 < each["confidence"] < 1 and each["cause"] for each in told)
    assert picture["whole"] is None


def test_one_opens_to_its_evidence_and_closes_again(panel: Shown) -> None:
    panel.until(lambda now: not now["looking"])
    panel.do("choose", incident="0")
    whole = panel.until(lambda now: now["whole"])["whole"]
    assert whole["causes"][0]["cause"]
    assert any(one["place"] for cause in whole["causes"] for one in (*cause["for"], *cause["against"]))
    assert whole["steps"]
    panel.do("choose", incident=None)
    panel.until(lambda now: now["whole"] is None)


def test_it_looks_again_at_what_was_recorded_meanwhile(panel: Shown, log: EventLog) -> None:
    before = panel.until(lambda now: not now["looking"])["count"]
    run = log.start_run(radio="native")
    run.append(Event(kind=Kind.LINK_DISCONNECTED, t_us=1_764_100_000_000_000, reader=READER, hci_code=0x13))
    log.flush()
    panel.do("look")
    assert panel.until(lambda now: now["count"] > before and not now["looking"])["count"] == before + 1


def test_what_a_log_says_is_shown_and_not_obeyed(tmp_path: Path) -> None:
    with EventLog(tmp_path / "strange.db") as log:
        run = log.start_run(radio="native")
        run.append(Event(kind=Kind.LINK_DISCONNECTED, t_us=1, reader=HOSTILE, reason=HOSTILE))
        log.flush()
        panel = Shown(log)
        picture = panel.until(lambda now: now["incidents"])
        panel.close()
    assert "\u202e" not in repr(picture)
    assert "\\x1b" not in repr(picture).replace("\\\\x1b", "")


def test_lines_that_tell_no_time_have_no_date(tmp_path: Path) -> None:
    with EventLog(tmp_path / "app.db") as log:
        run = log.start_run(radio="import")
        log.append(Event(kind=Kind.LINK_DISCONNECTED, t_us=2000, reader=READER, reason="usageRequested"), run=run.id)
        log.flush()
        shown = Shown(log)
        try:
            told = shown.until(lambda now: not now["looking"] and now["incidents"])["incidents"]
        finally:
            shown.close()
    assert [each["t_us"] for each in told.values()] == [None]


@pytest.mark.parametrize("facts", [{"incident": "999"}, {"incident": "x"}, {"incident": 3}, {}])
def test_a_command_that_is_none_is_told(panel: Shown, facts: dict[str, Any]) -> None:
    panel.until(lambda now: not now["looking"])
    panel.do("choose", **facts)
    panel.until(lambda now: now["trouble"])
