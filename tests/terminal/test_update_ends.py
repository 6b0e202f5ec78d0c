"""How updates end when something comes in between, and what the next connection makes of it (U9, U10, U12, R4)."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from releases import DAY_US, NEW, OLD, image_of, offer
from stage import M2, Stage, stage, virtual
from updating import WHOLE, C, S, at, connected, required, told_once, until

from terminal_kit.errors import (
    CanceledError,
    CancelFailedError,
    TerminalError,
    UpdateBatteryLowError,
    UpdateError,
    UpdateInterruptedError,
    UpdateServerError,
)
from terminal_kit.events import Kind, UpdateComponent
from terminal_kit.simulator.firmware import ReaderModel
from terminal_kit.simulator.gatt import INFORMATION, smp_service
from terminal_kit.terminal import ReconnectPolicy
from terminal_kit.updates.progress import UpdateStage

NEWER = {C.FIRMWARE: "2.03.00.00", C.CONFIG: "SZZZ_Prod_US_v14"}


def link_of(on: Stage) -> Any:
    return on.air.readers[M2].link


def due(on: Stage, *components: UpdateComponent, **facts: Any) -> None:
    required(on, *components, **facts)


def when(on: Stage, stage_: UpdateStage, do: Callable[[], object]) -> None:
    """Does something at the first word of a stage."""
    done: list[object] = []

    def look(event: Any) -> None:
        if event.kind == Kind.UPDATE_PROGRESS and event.stage == stage_ and not done:
            done.append(do())

    on.terminal.subscribe(look)


# ---- in a reconnection (R4)


@pytest.mark.parametrize("how", ["canceled", "battery", "signature"])
def test_an_update_that_fails_in_a_reconnection_leaves_no_link_behind(how: str) -> None:
    """X2: a reader that is not connected must be free for whoever looks for it."""

    @virtual
    async def check() -> None:
        async with connected() as on:
            model = on.air.readers[M2].model
            images = (image_of(C.FIRMWARE, key=None),) if how == "signature" else None
            due(on, *((C.FIRMWARE,) if images else ()), images=images)
            if how == "battery":
                with on.air.readers[M2].handled():
                    model.set_battery(0.4)
            await on.terminal.reboot_reader()
            if how == "canceled":
                await at(on, UpdateStage.UPLOADING)
                await on.terminal.cancel_installing_update()
            await on.until(S.NOT_CONNECTED)
            await asyncio.sleep(1)
            assert link_of(on) is None
            assert len(on.of(Kind.RECONNECT_STARTED)) == len(on.of(Kind.RECONNECT_FAILED)) == 1
            assert len(on.of(Kind.DISCONNECTED)) == 1
            model.pending_update = None
            assert (await on.connect()).firmware == OLD
            link_of(on).end(0x08)
            await on.until(S.RECONNECTING)
            await on.until(S.CONNECTED)  # it is attended like any other

    check()


@pytest.mark.parametrize("stage_", [UpdateStage.UPLOADING, UpdateStage.RESTARTING])
def test_who_insists_in_a_reconnection_is_refused_and_breaks_nothing(stage_: UpdateStage) -> None:
    """C3: refusals change nothing; `cancel_reader_reconnection` is the way out."""

    @virtual
    async def check() -> None:
        async with connected() as on:
            due(on)
            await on.terminal.reboot_reader()
            await at(on, stage_)
            for verb in ("disconnect_reader", "reboot_reader"):
                with pytest.raises(TerminalError) as busy:
                    await getattr(on.terminal, verb)(force=True)
                assert busy.value.code == "READER_BUSY"
            await on.until(S.CONNECTED)
            assert on.air.readers[M2].model.firmware == WHOLE
            told_once(on)

    check()


# ---- the next connection, with another release


@pytest.mark.parametrize("cut_at", [UpdateStage.RESTARTING, UpdateStage.CONFIRMING])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((C.FIRMWARE,), (C.FIRMWARE,)),
        ((C.FIRMWARE, C.CONFIG), (C.CONFIG,)),
        ((C.FIRMWARE,), (C.CONFIG,)),
        ((C.CONFIG, C.FIRMWARE), (C.CONFIG, C.FIRMWARE)),
    ],
)
def test_a_cut_update_keeps_no_later_one_out_and_is_not_lost(
    cut_at: UpdateStage, first: tuple[UpdateComponent, ...], second: tuple[UpdateComponent, ...]
) -> None:
    """U10: what waits in a slot or runs on trial is settled before another release is sent."""

    @virtual
    async def check() -> None:
        async with stage() as on:
            model = on.air.readers[M2].model
            due(on, *first)
            when(on, cut_at, lambda: link_of(on) and link_of(on).end(0x08))
            with suppress(TerminalError):
                await on.connect()
                await on.terminal.disconnect_reader()
            await asyncio.sleep(30)
            offer(
                model,
                *second,
                images=tuple(image_of(component, version=NEWER[component]) for component in second),
                required_at_us=on.air.utc_us(),
                release_id="second",
            )
            await on.connect()
            with on.air.readers[M2].handled():
                model.cut_power()
            await asyncio.sleep(60)
            firmware, config, _ = model.firmware.split("-", 2)
            assert firmware == (NEWER if C.FIRMWARE in second else NEW)[C.FIRMWARE]
            assert config == NEWER[C.CONFIG] if C.CONFIG in second else True

    check()


@virtual
async def test_a_reset_that_was_lost_with_its_link_is_sent_again() -> None:
    """U10: a reader that comes back unrestarted has not refused anything."""
    async with connected() as on:
        when(on, UpdateStage.RESTARTING, lambda: link_of(on).end(0x08))
        await on.terminal.install_available_update()
        assert on.air.readers[M2].model.firmware == WHOLE
        told_once(on)
        assert not on.of(Kind.LINK_DISCONNECTED)


@pytest.mark.parametrize("in_reconnection", [False, True])
def test_power_that_fails_in_the_trial_start_is_an_interruption(in_reconnection: bool) -> None:
    """U10: the reader rightly went back; nothing is wrong with the image."""

    @virtual
    async def check() -> None:
        async with stage() as on:
            if in_reconnection:
                await on.connect()
            due(on)
            connecting = None
            if in_reconnection:
                await on.terminal.reboot_reader()
            else:
                connecting = asyncio.create_task(on.connect())
            await at(on, UpdateStage.RESTARTING)
            model = on.air.readers[M2].model
            await until(lambda: model.is_booting)
            await asyncio.sleep(4)
            with on.air.readers[M2].handled():
                model.cut_power()
            if connecting is not None:
                with pytest.raises(UpdateInterruptedError, match="once more"):
                    await connecting
                await on.connect()
            else:
                await on.until(S.CONNECTED)
            assert model.firmware == WHOLE
            told_once(on, attempts=2)

    check()


# ---- waiting for the reader


@virtual
async def test_a_connection_can_be_given_up_while_the_reader_is_away_in_its_restart() -> None:
    """X3: nothing can be broken off there; complaint 12."""
    async with stage() as on:
        due(on)
        connecting = asyncio.create_task(on.connect())
        await at(on, UpdateStage.RESTARTING)
        await until(lambda: link_of(on) is None)
        on.air.faults.start("walk_away", M2, to_m=5000.0, speed_m_s=1000.0)
        with pytest.raises(CancelFailedError):
            await on.terminal.cancel_installing_update()
        await on.terminal.cancel_connecting()
        with pytest.raises(CanceledError):
            await connecting
        assert on.terminal.status is S.NOT_CONNECTED
        told_once(on)


@virtual
async def test_an_installation_whose_reader_stays_away_can_be_canceled() -> None:
    async with connected() as on:
        installing = on.terminal.install_available_update()
        await at(on, UpdateStage.RESTARTING)
        await until(lambda: link_of(on) is None)
        on.air.faults.start("switch_off", M2, farewell=False)
        await asyncio.sleep(70)
        await on.terminal.cancel_installing_update()
        with pytest.raises(CanceledError):
            await installing
        assert on.terminal.status is S.RECONNECTING
        told_once(on)


@virtual
async def test_the_users_policy_for_lost_readers_is_not_for_the_updates_restart() -> None:
    """U12."""
    async with stage(policy=ReconnectPolicy(limit_s=2.0, max_attempts=1)) as on:
        offer(on.air.readers[M2].model)
        await on.connect()
        assert (await on.terminal.install_available_update()).firmware == WHOLE


@virtual
async def test_a_link_that_falls_while_the_reader_comes_back_is_a_session_of_its_own() -> None:
    async with connected() as on:
        fallen: list[object] = []

        def fall(event: Any) -> None:
            if event.kind == Kind.LINK_CONNECTED and on.terminal.installation and not fallen:
                fallen.append(asyncio.get_running_loop().call_later(0.05, lambda: link_of(on).end(0x08)))

        on.terminal.subscribe(fall)
        await on.terminal.install_available_update()
        drops = [event.session for event in on.of(Kind.LINK_DISCONNECTED)]
        assert len(drops) == 1
        await on.terminal.disconnect_reader()
        ends = [event.session for event in on.of(Kind.LINK_DISCONNECTED)]
        assert len(ends) == len(set(ends)) == 2
        assert on.last(Kind.DISCONNECTED).session == ends[-1]


# ---- who looks and who waits


@virtual
async def test_everybody_may_watch_and_nobody_who_stops_watching_ends_it() -> None:
    """U9: running the cell again finds the same installation."""
    async with connected() as on:
        installing = on.terminal.install_available_update()
        seen: dict[str, list[float]] = {"one": [], "two": []}

        async def watch(name: str) -> None:
            assert on.terminal.installation is installing
            async for step in installing:
                seen[name].append(step.fraction)

        watchers = [asyncio.create_task(watch(name)) for name in seen]
        await at(on, UpdateStage.UPLOADING)
        watchers[1].cancel()
        await asyncio.wait({watchers[1]})
        await watchers[0]
        assert seen["one"][-1] == 1
        assert 0 < len(seen["two"]) < len(seen["one"])
        assert on.air.readers[M2].model.firmware == WHOLE


@virtual
async def test_a_link_that_ends_while_the_images_are_fetched_is_noticed() -> None:
    """Complaint 6."""
    async with connected() as on:
        fetch = on.radio.updates._source.fetch

        async def slowly(update: Any) -> Any:
            await asyncio.sleep(120)
            return await fetch(update)

        on.radio.updates._source.fetch = slowly
        installing = on.terminal.install_available_update()
        await asyncio.sleep(1)
        link_of(on).end(0x08)
        with pytest.raises(UpdateInterruptedError):
            await installing
        assert on.terminal.status is S.RECONNECTING


@virtual
async def test_a_source_that_hangs_after_an_update_does_not_hold_the_connection() -> None:
    """Complaint 12: an update may take its time, what follows it may not."""
    async with stage() as on:
        due(on)
        find = on.radio.updates._source.find

        async def hang(*asked: Any) -> Any:
            if Kind.UPDATE_FINISHED in on.kinds():
                await asyncio.sleep(86400)
            return await find(*asked)

        on.radio.updates._source.find = hang
        with pytest.raises(TerminalError):
            await on.connect()
        assert on.terminal.status is S.NOT_CONNECTED


@pytest.mark.parametrize("fault", [OSError("the disk is full"), ()])
def test_a_source_that_fails_is_the_source_that_failed(fault: Any) -> None:
    """U13."""

    @virtual
    async def check() -> None:
        async with connected() as on:

            async def fetch(_update: Any) -> Any:
                if isinstance(fault, Exception):
                    raise fault
                return fault

            on.radio.updates._source.fetch = fetch
            with pytest.raises(UpdateServerError):
                await on.terminal.install_available_update()
            assert on.terminal.status is S.CONNECTED

    check()


# ---- the battery, and grace


@virtual
async def test_the_gate_asks_the_battery_itself() -> None:
    """U2: the last report may be ten minutes old."""
    async with connected() as on:
        on.air.readers[M2].model.battery = 0.45  # without a word
        with pytest.raises(UpdateBatteryLowError):
            await on.terminal.install_available_update()
        assert on.last(Kind.UPDATE_FINISHED).sent_bytes == 0


@virtual
async def test_a_battery_that_is_critical_at_the_very_end_undoes_nothing() -> None:
    """U4: what has reached its end has no error."""
    async with connected() as on:

        def drop() -> None:
            on.air.readers[M2].model.battery = 0.04

        when(on, UpdateStage.CONFIRMING, drop)
        with suppress(UpdateInterruptedError):
            await on.terminal.install_available_update()
        told_once(on)


@virtual
async def test_with_grace_a_link_that_the_update_lost_is_made_again() -> None:
    """U5: within 30 days the connection succeeds, and the failure is reported."""
    async with stage() as on:
        due(on, superseded_at_us=on.air.utc_us() - DAY_US)
        connecting = asyncio.create_task(on.connect())
        await at(on, UpdateStage.UPLOADING)
        link_of(on).end(0x08)
        assert (await connecting).firmware == OLD
        assert on.terminal.status is S.CONNECTED
        failed = [notice for notice in on.of(Kind.NOTICE) if notice.stage == "update_failed"]
        assert [notice.error_code for notice in failed] == [UpdateInterruptedError.code]


# ---- a board


@pytest.fixture
def a_board(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers that offer Device Information and an SMP server alone, as a board does."""
    monkeypatch.setattr(
        ReaderModel, "services", property(lambda _model: (INFORMATION, smp_service(needs_pairing=False)))
    )


@pytest.mark.usefixtures("a_board")
def test_a_board_is_updated_and_confirmed_even_after_a_cut() -> None:
    """Nothing of ours on it: what it runs on trial is remembered here."""

    @virtual
    async def check() -> None:
        async with stage() as on:
            model = on.air.readers[M2].model
            reader = await on.connect()
            assert (reader.battery, reader.location_id) == (None, None)
            when(on, UpdateStage.CONFIRMING, lambda: link_of(on).end(0x08))
            with pytest.raises(UpdateInterruptedError):
                await on.terminal.install_images(image_of(C.FIRMWARE))
            await on.until(S.CONNECTED)
            assert not model._software.is_on_trial
            with on.air.readers[M2].handled():
                model.cut_power()
            await asyncio.sleep(60)
            assert model.firmware.startswith(NEW[C.FIRMWARE])

    check()


@virtual
async def test_a_device_without_an_smp_server_is_told_as_such() -> None:
    """D8: the vendor's own readers."""
    async with stage(readers=()) as on:
        on.air.add_reader(M2, closed=True)
        await on.connect()
        with pytest.raises(UpdateError, match="no SMP server") as refused:
            await on.terminal.install_images(image_of(C.FIRMWARE))
        assert "vendor's app" in refused.value.hint
        assert on.terminal.status is S.CONNECTED
