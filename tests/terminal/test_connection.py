"""Connecting a reader and being connected, rule by rule (C, B, R3, U7)."""

import asyncio

import pytest
from stage import DESK, M2, TERRACE, WISEPAD, stage, virtual

from terminal_kit import errors
from terminal_kit.events import ConnectionStatus, Kind
from terminal_kit.memory import Memory

S = ConnectionStatus


@virtual
async def test_a_connection_registers_the_reader_at_its_location() -> None:
    """C1, C8, B1."""
    async with stage() as on:
        reader = await on.connect()
        assert on.terminal.connected_reader == reader
        assert (reader.serial, reader.location_id, reader.battery) == (M2, DESK, 1.0)
        assert reader.firmware == "2.01.01.00-SZZZ_Prod_US_v12-481001"
        wanted = ["connect_started", "link_connecting", "link_connected", "encryption_changed", "registered"]
        assert on.kinds(*wanted, "connect_succeeded") == [*wanted, "connect_succeeded"]
        linked = on.last("link_connected")
        assert linked.supervision_timeout_s
        assert linked.interval_ms
        assert linked.mtu_bytes
        await on.terminal.disconnect_reader()
        assert on.terminal.status is S.NOT_CONNECTED


@virtual
async def test_a_location_is_checked_before_any_radio_work() -> None:
    """C1."""
    async with stage() as on:
        (reader,) = await on.terminal.discover_readers(timeout_s=2)
        told = len(on.events)
        for bad in ("", "front desk", "tml_nowhere"):
            with pytest.raises(errors.InvalidParameterError):
                await on.terminal.connect_reader(reader, bad)
        assert len(on.events) == told


@virtual
async def test_a_stale_reader_is_found_again_by_its_serial() -> None:
    """C2, complaint 3: a reader that cannot be discovered after a drop until Bluetooth is toggled."""
    async with stage() as on:
        (stale,) = await on.terminal.discover_readers(timeout_s=2)
        for _ in range(3):
            await on.terminal.connect_reader(stale, DESK)
            await on.terminal.disconnect_reader()
        assert len(on.of("connect_succeeded")) == 3


@virtual
async def test_a_critically_low_battery_refuses_the_connection() -> None:
    """C4."""
    async with stage() as on:
        with on.air.readers[M2].handled() as model:
            model.set_battery(0.04)
        with pytest.raises(errors.BatteryCriticallyLowError) as caught:
            await on.connect()
        assert caught.value.battery == pytest.approx(0.04)
        assert on.terminal.status is S.NOT_CONNECTED
        assert on.last("connect_failed").error_code == "READER_BATTERY_CRITICALLY_LOW"


@virtual
async def test_the_last_reader_is_reconnected_on_request_and_the_scan_ends() -> None:
    """C7."""
    memory = Memory()
    async with stage(memory=memory) as on:
        await on.connect()
        await on.terminal.disconnect_reader()
        assert on.terminal.status is S.NOT_CONNECTED
        assert (await on.terminal.reconnect_last_reader()).serial == M2
        await on.terminal.disconnect_reader()
        on.air.faults.start("switch_off", M2)
        with pytest.raises(errors.ReaderNotFoundError) as caught:
            await on.terminal.reconnect_last_reader()
        assert M2 in str(caught.value)
        assert on.last("discovery_finished").duration_s == pytest.approx(15, abs=1)


@virtual
async def test_offline_only_a_known_reader_connects() -> None:
    """E, 2870–2873."""
    async with stage(memory=Memory()) as on:
        await on.connect()
        await on.terminal.disconnect_reader()
        on.air.faults.start("cut_internet")
        (reader,) = await on.terminal.discover_readers(timeout_s=2)
        with pytest.raises(errors.LocationOfflineError):
            await on.terminal.connect_reader(reader, TERRACE)


@virtual
async def test_cancel_connecting_leaves_nothing_behind() -> None:
    async with stage() as on:
        (reader,) = await on.terminal.discover_readers(timeout_s=2)
        connecting = asyncio.create_task(on.terminal.connect_reader(reader, DESK))
        await asyncio.sleep(0.1)
        await on.terminal.cancel_connecting()
        with pytest.raises(errors.CanceledError):
            await connecting
        assert on.terminal.status is S.NOT_CONNECTED
        assert on.last("connect_failed").error_code == "CANCELED"
        await on.connect()


@virtual
async def test_whoever_awaits_a_connection_may_give_up() -> None:
    async with stage() as on:
        (reader,) = await on.terminal.discover_readers(timeout_s=2)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await on.terminal.connect_reader(reader, DESK)
        assert on.terminal.status is S.NOT_CONNECTED
        assert on.of("connect_failed")


@virtual
async def test_a_vendors_own_reader_is_connected_at_link_level_only() -> None:
    """D8."""
    async with stage(readers=()) as on:
        on.air.add_reader(M2, distance_m=2.0, closed=True)
        (reader,) = await on.terminal.discover_readers(timeout_s=2)
        assert (reader.serial, reader.is_ours, reader.battery) == (M2, False, None)
        connected = await on.terminal.connect_reader(reader, DESK)
        assert connected.location_id is None
        assert on.kinds("registered", "encryption_changed") == []
        assert on.terminal.status is S.CONNECTED


@virtual
async def test_two_terminals_share_an_air() -> None:
    async with stage(readers=(M2, WISEPAD)) as on:
        other = type(on.terminal)(on.radio, sink=on.events.append, name="second")
        await on.connect(M2)
        await other.easy_connect(DESK, serial=WISEPAD)
        assert (on.terminal.connected_reader.serial, other.connected_reader.serial) == (M2, WISEPAD)
        await other.close()
        assert on.terminal.status is S.CONNECTED


@virtual
async def test_close_is_safe_to_repeat_and_the_terminal_can_be_used_again() -> None:
    async with stage() as on:
        await on.connect()
        await on.terminal.close()
        await on.terminal.close()
        assert on.terminal.status is S.NOT_CONNECTED
        await on.connect()


@virtual
async def test_listeners_that_fail_do_not_alter_anything(caplog: pytest.LogCaptureFixture) -> None:
    async with stage() as on:

        def failing(event: object) -> None:
            raise ValueError("mine")

        undo = on.terminal.subscribe(failing)
        await on.connect()
        undo()
        assert "a listener failed" in caplog.text
        assert Kind.CONNECT_SUCCEEDED in on.kinds()


@virtual
async def test_a_slow_reader_is_waited_for() -> None:
    async with stage() as on:
        on.air.faults.start("slow", M2, delay_s=1.0)
        await on.connect()
        assert on.last("connect_succeeded").duration_s > 5


@virtual
async def test_a_hung_reader_does_not_hang_the_terminal() -> None:
    """Complaint 12: connections that take a minute, or hang."""
    async with stage() as on:
        await on.connect()
        fault = on.air.faults.start("hang", M2)
        await on.until(S.RECONNECTING, 60)
        assert on.last("error").error_code == "READER_COMMUNICATION_ERROR"
        fault.undo()
        await on.until(S.CONNECTED)


@virtual
async def test_standby_is_a_mark_and_not_a_fault() -> None:
    """C5."""
    async with stage() as on:
        await on.connect()
        await asyncio.sleep(900)
        assert on.kinds("standby_entered", "standby_left", "link_disconnected") == ["standby_entered"]
        assert on.terminal.connected_reader.standby


@virtual
async def test_a_false_battery_reading_is_marked_and_not_acted_on() -> None:
    """B3, complaint 9."""
    async with stage() as on:
        await on.connect()
        on.air.faults.start("false_battery", M2)
        await asyncio.sleep(1800)
        assert on.kinds("battery_false_reading") == ["battery_false_reading"]
        assert on.terminal.status is S.CONNECTED
        assert on.terminal.connected_reader.battery > 0.5


@virtual
async def test_cards_are_logged_when_the_reader_reports_them() -> None:
    """B4."""
    async with stage() as on:
        await on.connect()
        with on.air.readers[M2].handled() as model:
            model.insert_card()
        await asyncio.sleep(1)
        with on.air.readers[M2].handled() as model:
            model.remove_card()
        await asyncio.sleep(1)
        assert on.kinds("card_inserted", "card_removed") == ["card_inserted", "card_removed"]
