"""The reader's firmware: the same life however its time is cut, and its own rules."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terminal_kit import profile
from terminal_kit.events import DisconnectReason
from terminal_kit.simulator.firmware import ReaderModel
from terminal_kit.simulator.gatt import AttributeFault, Leave, Notify, Vanish

M2 = "STRM26138003393"
PEER = "02:00:00:00:00:01"


def connected(**options: object) -> ReaderModel:
    """A reader with a host that listens to everything."""
    model = ReaderModel(M2, rng=random.Random(1), **options)
    model.link_opened(PEER)
    for uuid in (profile.NOTICE, profile.STATE, profile.BATTERY_LEVEL_STATUS):
        model.subscribe(uuid, True)
    return model


@given(st.lists(st.floats(0.01, 30_000), min_size=1, max_size=6))
@settings(max_examples=25, deadline=None)
def test_one_long_step_equals_many_short_ones(steps: list[float]) -> None:
    whole, parts = connected(battery=0.3), connected(battery=0.3)
    whole.advance(sum(steps))
    for step in steps:
        parts.advance(step)

    def life(model: ReaderModel) -> list[tuple[str, float]]:
        return [(type(output).__name__, round(output.at_s, 3)) for output in model.take_outputs()]

    assert life(whole) == life(parts)
    assert whole.battery == pytest.approx(parts.battery, abs=1e-6)


def test_it_says_goodbye_before_it_leaves() -> None:
    """X1."""
    model = connected()
    model.switch_off()
    model.advance(1)
    outputs = model.take_outputs()
    farewell = next(output for output in outputs if isinstance(output, Notify) and output.uuid == profile.NOTICE)
    leave = next(output for output in outputs if isinstance(output, Leave))
    assert outputs.index(farewell) < outputs.index(leave)
    assert (leave.reason, leave.hci_code) == (DisconnectReason.POWERED_OFF, 0x15)
    assert model.advertisement() is None


def test_a_battery_that_is_pulled_says_nothing() -> None:
    model = connected()
    model.switch_off(farewell=False)
    assert [type(output) for output in model.take_outputs()] == [Vanish]


def test_its_last_stop_is_readable_after_it_came_back() -> None:
    """X1."""
    model = connected()
    before = profile.LastStop.decode(model.read(profile.LAST_STOP, peer=PEER, encrypted=False))
    model.reboot()
    model.advance(1)
    model.link_closed(0x13)
    model.advance(60)
    assert model.advertisement() is not None
    after = profile.LastStop.decode(model.read(profile.LAST_STOP, peer=PEER, encrypted=False))
    assert (after.reason, after.boots, after.link_code) == (DisconnectReason.REBOOT_REQUESTED, before.boots + 1, 0x13)


@pytest.mark.parametrize(("serial", "restarts"), [(M2, True), ("WPC323105002323", True), ("CHB204909005931", False)])
def test_the_daily_restart_and_who_has_none(serial: str, restarts: bool) -> None:
    """R2."""
    model = ReaderModel(serial, charging=True)
    model.advance(25 * 3600)
    assert (model.uptime_s < 24 * 3600) is restarts


def test_a_requested_reboot_resets_the_daily_clock() -> None:
    """R2."""
    model = ReaderModel(M2, charging=True)
    model.advance(20 * 3600)
    model.reboot()
    model.advance(20 * 3600)
    assert model.uptime_s == pytest.approx(20 * 3600, abs=60)


def test_writing_needs_an_encrypted_link() -> None:
    """C8."""
    model = connected()
    with pytest.raises(AttributeFault) as caught:
        model.write(profile.REGISTRATION, b"tml_bar", peer=PEER, encrypted=False)
    assert caught.value.att_code == 0x05
    model.write(profile.REGISTRATION, b"tml_bar", peer=PEER, encrypted=True)
    assert model.location_id == "tml_bar"
    with pytest.raises(AttributeFault):
        model.write(profile.REGISTRATION, b"the bar", peer=PEER, encrypted=True)
    assert model.location_id == "tml_bar"


def test_a_flat_battery_does_not_start_until_it_is_charged() -> None:
    model = ReaderModel(M2, battery=0.03)
    model.drain(1.0)
    model.advance(3600)
    assert not model.is_on
    model.switch_on()
    assert not model.is_on
    model.set_charging(True)
    model.switch_on()
    model.advance(60)
    assert model.advertisement() is not None


def test_a_hung_firmware_notifies_nothing() -> None:
    model = connected()
    model.hang(True)
    model.advance(60)
    assert model.take_outputs() == []
