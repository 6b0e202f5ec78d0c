"""The readers of a log, each under its one name; and names that are none of them."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from terminal_kit.errors import InvalidParameterError
from terminal_kit.eventlog import EventLog
from terminal_kit.eventlog.readers import NAMED, known_reader, readers
from terminal_kit.events import Event, Kind

FIRST, SECOND = "STRM26138000001", "WPC323000000002"


def test_readers_have_one_name_and_those_with_most_rows_come_first(tmp_path: Path) -> None:
    with EventLog(tmp_path / "a.db") as log:
        run = log.start_run(radio="native")
        for reader in (SECOND, FIRST, "addr:C0:00:00:00:00:01", ""):
            run.append(Event(kind=Kind.READER_FOUND, t_us=1, reader=reader))
        log.add_alias("addr:C0:00:00:00:00:01", FIRST)
        log.flush()
        assert readers(log) == [FIRST, SECOND]
        assert known_reader(log, FIRST) == known_reader(log, "addr:C0:00:00:00:00:01") == FIRST
        assert readers(log, radio="import") == []


def test_a_name_that_is_none_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    with EventLog(tmp_path / "a.db") as log:
        run = log.start_run(radio="native")
        with pytest.raises(InvalidParameterError) as none:
            known_reader(log, FIRST)
        assert none.value.hint == "There is none."
        for number in range(NAMED + 2):
            run.append(Event(kind=Kind.READER_FOUND, t_us=1, reader=f"STRM261380000{number:02}"))
        log.flush()
        with pytest.raises(InvalidParameterError, match="there is no reader 'STRM26138000011 '") as meant:
            known_reader(log, "STRM26138000011 ")
        assert (meant.value.parameter, meant.value.value) == ("reader", "STRM26138000011 ")
        assert meant.value.hint.startswith("There are STRM26138000011, ")
        assert meant.value.hint.endswith(" and 2 more.")
        assert meant.value.hint.count("STRM") == NAMED
        with pytest.raises(InvalidParameterError):
            known_reader(log, "")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text())
def test_any_text_may_be_asked_for(log: EventLog, name: str) -> None:
    with pytest.raises(InvalidParameterError):
        known_reader(log, name)
