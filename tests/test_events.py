"""The event and its columns are one table."""

from dataclasses import fields

from terminal_kit.events import COLUMNS, URGENT_KINDS, Event, Kind


def test_the_columns_are_the_fields() -> None:
    assert {column.name for column in COLUMNS} == {field.name for field in fields(Event)}


def test_every_column_has_a_meaning_and_units_where_it_measures() -> None:
    for column in COLUMNS:
        assert column.meaning
        for suffix, word in (("_dbm", "dBm"), ("_us", ""), ("_s", ""), ("_bytes", "bytes"), ("_ms", "milliseconds")):
            if column.name.endswith(suffix):
                assert word in column.meaning


def test_disconnects_and_updates_are_committed_at_once() -> None:
    assert {Kind.LINK_DISCONNECTED, Kind.DISCONNECTED, Kind.UPDATE_STARTED, Kind.UPDATE_FINISHED} <= URGENT_KINDS
