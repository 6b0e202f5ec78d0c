"""Installing updates: required ones while connecting, optional ones on request, and everything that cuts them off (U)."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from releases import DAY_US, NEW, OLD, image_of, offer
from stage import M2, Stage, stage, virtual

from terminal_kit.errors import (
    BusyError,
    CanceledError,
    CancelFailedError,
    LinkLostError,
    TerminalError,
    UpdateBatteryLowError,
    UpdateError,
    UpdateInterruptedError,
    UpdateNotAvailableError,
    UpdateReaderError,
    UpdateRequiredError,
    UpdateServerError,
)
from terminal_kit.events import ConnectionStatus, DisconnectReason, Kind, UpdateComponent
from terminal_kit.terminal import Terminal
from terminal_kit.updates.progress import UpdateStage

S = ConnectionStatus
C = UpdateComponent
WHOLE = f"{NEW[C.FIRMWARE]}-{NEW[C.CONFIG]}-481001"


def required(on: Stage, *components: UpdateComponent, **facts: Any) -> None:
    offer(on.air.readers[M2].model, *components, required_at_us=on.air.utc_us(), **facts)


@asynccontextmanager
async def connected(*components: UpdateComponent, **facts: Any) -> AsyncGenerator[Stage]:
    """A stage with a connected reader for which an optional update waits."""
    async with stage() as on:
        offer(on.air.readers[M2].model, *components, **facts)
        await on.connect()
        yield on


def told_once(on: Stage, attempts: int = 1) -> None:
    """Every attempt has one start and one finish, in this order, and its progress only grows (U4)."""
    starts, ends = on.of(Kind.UPDATE_STARTED), on.of(Kind.UPDATE_FINISHED)
    assert len(starts) == len(ends) == attempts
    assert [start.attempt_id for start in starts] == [end.attempt_id for end in ends]
    for start, end in zip(starts, ends, strict=True):
        steps = [event for event in on.of(Kind.UPDATE_PROGRESS) if event.attempt_id == start.attempt_id]
        fractions = [step.progress for step in steps]
        assert fractions == sorted(fractions)
        assert on.events.index(start) < on.events.index(end)
        assert all(on.events.index(start) < on.events.index(step) < on.events.index(end) for step in steps)
        assert (fractions[-1] == 1) == (end.error_code is None)


async def until(condition: Callable[[], bool], within_s: float = 600.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - of the model as much as of the terminal
            await asyncio.sleep(0.02)


async def at(on: Stage, stage: UpdateStage, *, sent_bytes: int = 0) -> None:
    """Waits until the installation is there."""
    await until(
        lambda: any(
            step.stage == stage and (step.sent_bytes or 0) >= sent_bytes for step in on.of(Kind.UPDATE_PROGRESS)[-1:]
        )
    )


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


# ---- canceling


@pytest.mark.parametrize("stage_", [UpdateStage.CHECKING, UpdateStage.UPLOADING])
@pytest.mark.parametrize("grace", [False, True])
def test_canceling_a_required_update_fails_the_connection(stage_: UpdateStage, grace: bool) -> None:
    """U6; a cancel never gets the grace (U5)."""

    @virtual
    async def check() -> None:
        async with stage() as on:
            required(on, superseded_at_us=on.air.utc_us() if grace else None)
            connecting = asyncio.create_task(on.connect())
            await at(on, stage_)
            await on.terminal.cancel_installing_update()
            with pytest.raises(UpdateRequiredError) as failed:
                await connecting
            assert failed.value.code == "UNSUPPORTED_READER_VERSION"
            assert on.terminal.status is S.NOT_CONNECTED
            assert on.last(Kind.UPDATE_FINISHED).error_code == "CANCELED"
            told_once(on)
            assert (await on.connect()).firmware == WHOLE

    check()


@pytest.mark.parametrize("stage_", [UpdateStage.CHECKING, UpdateStage.UPLOADING])
def test_canceling_an_optional_update_keeps_the_connection(stage_: UpdateStage) -> None:
    @virtual
    async def check() -> None:
        async with connected() as on:
            installing = on.terminal.install_available_update()
            await at(on, stage_)
            await on.terminal.cancel_installing_update()
            with pytest.raises(CanceledError):
                await installing
            assert on.terminal.status is S.CONNECTED
            told_once(on)
            with pytest.raises(CancelFailedError):
                await on.terminal.cancel_installing_update()
            await on.terminal.install_available_update()
            assert on.air.readers[M2].model.firmware == WHOLE

    check()


@pytest.mark.parametrize("stage_", [UpdateStage.RESTARTING, UpdateStage.CONFIRMING])
def test_a_restart_into_the_new_software_cannot_be_taken_back(stage_: UpdateStage) -> None:
    @virtual
    async def check() -> None:
        async with connected() as on:
            installing = on.terminal.install_available_update()
            await at(on, stage_)
            with pytest.raises(CancelFailedError, match="restarting"):
                await on.terminal.cancel_installing_update()
            await installing
            told_once(on)

    check()


@virtual
async def test_an_incremental_update_cannot_be_canceled() -> None:
    """U6."""
    async with stage() as on:
        required(on, C.INCREMENTAL)
        connecting = asyncio.create_task(on.connect())
        await at(on, UpdateStage.UPLOADING)
        for cancel in (on.terminal.cancel_installing_update, on.terminal.cancel_connecting):
            with pytest.raises(CancelFailedError, match="incremental"):
                await cancel()
        reader = await connecting
        assert reader.firmware == f"{NEW[C.INCREMENTAL]}-SZZZ_Prod_US_v12-481001"
        told_once(on)


@virtual
async def test_who_stops_waiting_for_it_cancels_it() -> None:
    async with connected() as on:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await on.terminal.install_available_update()
        await until(lambda: on.terminal.installation is None)
        told_once(on)
        assert on.terminal.status is S.CONNECTED


# ---- others meanwhile


@virtual
async def test_one_thing_at_a_time_and_nothing_breaks_it_off_unforced() -> None:
    """C3, U9."""
    async with connected() as on:
        installing = on.terminal.install_available_update()
        await at(on, UpdateStage.UPLOADING)
        for refused in (
            on.terminal.install_available_update,
            on.terminal.disconnect_reader,
            on.terminal.reboot_reader,
            on.terminal.close,
            on.terminal.discover_readers,
        ):
            with pytest.raises(TerminalError) as error:
                await refused()
            assert error.value.code in ("READER_BUSY", "ALREADY_CONNECTED_TO_READER")
        with pytest.raises(BusyError, match="update") as busy:
            await on.terminal.disconnect_reader()
        assert "force" in busy.value.hint
        await installing


@pytest.mark.parametrize("verb", ["disconnect_reader", "close"])
@pytest.mark.parametrize("stage_", [UpdateStage.CHECKING, UpdateStage.UPLOADING, UpdateStage.RESTARTING])
def test_who_insists_breaks_it_off(verb: str, stage_: UpdateStage) -> None:
    @virtual
    async def check() -> None:
        async with connected() as on:
            installing = on.terminal.install_available_update()
            await at(on, stage_)
            await getattr(on.terminal, verb)(force=True)
            with pytest.raises(TerminalError):
                await installing
            assert on.terminal.status is S.NOT_CONNECTED
            told_once(on)
            assert on.last(Kind.UPDATE_FINISHED).error_code == "CANCELED"
            await asyncio.sleep(60)
            again = Terminal(on.radio, sink=on.events.append, name="again")
            async with again:
                on.air.readers[M2].model.pending_update = None
                await again.easy_connect("tml_front_desk", serial=M2)
                offer(on.air.readers[M2].model)
                await again.install_images(image_of(C.CONFIG), image_of(C.FIRMWARE))
                assert on.air.readers[M2].model.firmware == WHOLE

    check()


# ---- what cuts it off


CUTS: dict[str, Callable[[Stage], object]] = {
    "walk away": lambda on: on.air.faults.start("walk_away", M2, to_m=5000.0, speed_m_s=1000.0),
    "power cut": lambda on: on.air.readers[M2].handled().__enter__().switch_off(farewell=False),
    "switch off": lambda on: on.air.faults.start("switch_off", M2),
    "link ended": lambda on: on.air.readers[M2].link.end(0x13),
    "bluetooth off": lambda on: on.air.faults.start("bluetooth_off"),
    "internet": lambda on: on.air.faults.start("cut_internet"),
    "hang": lambda on: on.air.faults.start("hang", M2),
    "stolen": lambda on: on.air.faults.start("steal", M2),
}


@pytest.mark.parametrize("name", CUTS)
def test_whatever_cuts_it_off_the_next_connection_finishes_it(name: str) -> None:
    """U10, X7."""

    @virtual
    async def check() -> None:
        async with stage() as on:
            required(on)
            on.air.readers[M2].model.slow(0.5)
            on.air.host.internet_grace_s = 1.0
            connecting = asyncio.create_task(on.connect())
            await at(on, UpdateStage.UPLOADING, sent_bytes=3000)
            CUTS[name](on)
            with pytest.raises(UpdateInterruptedError) as cut:
                await connecting
            assert cut.value.code == "READER_SOFTWARE_UPDATE_FAILED_INTERRUPTED"
            assert cut.value.stage == UpdateStage.UPLOADING
            assert cut.value.__cause__ is not None
            assert on.terminal.status is S.NOT_CONNECTED
            told_once(on)
            for fault in list(on.air.faults.active):
                fault.undo()
            with on.air.readers[M2].handled() as model:
                model.slow(0.0)
                model.switch_on()
            await asyncio.sleep(30)
            assert on.air.readers[M2].model.firmware == OLD
            assert (await on.connect()).firmware == WHOLE
            told_once(on, attempts=2)

    check()


@virtual
async def test_after_a_cut_only_the_rest_is_sent() -> None:
    """U10: the reader's answer to the first chunk says where to go on."""
    async with stage() as on:
        required(on, C.FIRMWARE)
        on.air.readers[M2].model.slow(0.3)
        connecting = asyncio.create_task(on.connect())
        await at(on, UpdateStage.UPLOADING, sent_bytes=5000)
        on.air.readers[M2].link.end(0x08)
        with pytest.raises(UpdateInterruptedError):
            await connecting
        had = on.last(Kind.UPDATE_FINISHED).sent_bytes
        begun = len(on.events)
        await on.connect()
        later = [event for event in on.events[begun:] if event.kind == Kind.UPDATE_PROGRESS and event.sent_bytes]
        assert later[0].sent_bytes >= had >= 5000


@virtual
async def test_what_was_half_sent_goes_on_before_what_is_sent_again() -> None:
    """U10: a reader keeps one upload that was cut off, and forgets it for another one."""
    async with stage() as on:
        images = (image_of(C.CONFIG, size_bytes=3000), image_of(C.FIRMWARE, size_bytes=40_000))
        required(on, C.CONFIG, C.FIRMWARE, images=images)
        on.air.readers[M2].model.slow(0.3)
        connecting = asyncio.create_task(on.connect())
        await at(on, UpdateStage.UPLOADING, sent_bytes=25_000)
        on.air.readers[M2].link.end(0x08)
        with pytest.raises(UpdateInterruptedError):
            await connecting
        begun = len(on.events)
        assert (await on.connect()).firmware == WHOLE
        later = [event for event in on.events[begun:] if event.kind == Kind.UPDATE_PROGRESS and event.sent_bytes]
        assert later[0].extra is not None
        assert later[0].extra["component"] == "firmware"
        assert later[0].sent_bytes >= 20_000


@pytest.mark.parametrize("waiting", [False, True])
def test_new_software_that_nobody_confirmed_is_confirmed_by_the_next_connection(waiting: bool) -> None:
    """U10: whoever connects next, and whether or not another update waits."""

    @virtual
    async def check() -> None:
        async with stage() as on:
            required(on)
            connecting = asyncio.create_task(on.connect())
            await at(on, UpdateStage.RESTARTING)
            await until(lambda: on.air.readers[M2].link is None)
            connecting.cancel()
            await asyncio.wait({connecting})
            await asyncio.sleep(60)
            model = on.air.readers[M2].model
            assert model.firmware == WHOLE
            assert model._software.is_on_trial
            model.pending_update = None
            if waiting:
                offer(model, C.KEYS)
            async with Terminal(on.radio, name="another", sink=on.events.append) as another:
                await another.easy_connect("tml_front_desk", serial=M2)
            assert not model._software.is_on_trial
            ends = on.of(Kind.UPDATE_FINISHED)
            assert [end.error_code for end in ends] == ["CANCELED", None]
            with on.air.readers[M2].handled():
                model.cut_power()
            await asyncio.sleep(60)
            assert model.firmware == WHOLE

    check()


@virtual
async def test_it_is_confirmed_too_after_a_link_that_was_lost_at_the_last_moment() -> None:
    async with connected() as on:
        installing = on.terminal.install_available_update()
        await until(lambda: any(step.stage == UpdateStage.RESTARTING for step in on.of(Kind.UPDATE_PROGRESS)))
        await until(lambda: on.air.readers[M2].model.firmware == WHOLE)
        await until(lambda: on.air.readers[M2].link is not None)
        await asyncio.sleep(0.3)
        on.air.readers[M2].link.end(0x08)
        with suppress(UpdateInterruptedError):
            await installing
        await on.until(S.CONNECTED)
        await until(lambda: not on.air.readers[M2].model._software.is_on_trial)


@virtual
async def test_an_optional_one_that_is_cut_off_leaves_a_reader_that_comes_back() -> None:
    async with connected() as on:
        installing = on.terminal.install_available_update()
        await at(on, UpdateStage.UPLOADING)
        on.air.readers[M2].link.end(0x08)
        with pytest.raises(UpdateInterruptedError) as cut:
            await installing
        assert isinstance(cut.value.__cause__, LinkLostError)
        await on.until(S.CONNECTED)
        drops = on.of(Kind.LINK_DISCONNECTED)
        assert [drop.reason for drop in drops] == [DisconnectReason.BLUETOOTH_SIGNAL_LOST]
        assert len(on.of(Kind.RECONNECT_SUCCEEDED)) == 1
        await on.terminal.install_available_update()
        assert on.air.readers[M2].model.firmware == WHOLE


@virtual
async def test_a_reader_that_does_not_come_back_is_lost_like_any_other() -> None:
    async with connected() as on:
        installing = on.terminal.install_available_update()
        await at(on, UpdateStage.RESTARTING)
        on.air.faults.start("walk_away", M2, to_m=5000.0, speed_m_s=1000.0)
        with pytest.raises(UpdateInterruptedError):
            await installing
        await on.until(S.NOT_CONNECTED, 3600)
        told_once(on)
        assert len(on.of(Kind.LINK_DISCONNECTED)) == 1
        assert len(on.of(Kind.DISCONNECTED)) == 1


@virtual
async def test_a_damaged_chunk_is_found_and_the_next_try_is_good() -> None:
    """U13."""
    async with connected() as on:
        on.air.readers[M2].model.corrupt_next_chunk = True
        with pytest.raises(UpdateError) as damaged:
            await on.terminal.install_available_update()
        assert damaged.value.fault == "digest"
        assert damaged.value.code == "READER_SOFTWARE_UPDATE_FAILED"
        assert on.terminal.status is S.CONNECTED
        assert on.air.readers[M2].model.firmware == OLD
        await on.terminal.install_available_update()
        assert on.air.readers[M2].model.firmware == WHOLE
        told_once(on, attempts=2)


def bad_images() -> dict[str, Any]:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return {
        "wrong key": image_of(C.FIRMWARE, key=Ed25519PrivateKey.from_private_bytes(bytes(range(32)))),
        "unsigned": image_of(C.FIRMWARE, key=None),
        "downgrade": image_of(C.FIRMWARE, version="1.00.00.00"),
        "device type": image_of(C.FIRMWARE, device_types=("chipper_2x",)),
    }


@pytest.mark.parametrize("name", ["wrong key", "unsigned", "downgrade", "device type"])
def test_an_image_that_the_reader_does_not_accept_changes_nothing(name: str) -> None:
    """U13: the reader checks for itself, whatever the host believes."""

    @virtual
    async def check() -> None:
        async with stage() as on:
            model = on.air.readers[M2].model
            offer(model, C.FIRMWARE, images=(bad_images()[name],), required_at_us=on.air.utc_us())
            with pytest.raises(UpdateError) as refused:
                await on.connect()
            assert refused.value.code in ("READER_SOFTWARE_UPDATE_FAILED", UpdateReaderError.code)
            assert on.terminal.status is S.NOT_CONNECTED
            assert model.firmware == OLD
            told_once(on)
            offer(model, required_at_us=on.air.utc_us())
            assert (await on.connect()).firmware == WHOLE

    check()


@virtual
async def test_a_host_without_internet_can_fetch_no_update() -> None:
    """U13."""
    async with connected() as on:
        on.air.host.internet_grace_s = 3600.0
        on.air.faults.start("cut_internet")
        with pytest.raises(UpdateServerError):
            await on.terminal.install_available_update()
        assert on.terminal.status is S.CONNECTED
        told_once(on)


# ---- restarts


@virtual
async def test_what_is_due_is_installed_in_the_reconnection_after_a_restart() -> None:
    """R4, U8, U12: the status stays reconnecting until it has finished."""
    async with connected(required_at_us=None) as on:
        model = on.air.readers[M2].model
        offer(model, required_at_us=on.air.utc_us() + 3600 * 1_000_000)
        await on.air.host._air.skip_time(2 * 3600)
        assert on.terminal.status is S.CONNECTED
        await asyncio.sleep(900)
        assert Kind.UPDATE_STARTED not in on.kinds()
        await on.terminal.reboot_reader()
        await at(on, UpdateStage.UPLOADING)
        assert on.terminal.status is S.RECONNECTING
        await on.until(S.CONNECTED)
        assert model.firmware == WHOLE
        assert len(on.of(Kind.RECONNECT_STARTED)) == len(on.of(Kind.RECONNECT_SUCCEEDED)) == 1
        assert len(on.of(Kind.LINK_DISCONNECTED)) == 1  # the restart that somebody asked for
        told_once(on)


@virtual
async def test_a_lost_signal_is_no_reason_to_install() -> None:
    """R4 speaks of restarts: nobody is kept waiting in the middle of his work."""
    async with connected() as on:
        offer(on.air.readers[M2].model, required_at_us=on.air.utc_us())
        on.air.readers[M2].link.end(0x08)
        await on.until(S.RECONNECTING)
        await on.until(S.CONNECTED)
        assert Kind.UPDATE_STARTED not in on.kinds()


@virtual
async def test_an_update_that_is_cut_off_in_a_reconnection_is_finished_in_it() -> None:
    async with connected() as on:
        offer(on.air.readers[M2].model, required_at_us=on.air.utc_us())
        await on.terminal.reboot_reader()
        await at(on, UpdateStage.UPLOADING)
        on.air.readers[M2].link.end(0x08)
        await on.until(S.CONNECTED)
        assert on.air.readers[M2].model.firmware == WHOLE
        told_once(on, attempts=2)
        assert len(on.of(Kind.RECONNECT_SUCCEEDED)) == 1


@virtual
async def test_canceling_it_in_a_reconnection_ends_the_relation() -> None:
    async with connected() as on:
        offer(on.air.readers[M2].model, required_at_us=on.air.utc_us())
        await on.terminal.reboot_reader()
        await at(on, UpdateStage.UPLOADING)
        await on.terminal.cancel_installing_update()
        await on.until(S.NOT_CONNECTED)
        assert on.last(Kind.RECONNECT_FAILED).error_code == UpdateRequiredError.code
        told_once(on)
