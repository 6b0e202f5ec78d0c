"""The lifecycle on the simulated radio, rule by rule."""

import asyncio

import pytest
from stage import CHIPPER, DESK, M2, TERRACE, WISEPAD, stage, virtual

from terminal_kit import errors
from terminal_kit.events import ConnectionStatus, DisconnectReason, Kind, ReasonSource, UpdateComponent
from terminal_kit.memory import Memory
from terminal_kit.reader import EstimatedUpdateTime, SoftwareUpdate
from terminal_kit.terminal import ReconnectPolicy

S = ConnectionStatus


@virtual
async def test_discovery_hands_over_the_whole_list_again_and_again() -> None:
    """D1, D3."""
    async with stage(readers=(M2, WISEPAD, CHIPPER)) as on:
        lists = [readers async for readers in on.terminal.discover_readers(timeout_s=5)]
        assert {reader.serial for reader in lists[-1]} == {M2, WISEPAD, CHIPPER}
        assert 3 < len(lists) <= 5 * 4 + 4
        for reader in lists[-1]:
            assert reader.rssi_dbm < 0
            assert reader.battery == 1.0
            assert reader.last_heard_us is not None
        assert on.kinds("discovery_started", "discovery_finished") == ["discovery_started", "discovery_finished"]
        assert on.terminal.status is S.NOT_CONNECTED


@virtual
async def test_a_reader_that_vanishes_ages_out_and_the_list_gets_empty() -> None:
    """D1."""
    async with stage() as on:
        discovery = on.terminal.discover_readers(timeout_s=40)
        async for readers in discovery:
            if readers:
                on.air.faults.start("switch_off", M2)
                break
        async for readers in discovery:
            if not readers:
                break
        assert readers == []
        assert on.kinds("reader_found", "reader_lost") == ["reader_found", "reader_lost"]
        discovery.cancel()


@virtual
async def test_a_scan_that_finds_nobody_times_out_and_says_so() -> None:
    """D2, complaint 11: a discovery time-out that nobody is told of."""
    async with stage(readers=()) as on:
        with pytest.raises(errors.ScanTimeoutError) as caught:
            await on.terminal.discover_readers(timeout_s=3)
        assert caught.value.timeout_s == 3
        assert on.last("discovery_finished").error_code == "BLUETOOTH_SCAN_TIMED_OUT"
        assert on.last("notice").stage == "scan_timed_out"
        assert on.terminal.status is S.NOT_CONNECTED


@virtual
async def test_a_second_discovery_supersedes_the_first() -> None:
    """D4, complaint 5."""
    async with stage() as on:
        first = on.terminal.discover_readers()
        second = on.terminal.discover_readers(timeout_s=2)
        with pytest.raises(errors.SupersededError) as caught:
            await first
        assert caught.value.code == "CANCELED_DUE_TO_INTEGRATION_ERROR"
        assert [reader.serial for reader in await second] == [M2]
        codes = [event.error_code for event in on.of("discovery_finished")]
        assert codes == ["CANCELED_DUE_TO_INTEGRATION_ERROR", None]


@virtual
async def test_connecting_ends_a_discovery_that_nobody_listens_to() -> None:
    """C3, D1."""
    async with stage() as on:
        discovery = on.terminal.discover_readers()
        async for readers in discovery:
            if readers:
                break
        await on.terminal.connect_reader(readers[0], DESK)
        assert [last async for last in discovery] == []
        assert on.last("discovery_finished").error_code is None
        with pytest.raises(errors.AlreadyConnectedError):
            on.terminal.discover_readers()


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
async def test_disconnecting_is_never_followed_by_a_reconnection() -> None:
    """X5, complaint 4: a reason that is missing or wrong."""
    async with stage() as on:
        await on.connect()
        await on.terminal.disconnect_reader()
        await asyncio.sleep(120)
        end = on.last("link_disconnected")
        assert (end.reason, end.reason_source) == ("disconnect_requested", ReasonSource.HOST)
        assert on.kinds("reconnect_started") == []
        assert on.last("disconnected").reason == "disconnect_requested"


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
async def test_a_flat_battery_is_no_generic_disconnect() -> None:
    """X7, X5, complaint 1: one generic "unexpectedly disconnected" hides a flat battery."""
    async with stage() as on:
        await on.connect()
        on.air.faults.start("drain", M2)
        await on.until(S.NOT_CONNECTED, 48 * 3600)
        assert on.last("disconnected").reason == DisconnectReason.CRITICALLY_LOW_BATTERY
        assert on.kinds("reconnect_started") == []
        assert on.kinds("low_battery") == ["low_battery"]


@virtual
async def test_switched_off_it_says_so_and_comes_back() -> None:
    """X2, X7."""
    async with stage() as on:
        await on.connect()
        fault = on.air.faults.start("switch_off", M2)
        await on.until(S.RECONNECTING)
        assert on.terminal.connected_reader is None
        assert (on.last("link_disconnected").reason, on.last("link_disconnected").reason_source) == (
            DisconnectReason.POWERED_OFF,
            ReasonSource.FAREWELL,
        )
        await asyncio.sleep(30)
        fault.undo()
        await on.until(S.CONNECTED)
        assert on.terminal.connected_reader.serial == M2
        assert on.last("reconnect_succeeded").attempt <= 3


@virtual
async def test_walking_away_is_a_lost_signal_with_its_link_code() -> None:
    """X1, X7."""
    async with stage() as on:
        await on.connect()
        fault = on.air.faults.start("walk_away", M2)
        await on.until(S.RECONNECTING)
        end = on.last("link_disconnected")
        assert (end.reason, end.reason_source, end.hci_code) == (
            DisconnectReason.BLUETOOTH_SIGNAL_LOST,
            ReasonSource.BACKEND,
            0x08,
        )
        assert end.rssi_dbm is None or end.rssi_dbm < -70
        fault.undo()
        await on.until(S.CONNECTED)


@virtual
async def test_a_switched_off_radio_is_the_hosts_own_reason() -> None:
    """X7, D5."""
    async with stage() as on:
        await on.connect()
        fault = on.air.faults.start("bluetooth_off")
        await on.until(S.RECONNECTING)
        assert on.last("link_disconnected").reason == DisconnectReason.BLUETOOTH_DISABLED
        await asyncio.sleep(600)
        assert on.terminal.status is S.RECONNECTING
        fault.undo()
        await on.until(S.CONNECTED)


@virtual
async def test_a_lost_internet_ends_the_link_after_a_while() -> None:
    """X2, X7: the SDKs fold it into unknown."""
    async with stage() as on:
        await on.connect()
        fault = on.air.faults.start("cut_internet")
        await on.until(S.RECONNECTING, 60)
        assert on.last("link_disconnected").reason == DisconnectReason.INTERNET_LOST
        await asyncio.sleep(60)
        assert on.terminal.status is S.RECONNECTING
        fault.undo()
        await on.until(S.CONNECTED)


@virtual
async def test_host_faults_are_named() -> None:
    """D5."""
    async with stage() as on:
        for fault, error in (
            ("bluetooth_off", errors.BluetoothDisabledError),
            ("deny_permission", errors.BluetoothPermissionError),
        ):
            active = on.air.faults.start(fault)
            with pytest.raises(error):
                await on.terminal.discover_readers(timeout_s=2)
            active.undo()
        assert len(await on.terminal.discover_readers(timeout_s=2)) == 1


@virtual
async def test_paired_in_the_systems_settings_is_detected() -> None:
    """D6."""
    async with stage() as on:
        (reader,) = await on.terminal.discover_readers(timeout_s=2)
        fault = on.air.faults.start("pair_in_system", M2)
        with pytest.raises(errors.TakenByAnotherHostError, match="system"):
            await on.terminal.connect_reader(reader, DESK)
        fault.undo()
        await on.connect()


@virtual
async def test_a_lost_bond_is_told_and_not_retried() -> None:
    """X2, complaint 10: bonds that vanish."""
    async with stage() as on:
        await on.connect()
        on.air.faults.start("lose_bond", M2)
        on.air.faults.start("switch_off", M2).undo()
        await on.until(S.NOT_CONNECTED)
        assert on.last("reconnect_failed").error_code == "BLUETOOTH_PEER_REMOVED_PAIRING_INFORMATION"


@virtual
async def test_a_second_phone_that_steals_the_reader() -> None:
    """Complaint 10."""
    async with stage() as on:
        await on.connect()
        fault = on.air.faults.start("steal", M2)
        await on.until(S.RECONNECTING)
        await asyncio.sleep(60)
        assert on.terminal.status is S.RECONNECTING
        fault.undo()
        await on.until(S.CONNECTED)


@virtual
async def test_reboot_applies_auto_reconnect_once() -> None:
    """R1, complaint 2: a reboot drops readers and some never come back."""
    async with stage() as on:
        await on.connect()
        await on.terminal.reboot_reader()
        assert on.terminal.status is S.RECONNECTING
        await on.until(S.CONNECTED)
        assert on.last("link_disconnected").reason == DisconnectReason.REBOOT_REQUESTED
        assert on.kinds("reconnect_started", "reconnect_succeeded", "reconnect_failed", "disconnected") == [
            "reconnect_started",
            "reconnect_succeeded",
        ]
        assert [event.stage for event in on.of("notice")] == ["connection_lost", "reconnected"]
        assert on.of("reader_started")


@virtual
async def test_the_daily_restart_is_named_and_survived() -> None:
    """R2, complaint 2: the 24-hour reboot drops readers at the same hour every day."""
    async with stage() as on:
        on.air.faults.start("charge", M2)
        await on.connect()
        await asyncio.sleep(25 * 3600)
        assert on.last("link_disconnected").reason == DisconnectReason.SECURITY_REBOOT
        await on.until(S.CONNECTED)


@virtual
async def test_without_auto_reconnect_it_is_disconnected_at_once() -> None:
    """X4."""
    async with stage() as on:
        await on.connect(auto_reconnect_on_unexpected_disconnect=False)
        on.air.faults.start("switch_off", M2)
        await on.until(S.NOT_CONNECTED)
        assert on.kinds("reconnect_started", "disconnected") == ["disconnected"]
        assert "off" in on.last("notice").text


@virtual
async def test_a_reconnection_can_be_canceled() -> None:
    """X3."""
    async with stage() as on:
        await on.connect()
        on.air.faults.start("switch_off", M2)
        await on.until(S.RECONNECTING)
        with pytest.raises(errors.BusyError):
            await on.connect()
        await on.terminal.cancel_reader_reconnection()
        assert on.kinds("reconnect_failed", "disconnected") == ["reconnect_failed", "disconnected"]
        assert on.last("reconnect_failed").error_code == "CANCELED"
        assert on.terminal.status is S.NOT_CONNECTED


@virtual
async def test_reconnecting_is_bounded_in_time() -> None:
    """X6."""
    async with stage(policy=ReconnectPolicy(limit_s=60)) as on:
        await on.connect()
        on.air.faults.start("switch_off", M2)
        await on.until(S.NOT_CONNECTED)
        failed = on.last("reconnect_failed")
        assert failed.duration_s == pytest.approx(60, abs=2)
        assert failed.error_code == "BLUETOOTH_DISCONNECTED"
        assert failed.attempt == 1  # the pending connection; it was never heard, so no other was spent


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
async def test_the_nearest_reader_is_chosen() -> None:
    """D7."""
    async with stage(readers=(M2,)) as on:
        on.air.add_reader(WISEPAD, distance_m=0.3)
        on.air.add_reader(CHIPPER, distance_m=9.0)
        assert (await on.terminal.connect_nearest(DESK)).serial == WISEPAD


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
async def test_an_optional_update_is_reported_and_a_required_one_refuses() -> None:
    """U7, U6."""
    async with stage() as on:
        model = on.air.readers[M2].model
        model.pending_update = SoftwareUpdate(
            version="2.02",
            components=UpdateComponent.CONFIG,
            estimated_time=EstimatedUpdateTime.ONE_TO_TWO_MINUTES,
            required_at_us=on.radio.clock.utc_us() + 7 * 86_400_000_000,
        )
        reader = await on.connect()
        assert reader.available_update.version == "2.02"
        assert on.last("update_available").components == 4
        await on.terminal.disconnect_reader()
        await asyncio.sleep(8 * 86400)
        with on.air.readers[M2].handled() as model:
            model.set_battery(0.9)
            model.switch_on()
        await asyncio.sleep(30)
        with pytest.raises(errors.UpdateRequiredError) as caught:
            await on.connect()
        assert caught.value.code == "UNSUPPORTED_READER_VERSION"
        assert on.terminal.status is S.NOT_CONNECTED


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
async def test_monitoring_while_connected_touches_nothing() -> None:
    """D4."""
    async with stage(readers=(M2, WISEPAD)) as on:
        await on.connect()
        watch = on.terminal.monitor()
        async for readers in watch:
            if readers:
                break
        assert [reader.serial for reader in readers] == [WISEPAD]
        assert on.terminal.status is S.CONNECTED
        watch.cancel()


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
async def test_standby_is_a_mark_and_not_a_fault() -> None:
    """C5."""
    async with stage() as on:
        await on.connect()
        await asyncio.sleep(900)
        assert on.kinds("standby_entered", "standby_left", "link_disconnected") == ["standby_entered"]
        assert on.terminal.connected_reader.standby


@virtual
async def test_an_idle_reader_powers_down_and_says_so() -> None:
    """R3."""
    async with stage() as on:
        await on.connect()
        await asyncio.sleep(10 * 3600 + 60)
        assert on.of("link_disconnected")[0].reason == DisconnectReason.IDLE_POWER_DOWN


@virtual
async def test_what_is_learned_later_is_a_later_row() -> None:
    """X1: a battery that was pulled out looks like a lost signal, until the reader is back."""
    async with stage() as on:
        await on.connect()
        fault = on.air.faults.start("switch_off", M2, farewell=False)
        await on.until(S.RECONNECTING)
        assert on.last("link_disconnected").reason == DisconnectReason.BLUETOOTH_SIGNAL_LOST
        fault.undo()
        await on.until(S.CONNECTED)
        learned = on.last("reason_learned")
        assert (learned.reason, learned.reason_source) == (DisconnectReason.POWERED_OFF, ReasonSource.BOOT)
        assert learned.session == on.last("link_disconnected").session


@virtual
async def test_a_slow_reader_is_waited_for() -> None:
    async with stage() as on:
        on.air.faults.start("slow", M2, delay_s=1.0)
        await on.connect()
        assert on.last("connect_succeeded").duration_s > 5


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
