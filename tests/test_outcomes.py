"""What may wait for a simulated reader (U11): each outcome is what it says, and is taken back."""

import asyncio
import hashlib

import pytest
from stage import CHIPPER, M2, WISEPAD, stage, virtual

from terminal_kit.errors import InvalidParameterError, UpdateBatteryLowError, UpdateError, UpdateInterruptedError
from terminal_kit.events import UpdateComponent
from terminal_kit.image import is_older
from terminal_kit.reader import MINIMUM_BATTERY
from terminal_kit.simulator import ReaderModel
from terminal_kit.simulator.demo_key import DEMO_KEY
from terminal_kit.simulator.outcomes import OUTCOMES, simulate_update
from terminal_kit.view import View

NOW_US = 1_795_000_000_000_000
OLD = "2.01.01.00-SZZZ_Prod_US_v12-481001"
DAY_US = 24 * 3600 * 1_000_000


def waiting(outcome: str, serial: str = M2, *, seed: int = 0, **facts: object) -> ReaderModel:
    model = ReaderModel(serial, **facts)
    simulate_update(model, outcome, now_us=NOW_US, seed=seed)
    return model


# Whether it is required now, whether it begins with this battery, and whether the reader may be used without it.
@pytest.mark.parametrize(
    ("outcome", "is_required", "begins", "has_grace"),
    [
        ("available", False, True, True),
        ("required", True, True, False),
        ("required_for_offline", True, True, False),
        ("low_battery", True, False, False),
        ("low_battery_succeed_connect", True, False, True),
    ],
)
@pytest.mark.parametrize("battery", [0.1, 0.41, 0.9])
def test_u11_each_outcome_is_what_it_says_whatever_the_battery_was(outcome, is_required, begins, has_grace, battery):
    model = waiting(outcome, battery=battery)
    update = model.pending_update
    assert update is not None
    assert update.is_required(NOW_US) == is_required
    assert update.is_required(NOW_US + 7 * DAY_US)
    assert (model.battery > update.minimum_battery) == begins
    assert update.has_grace(NOW_US) == has_grace
    assert update.can_be_canceled


def test_an_optional_one_is_due_in_seven_days() -> None:
    update = waiting("available").pending_update
    assert update is not None
    assert update.required_at_us == NOW_US + 7 * DAY_US


def test_none_takes_away_what_waited() -> None:
    model = waiting("low_battery")
    simulate_update(model, "none", now_us=NOW_US)
    assert (model.pending_update, model.pending_images) == (None, ())
    assert model.battery > MINIMUM_BATTERY


@pytest.mark.parametrize("serial", [M2, WISEPAD, CHIPPER])
def test_the_images_are_newer_signed_for_this_device_type_and_data_comes_first(serial) -> None:
    model = waiting("required", serial, firmware="2.01.01.09-SZZZ_Prod_US_v99-481001")
    update = model.pending_update
    assert update is not None
    assert update.version == "2.01.01.10-SZZZ_Prod_US_v100-481001"
    assert update.components == UpdateComponent.FIRMWARE | UpdateComponent.CONFIG
    assert [part.component for part in update.parts] == [UpdateComponent.CONFIG, UpdateComponent.FIRMWARE]
    for part, image in zip(update.parts, model.pending_images, strict=True):
        image.check_signature(DEMO_KEY.public_key())
        assert image.device_types == (model.device_type,)
        assert (image.component, image.version_text) == (part.component, part.version)
        assert (part.size_bytes, part.sha256) == (len(image.data), hashlib.sha256(image.data).hexdigest())
    present = model.firmware.split("-")
    assert is_older(present[0], update.parts[1].version)
    assert is_older(present[1], update.parts[0].version)


def test_a_version_of_one_part_is_firmware_alone() -> None:
    update = waiting("required", firmware="2.01").pending_update
    assert update is not None
    assert (update.version, update.components) == ("2.02", UpdateComponent.FIRMWARE)


def test_the_same_again_has_the_same_images_so_that_an_upload_can_resume() -> None:
    first, second = (waiting("required", seed=seed).pending_images for seed in (1, 2))
    assert [image.digest for image in first] == [image.digest for image in second]
    other = waiting("required", firmware="2.01.01.07-SZZZ_Prod_US_v12-481001").pending_images
    assert other[1].digest != first[1].digest


def test_random_goes_by_seed_and_reader() -> None:
    def drawn(seed: int) -> tuple[object, ...]:
        model = waiting("random", seed=seed)
        return model.pending_update, model.battery

    assert drawn(3) == drawn(3)
    assert len({drawn(seed) for seed in range(60)}) == len(OUTCOMES) - 2  # two of the others are one here


def test_an_outcome_that_there_is_not_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match="no outcome 'requird'"):
        waiting("requird")


@virtual
async def test_as_a_fault_it_is_one_call_and_its_undo_takes_the_offer_away() -> None:
    async with stage() as on:
        model = on.air.readers[M2].model
        battery = model.battery
        for outcome in OUTCOMES:
            on.air.faults.start("update", M2, outcome=outcome)
        low = on.air.faults.start("update", M2, outcome="low_battery")
        assert on.air.faults.active == [low]
        assert model.battery < MINIMUM_BATTERY
        low.undo()
        assert (model.pending_update, model.pending_images, model.battery) == (None, (), battery)
        on.air.faults.start("update", M2, outcome="required")
        on.air.faults.start("update", M2, outcome="none")
        assert (on.air.faults.active, model.pending_update) == ([], None)
        with pytest.raises(InvalidParameterError) as caught:
            on.air.faults.start("update", M2, outcome="soon")
        assert "low_battery_succeed_connect" in caught.value.hint


@pytest.mark.parametrize("serial", [M2, WISEPAD, CHIPPER])
def test_u11_a_required_one_lasts_a_minute_of_the_readers_clock(serial) -> None:
    @virtual
    async def check() -> None:
        async with stage(readers=(serial,)) as on:
            views = [View()]
            on.terminal.subscribe(lambda event: views.append(views[-1].apply(event)))
            on.air.faults.start("update", serial, outcome="required")
            update = on.air.readers[serial].model.pending_update
            reader = await on.connect(serial)
            assert reader.firmware == update.version
            end = on.last("update_finished")
            assert 45 <= end.duration_s <= 75
            # What people see agrees with it, from the first byte to the last.
            shown = views[-1].update
            assert (shown.version, shown.error_code, shown.progress) == (update.version, None, 1.0)
            assert views[-1].reader.firmware == update.version
            assert any(view.update and view.update.left_s for view in views if view.status == "connecting")
            shares = [view.update.progress for view in views if view.update and view.update.is_running]
            assert shares == sorted(shares)

    check()


@virtual
async def test_u11_an_available_one_waits_until_somebody_wants_it() -> None:
    async with stage() as on:
        on.air.faults.start("update", M2, outcome="available")
        reader = await on.connect()
        assert reader.available_update is not None
        done = await on.terminal.install_available_update()
        assert done.firmware == reader.available_update.version


@virtual
async def test_u5_with_a_low_battery_the_connection_fails_or_has_its_grace() -> None:
    async with stage() as on:
        on.air.faults.start("update", M2, outcome="low_battery")
        with pytest.raises(UpdateBatteryLowError):
            await on.connect()
        on.air.faults.start("update", M2, outcome="low_battery_succeed_connect")
        reader = await on.connect()
        assert reader.firmware == OLD
        assert on.last("notice").error_code == UpdateBatteryLowError.code
        assert on.of("update_started") == []


@pytest.mark.parametrize(("fault", "error"), [("cut_power", UpdateInterruptedError), ("corrupt_chunk", UpdateError)])
def test_u10_power_and_damage_cut_an_update_off_and_the_next_connection_makes_it_good(fault, error) -> None:
    @virtual
    async def check() -> None:
        async with stage() as on:
            on.air.faults.start("update", M2, outcome="required")
            connecting = asyncio.ensure_future(on.connect())
            await asyncio.sleep(15)
            assert on.last("update_progress").stage == "uploading"
            on.air.faults.start(fault, M2)
            with pytest.raises(error):
                await connecting
            assert on.air.readers[M2].model.firmware == OLD
            assert (await on.connect()).firmware != OLD
            assert [event.error_code for event in on.of("update_finished")] == [error.code, None]

    check()
