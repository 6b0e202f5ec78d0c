"""Everything that cuts an update off, and the restarts in which one is installed (U10, U13, R4)."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from releases import OLD, image_of, offer
from stage import M2, Stage, stage, virtual
from updating import WHOLE, C, S, at, connected, required, told_once, until

from terminal_kit.errors import (
    LinkLostError,
    UpdateError,
    UpdateInterruptedError,
    UpdateReaderError,
    UpdateRequiredError,
    UpdateServerError,
)
from terminal_kit.events import DisconnectReason, Kind
from terminal_kit.terminal import Terminal
from terminal_kit.updates.progress import UpdateStage

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
