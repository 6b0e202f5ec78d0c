"""Canceling an update, and everybody else while one is installed (C3, U6, U9)."""

import asyncio

import pytest
from releases import NEW, image_of, offer
from stage import M2, stage, virtual
from updating import WHOLE, C, S, at, connected, required, told_once, until

from terminal_kit.errors import (
    BusyError,
    CanceledError,
    CancelFailedError,
    TerminalError,
    UpdateRequiredError,
)
from terminal_kit.events import Kind
from terminal_kit.terminal import Terminal
from terminal_kit.updates.progress import UpdateStage

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
