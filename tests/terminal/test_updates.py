"""Installing updates: required ones while connecting, optional ones on request, battery and grace (U)."""

import asyncio
from typing import Any

import pytest
from releases import DAY_US, NEW, OLD, image_of, offer
from stage import M2, stage, virtual
from updating import WHOLE, C, S, at, connected, required, told_once, until

from terminal_kit.errors import (
    UpdateBatteryLowError,
    UpdateError,
    UpdateInterruptedError,
    UpdateNotAvailableError,
)
from terminal_kit.events import Kind
from terminal_kit.updates.progress import UpdateStage

# ---- the good way


@virtual
async def test_a_required_update_is_installed_while_connecting() -> None:
    """U3, U4, U12."""
    async with stage() as on:
        required(on)
        connecting = asyncio.create_task(on.connect())
        await at(on, UpdateStage.UPLOADING)
        assert on.terminal.status is S.CONNECTING
        await at(on, UpdateStage.RESTARTING)
        assert on.terminal.status is S.CONNECTING
        reader = await connecting
        assert reader.firmware == WHOLE == on.air.readers[M2].model.firmware
        assert reader.available_update is None
        told_once(on)
        kinds = on.kinds()
        assert kinds.index(Kind.CONNECT_STARTED) < kinds.index(Kind.UPDATE_STARTED)
        assert kinds.index(Kind.UPDATE_FINISHED) < kinds.index(Kind.CONNECT_SUCCEEDED)
        assert not {Kind.LINK_DISCONNECTED, Kind.DISCONNECTED, Kind.RECONNECT_STARTED} & set(kinds)
        assert Kind.RECONNECT_ATTEMPTED not in kinds
        start, end = on.last(Kind.UPDATE_STARTED), on.last(Kind.UPDATE_FINISHED)
        assert (start.firmware_from, start.firmware_to, start.components) == (OLD, WHOLE, 6)
        assert start.extra is not None
        assert start.extra["required"] is True
        assert end.error_code is None
        assert end.sent_bytes == end.total_bytes == start.total_bytes


@virtual
async def test_an_optional_update_is_reported_and_installed_on_request() -> None:
    """U7, U12: the reader stays connected; its restart is no disconnect."""
    async with connected() as on:
        await until(lambda: Kind.UPDATE_AVAILABLE in on.kinds())
        reader = on.terminal.connected_reader
        assert reader is not None
        assert reader.available_update is not None
        assert reader.available_update.version == WHOLE
        fractions: list[float] = []
        async for step in on.terminal.install_available_update():
            fractions.append(step.fraction)
            assert on.terminal.status is S.CONNECTED
        assert fractions == sorted(fractions)
        assert fractions[-1] == 1
        assert on.terminal.connected_reader is not None
        assert on.terminal.connected_reader.firmware == WHOLE
        assert on.terminal.connected_reader.available_update is None
        told_once(on)
        await asyncio.sleep(3600)
        assert on.terminal.status is S.CONNECTED
        assert not {Kind.LINK_DISCONNECTED, Kind.RECONNECT_STARTED} & set(on.kinds())
        assert on.of("signal")[-1].t_us > on.last(Kind.UPDATE_FINISHED).t_us  # it is attended again
        await on.terminal.disconnect_reader()


@virtual
async def test_an_optional_one_that_was_put_off_too_long_is_required_at_the_next_connection() -> None:
    """U8."""
    async with stage() as on:
        model = on.air.readers[M2].model
        offer(model, C.CONFIG, required_at_us=on.air.utc_us() + 7 * DAY_US)
        reader = await on.connect()
        assert reader.available_update is not None
        await asyncio.sleep(1)
        told = on.last(Kind.UPDATE_AVAILABLE)
        assert (told.components, told.required_at_us) == (4, reader.available_update.required_at_us)
        await on.terminal.disconnect_reader()
        assert (await on.connect()).firmware == OLD  # not due yet
        await on.terminal.disconnect_reader()
        await asyncio.sleep(8 * 86400)
        with on.air.readers[M2].handled():
            model.set_battery(0.9)
            model.switch_on()
        await asyncio.sleep(30)
        assert NEW[C.CONFIG] in (await on.connect()).firmware
        told_once(on)


@virtual
async def test_it_can_be_awaited_too_and_gives_the_reader() -> None:
    async with connected(C.KEYS) as on:
        reader = await on.terminal.install_available_update()
        assert reader.firmware is not None
        assert reader.firmware.endswith(NEW[C.KEYS])


@virtual
async def test_without_an_update_that_is_said_at_once() -> None:
    """U7."""
    async with stage() as on:
        await on.connect()
        before_s = asyncio.get_running_loop().time()
        with pytest.raises(UpdateNotAvailableError):
            await on.terminal.install_available_update()
        assert asyncio.get_running_loop().time() == before_s
        assert Kind.UPDATE_STARTED not in on.kinds()


@virtual
async def test_images_in_ones_hand_are_installed_without_a_feed() -> None:
    async with stage() as on:
        await on.connect()
        reader = await on.terminal.install_images(image_of(C.FIRMWARE), image_of(C.CONFIG))
        assert reader.firmware == WHOLE
        told_once(on)


@pytest.mark.parametrize(
    ("image", "fault"),
    [
        (lambda: image_of(C.FIRMWARE, version="2.00.00.00"), "downgrade"),
        (lambda: image_of(C.FIRMWARE, device_types=("wisepad_3",)), "device_type"),
    ],
)
def test_an_image_that_is_not_for_this_reader_is_refused_before_a_byte(image: Any, fault: str) -> None:
    """U13."""

    @virtual
    async def check() -> None:
        async with stage() as on:
            await on.connect()
            with pytest.raises(UpdateError) as refused:
                on.terminal.install_images(image())
            assert refused.value.fault == fault
            assert refused.value.code == "READER_SOFTWARE_UPDATE_FAILED"
            assert Kind.UPDATE_STARTED not in on.kinds()

    check()


# ---- the battery


@virtual
async def test_no_update_starts_at_half_a_battery_even_on_the_charger() -> None:
    """U2."""
    async with connected() as on:
        model = on.air.readers[M2].model
        for charging in (False, True):
            with on.air.readers[M2].handled():
                model.set_charging(charging)
                model.set_battery(0.5)
            await until(lambda: on.terminal.connected_reader.battery == 0.5)
            with pytest.raises(UpdateBatteryLowError) as low:
                await on.terminal.install_available_update()
            assert (low.value.battery, low.value.needed) == (0.5, 0.5)
        assert not {Kind.UPDATE_STARTED, Kind.UPDATE_FINISHED} & set(on.kinds())
        assert model.firmware == OLD
        with on.air.readers[M2].handled():
            model.set_battery(0.52)
        await until(lambda: on.terminal.connected_reader.battery == 0.52)
        await on.terminal.install_available_update()


@virtual
async def test_one_that_has_begun_goes_on_below_half_and_ends_at_critical() -> None:
    """U2."""
    for level, goes_on in ((0.3, True), (0.04, False)):
        async with connected() as on:
            reader = on.air.readers[M2]
            reader.model.slow(1.0)
            installing = asyncio.ensure_future(on.terminal.install_available_update()._awaited())
            await at(on, UpdateStage.UPLOADING)
            with reader.handled() as model:
                model.set_battery(level)
            if goes_on:
                await installing
            else:
                with pytest.raises(UpdateInterruptedError, match="battery"):
                    await installing
            told_once(on)


# ---- grace


@pytest.mark.parametrize(("days", "connects"), [(29, True), (31, False), (None, False)])
def test_thirty_days_of_grace(days: int | None, connects: bool) -> None:
    """U5: a failed update keeps nobody from a reader whose version was the newest lately."""

    @virtual
    async def check() -> None:
        async with stage() as on:
            model = on.air.readers[M2].model
            model.set_battery(0.4)
            since_us = None if days is None else on.air.utc_us() - days * DAY_US
            required(on, superseded_at_us=since_us)
            if not connects:
                with pytest.raises(UpdateBatteryLowError):
                    await on.connect()
                assert on.last(Kind.CONNECT_FAILED).error_code == UpdateBatteryLowError.code
                return
            reader = await on.connect()
            assert reader.firmware == OLD
            failed = next(notice for notice in on.of(Kind.NOTICE) if notice.stage == "update_failed")
            assert failed.error_code == UpdateBatteryLowError.code
            await on.terminal.disconnect_reader()
            with on.air.readers[M2].handled():
                model.set_battery(0.9)
            assert (await on.connect()).firmware == WHOLE  # tried again at the next connection

    check()
