"""The reader's firmware: the same life however its time is cut, and its own rules."""

import random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from smp.image_management import ImageEraseRequest, ImageUploadWriteRequest
from smp_host import Host, image

from terminal_kit import profile
from terminal_kit.events import DisconnectReason, UpdateComponent
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


# ---- updates

OLD = "2.01.01.00-SZZZ_Prod_US_v12-481001"
FIRMWARE = image("2.02.00.00")
CONFIG = image("SZZZ_Prod_US_v13", component=UpdateComponent.CONFIG)
KEYS = image("481002", component=UpdateComponent.KEYS)
INCREMENTAL = image("2.01.02.00", component=UpdateComponent.INCREMENTAL)


def test_its_version_is_what_its_images_say() -> None:
    model = ReaderModel(M2)
    host = Host(model)
    assert model.firmware == OLD
    host.install((0, FIRMWARE), (1, CONFIG), (2, KEYS))
    assert model.firmware == "2.02.00.00-SZZZ_Prod_US_v13-481002"
    assert model.read(profile.SOFTWARE_REVISION, peer=PEER, encrypted=False).decode() == model.firmware
    assert model.read(profile.FIRMWARE_REVISION, peer=PEER, encrypted=False) == b"2.02.00.00"


def test_an_incremental_update_raises_the_firmwares_version() -> None:
    host = Host(ReaderModel(M2))
    host.install((3, INCREMENTAL))
    assert host.model.firmware == "2.01.02.00-SZZZ_Prod_US_v12-481001"
    host.install((0, FIRMWARE))
    assert host.model.firmware.startswith("2.02.00.00-")


def test_a_reader_that_is_never_updated_has_no_flash() -> None:
    model = ReaderModel(M2)
    model.reboot()
    model.advance(60)
    assert model._software._made is None


def test_what_is_not_confirmed_is_gone_after_the_next_restart() -> None:
    """U10."""
    host = Host(ReaderModel(M2))
    host.upload(FIRMWARE.data)
    host.mark(FIRMWARE.digest)
    host.restart()
    assert host.model.firmware.startswith("2.02.00.00-")
    host.restart()
    assert host.model.firmware == OLD


@pytest.mark.parametrize(
    "refused",
    [image("2.02.00.00", key=None), image("2.02.00.00", key=Ed25519PrivateKey.generate()), image("2.01.00.99")],
    ids=["unsigned", "another key", "downgrade"],
)
def test_it_does_not_start_what_it_must_not(refused) -> None:
    """U13."""
    host = Host(ReaderModel(M2))
    host.upload(refused.data)
    host.mark(refused.digest)
    host.restart()
    assert host.model.firmware == OLD
    assert len(host.images()) == 4


def test_it_trusts_the_key_that_it_was_given() -> None:
    mine = Ed25519PrivateKey.generate()
    host = Host(ReaderModel(M2, trusted_key=mine.public_key()))
    for new, starts in ((FIRMWARE, False), (image("2.03.00.00", key=mine), True)):
        host.upload(new.data)
        host.mark(new.digest)
        host.restart()
        assert host.model.firmware.startswith(new.version_text) is starts


def test_another_regions_configuration_is_no_downgrade() -> None:
    host = Host(ReaderModel(M2))
    host.install((1, image("SZZZ_Prod_EU_v03", component=UpdateComponent.CONFIG)))
    assert host.model.firmware == "2.01.01.00-SZZZ_Prod_EU_v03-481001"


def restarts_in_s(host: Host) -> float:
    """How long a restart takes, until it advertises again."""
    host.model.link_closed(0x13)
    host.model.advance(0.0)
    host.model.cut_power()
    waited_s = 0.0
    while host.model.advertisement() is None:
        waited_s += (step_s := host.model.next_deadline_s())
        host.model.advance(step_s)
    host.connect()
    return waited_s


def test_a_start_takes_longer_while_images_are_swapped() -> None:
    host = Host(ReaderModel(M2, flash_bytes_per_s=10_000))
    plain_s = restarts_in_s(host)
    host.upload(FIRMWARE.data)
    host.mark(FIRMWARE.digest)
    swapped = 3 * 2 * 2 * 4096 + 2 * 7 * 4096  # both sectors of the image thrice erased and written, and two trailers
    assert restarts_in_s(host) - plain_s == pytest.approx(swapped / 10_000, abs=2.0)


def test_a_brown_out_says_nothing_and_it_comes_back() -> None:
    model = connected()
    model.cut_power()
    assert [type(output) for output in model.take_outputs()] == [Vanish]
    model.link_closed(0x08)
    model.advance(15)
    assert model.advertisement() is not None
    last = profile.LastStop.decode(model.read(profile.LAST_STOP, peer=PEER, encrypted=False))
    assert (last.reason, last.boots, last.link_code) == (DisconnectReason.UNKNOWN, 2, 0x08)


@pytest.mark.parametrize("size", range(0, 6000, 500))
def test_power_that_fails_during_an_upload_takes_the_reader_down_for_a_moment(size: int) -> None:
    """U10."""
    host = Host(ReaderModel(M2))
    host.ask(ImageEraseRequest())
    host.model.flash.cut_after(size)
    data, sent = FIRMWARE.data, 0
    while sent < len(data) and not any(isinstance(each, Vanish) for each in host.heard):
        first = {"len": len(data)} if sent == 0 else {}
        host.send(bytes(ImageUploadWriteRequest(off=sent, data=data[sent : sent + 700], **first)))
        sent += 700
        host.frames(within_s=2.0)
    assert any(isinstance(each, Vanish) for each in host.heard) is (size < len(data))
    host.come_back()
    assert host.model.firmware == OLD
    host.install((0, FIRMWARE))
    assert host.model.firmware.startswith("2.02.00.00-")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
@pytest.mark.parametrize("how", ["power", "switch", "flash"])
def test_power_that_fails_during_a_swap_only_delays_it(share: float, how: str) -> None:
    """U10: by a brown-out, by the switch, or in the middle of a write."""
    host = Host(ReaderModel(M2, flash_bytes_per_s=10_000))
    host.upload(FIRMWARE.data)
    host.upload(CONFIG.data, 1)
    for new in (FIRMWARE, CONFIG):
        host.mark(new.digest)
    swap_bytes = 2 * (3 * 2 * 2 * 4096 + 2 * 7 * 4096)
    model = host.model
    if how == "flash":
        model.flash.cut_after(int(swap_bytes * share))
    model.cut_power()
    boots = model._boots
    model.advance(share * swap_bytes / 10_000)
    if how == "power":
        model.cut_power()
    elif how == "switch":
        model.switch_off()
        model.advance(1.0)
        model.switch_on()
    host.come_back()
    assert model._boots == boots + 1
    assert model.firmware == "2.02.00.00-SZZZ_Prod_US_v13-481001"
    for new in (FIRMWARE, CONFIG):
        assert "images" in host.mark(new.digest, confirm=True)


def test_power_that_fails_again_and_again_during_a_swap_only_delays_it() -> None:
    """U10."""
    host = Host(ReaderModel(M2, flash_bytes_per_s=10_000))
    host.upload(FIRMWARE.data)
    host.mark(FIRMWARE.digest)
    for _ in range(20):
        host.model.cut_power()
        host.model.advance(1.0)
    host.come_back()
    assert host.model.firmware.startswith("2.02.00.00-")


def test_it_stays_awake_for_an_update() -> None:
    """C5, R3."""
    host = Host(ReaderModel(M2, battery=1.0))
    host.upload(FIRMWARE.data)
    host.mark(FIRMWARE.digest)
    host.restart()
    host.model.link_closed(0x13)
    host.model.advance(11 * 3600)
    assert host.model.uptime_s > 10 * 3600
    state = profile.ReaderState.decode(host.model.read(profile.STATE, peer=PEER, encrypted=False))
    assert profile.StateFlag.STANDBY not in state.flags
    host.connect()
    host.mark(None, confirm=True)
    host.model.link_closed(0x13)
    host.model.advance(11 * 3600)
    assert not host.model.is_on


BAD = image("2.09.00.00", key=None)
SETS = st.lists(st.sampled_from([(0, FIRMWARE), (1, CONFIG), (3, INCREMENTAL), (0, BAD)]), min_size=1, max_size=2)
STEPS = st.one_of(
    st.tuples(st.just("upload"), SETS),
    st.tuples(st.just("test"), SETS),
    st.tuples(st.just("confirm"), SETS),
    st.tuples(st.just("corrupt"), st.integers(1, 2)),
    st.tuples(st.just("erase"), st.sampled_from([1, 3, 7])),
    st.tuples(st.just("reset"), st.none()),
    st.tuples(st.just("brown-out"), st.floats(0.0, 30.0)),
    st.tuples(st.just("cut"), st.integers(0, 6_000) | st.integers(0, 300_000)),
)


@given(st.lists(STEPS, max_size=12), st.sampled_from([None, 20_000.0]))
@settings(max_examples=100, deadline=None)
def test_whatever_is_done_to_it_it_starts_again(steps: list[tuple[str, object]], speed: float | None) -> None:
    """U10: uploads, marks, restarts and power cuts in any order."""
    host = Host(ReaderModel(M2, flash_bytes_per_s=speed))
    model = host.model
    for name, fact in steps:
        try:
            match name:
                case "upload" | "test":
                    for number, new in fact:
                        host.upload(new.data, number)
                        if name == "test":
                            host.mark(new.digest)
                case "confirm":
                    for _, new in fact:
                        host.mark(new.digest, confirm=True)
                case "corrupt":
                    model.corrupt_next_chunk = fact
                case "erase":
                    host.ask(ImageEraseRequest(slot=fact))
                case "reset":
                    host.restart()
                case "brown-out":
                    model.cut_power()
                    model.advance(fact)
                    model.cut_power()
                    host.come_back()
                case "cut":
                    model.flash.cut_after(fact)
        except ValueError:  # no answer: the power failed
            host.come_back()
    model.cut_power()
    host.come_back()
    firmware, config, keys = model.firmware.split("-")
    assert firmware in ("2.01.01.00", "2.01.02.00", "2.02.00.00")
    assert config in ("SZZZ_Prod_US_v12", "SZZZ_Prod_US_v13")
    assert keys == "481001"
    model.flash.cut_after(None)
    host.mark(None, confirm=True)
    host.restart()
    assert {entry["image"] for entry in host.images() if "active" in entry} == {0, 1, 2, 3}
