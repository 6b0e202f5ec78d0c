"""What is remembered between runs (C7, L1)."""

from pathlib import Path

import pytest

from terminal_kit.errors import DataError, InvalidParameterError
from terminal_kit.memory import ONLINE_COUNTS_US, Bonds, Locations, Memory, StoredReader
from terminal_kit.reader import check_location_id


def stored(serial: str, online_us: int | None = None, location_id: str = "tml_bar") -> StoredReader:
    return StoredReader(serial=serial, location_id=location_id, device_type="stripe_m2", online_us=online_us)


def test_the_last_connected_comes_first_and_survives(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "deep" / "state.json")
    for serial in ("A", "B", "A"):
        memory.remember(stored(serial))
    assert [reader.serial for reader in Memory(memory.path).readers()] == ["A", "B"]


def test_trainees_do_not_share_it() -> None:
    assert Memory.of_user("anna").path != Memory.of_user("ben").path != Memory.of_user().path


def test_thirty_days_of_grace_offline() -> None:
    """E, 2870–2873."""
    memory = Memory()
    memory.remember(stored("A", online_us=1000))
    assert memory.connected_online(1000 + ONLINE_COUNTS_US, location_id="tml_bar", serial="A")
    assert not memory.connected_online(1001 + ONLINE_COUNTS_US, location_id="tml_bar", serial="A")
    assert not memory.connected_online(1000, location_id="tml_desk", serial="A")
    assert memory.connected_online(1000, location_id="tml_bar", device_type="stripe_m2")


def test_connecting_offline_does_not_renew_the_grace() -> None:
    memory = Memory()
    memory.remember(stored("A", online_us=1000))
    memory.remember(stored("A", online_us=None))
    assert memory.readers()[0].online_us == 1000


def test_a_broken_file_is_told_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text("{")
    with pytest.raises(DataError, match="does not hold"):
        Memory(path)
    assert path.read_text() == "{"


def test_locations_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "locations.toml"
    path.write_text(
        '[[location]]\nid = "tml_bar"\nname = "Bar"\ntime_zone = "Europe/Berlin"\n[labels]\nSTRM2 = "Till"\n'
    )
    places = Locations(path)
    assert places.find("tml_bar").time_zone == "Europe/Berlin"
    assert places.labels == {"STRM2": "Till"}


BAD_PLACES = [
    "[[location]]\nid = 'tml_bar'\nname = 5",
    "[[location]]\nid = 'tml_bar'\nname = 'Bar'\ntime_zone = 'Mars/Base'",
]


@pytest.mark.parametrize(
    "text", ["[[location]]\nid = 'bar'\nname = 'x'", "location = 3", "[[location]]\nsize = 1", "=", *BAD_PLACES]
)
def test_a_file_that_is_no_list_of_locations(tmp_path: Path, text: str) -> None:
    path = tmp_path / "locations.toml"
    path.write_text(text)
    with pytest.raises(DataError, match="not a list of locations"):
        Locations(path)


@pytest.mark.parametrize("bad", [None, "", "bar", "tml_", "tml_ä", "tml_a b", "tml_" + "x" * 61])
def test_a_location_id_is_checked_before_any_radio_work(bad: str | None) -> None:
    """C1."""
    with pytest.raises(InvalidParameterError) as caught:
        check_location_id(bad)
    assert caught.value.parameter == "location_id"


def test_two_sessions_do_not_overwrite_each_other(tmp_path: Path) -> None:
    """C7."""
    one, other = Memory(tmp_path / "state.json"), Memory(tmp_path / "state.json")
    one.remember(stored("A"))
    other.remember(stored("B"))
    assert [reader.serial for reader in Memory(one.path).readers()] == ["B", "A"]
    one.forget("B")
    assert [reader.serial for reader in Memory(one.path).readers()] == ["A"]


@pytest.mark.parametrize("reader", ['{"serial": 1}', '{"serial": "A", "location_id": 2, "device_type": "x"}', "3"])
def test_a_file_with_other_types_is_told(tmp_path: Path, reader: str) -> None:
    path = tmp_path / "state.json"
    path.write_text(f'{{"readers": [{reader}]}}')
    with pytest.raises(DataError):
        Memory(path)


@pytest.mark.parametrize("trainee", ["../..", "", "a/b", ".", "x" * 65])
def test_a_trainee_is_a_name_and_no_path(trainee: str) -> None:
    with pytest.raises(InvalidParameterError):
        Memory.of_user(trainee)


def test_the_kits_own_pairings(tmp_path: Path) -> None:
    """D6."""
    bonds, other = Bonds(tmp_path / "bonds.json"), Bonds(tmp_path / "bonds.json")
    bonds.add("C0:00:00:00:00:01")
    other.add("C0:00:00:00:00:02")
    bonds.discard("C0:00:00:00:00:01")
    assert "C0:00:00:00:00:02" in Bonds(bonds.path)
    assert "C0:00:00:00:00:01" not in Bonds(bonds.path)
    bonds.path.write_text("{")
    with pytest.raises(DataError):
        Bonds(bonds.path)


def test_a_file_without_locations_leaves_the_demonstrations(tmp_path: Path) -> None:
    """L1: a label beside no location."""
    path = tmp_path / "locations.toml"
    path.write_text('[labels]\nSTRM2 = "Till"\n')
    places = Locations(path)
    assert places.find("tml_front_desk")
    assert places.labels == {"STRM2": "Till"}


def test_an_edited_file_is_read_again(tmp_path: Path) -> None:
    """L1: the command edits it while a bench is open."""
    path = tmp_path / "locations.toml"
    places = Locations(path)
    path.write_text('[[location]]\nid = "tml_bar"\nname = "Bar"\n')
    places.refresh()
    assert [place.id for place in places.list_locations()] == ["tml_bar"]
