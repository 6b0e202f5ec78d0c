"""Finding readers on the simulated radio, rule by rule (D)."""

import asyncio

import pytest
from stage import CHIPPER, DESK, M2, WISEPAD, stage, virtual

from terminal_kit import errors
from terminal_kit.events import ConnectionStatus
from terminal_kit.memory import Memory

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
async def test_the_nearest_reader_is_chosen() -> None:
    """D7."""
    async with stage(readers=(M2,)) as on:
        on.air.add_reader(WISEPAD, distance_m=0.3)
        on.air.add_reader(CHIPPER, distance_m=9.0)
        assert (await on.terminal.connect_nearest(DESK)).serial == WISEPAD


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
async def test_a_watch_ends_with_the_hosts_fault() -> None:
    """D4, D5: a radio that was switched off hears nothing more, even when it is on again."""
    async with stage() as on:
        watch = on.terminal.monitor()
        on.air.host.fault = "radio_off"
        with pytest.raises(errors.BluetoothDisabledError):
            async for _ in watch:
                pass


@virtual
async def test_the_nearest_comes_alone_and_then_with_its_battery() -> None:
    """D7: two steps, on every platform."""
    async with stage(readers=()) as on:
        on.air.add_reader(WISEPAD, distance_m=1.0, battery=0.4)
        on.air.add_reader(M2, distance_m=8.0)
        scan = on.terminal.discover_readers(discovery_method="bluetooth_proximity")
        steps = [[(reader.serial, reader.battery) for reader in readers] async for readers in scan]
        assert steps == [[(WISEPAD, None)], [(WISEPAD, 0.4)]]
        assert on.last("discovery_finished").error_code is None


@virtual
async def test_the_nearest_is_one_that_can_be_connected() -> None:
    """D7, D6, C4."""
    async with stage(readers=()) as on:
        on.air.add_reader(WISEPAD, distance_m=1.0)
        on.air.add_reader(CHIPPER, distance_m=1.5, battery=0.03)
        on.air.add_reader(M2, distance_m=8.0)
        on.air.faults.start("pair_in_system", WISEPAD)
        assert (await on.terminal.connect_nearest(DESK)).serial == M2


@virtual
async def test_a_reader_that_was_heard_and_left_is_no_empty_scan() -> None:
    """D2."""
    async with stage() as on:
        scan = on.terminal.discover_readers(timeout_s=30)
        await asyncio.sleep(3)
        on.air.faults.start("switch_off", M2)
        assert await scan == []
        assert on.last("discovery_finished").error_code is None


@virtual
async def test_a_limit_is_checked_at_the_door() -> None:
    async with stage() as on:
        for limit_s in (-1.0, float("nan"), float("inf")):
            with pytest.raises(errors.InvalidParameterError):
                on.terminal.discover_readers(timeout_s=limit_s)
            with pytest.raises(errors.InvalidParameterError):
                await on.terminal.easy_connect(DESK, timeout_s=limit_s)
        assert (await on.terminal.easy_connect(DESK, serial=M2, timeout_s=0)).serial == M2


@virtual
async def test_the_reader_connected_last_is_preferred() -> None:
    """C7: "the last first"."""
    for seed in range(6):
        async with stage(seed, readers=(M2, WISEPAD), memory=Memory()) as on:
            for serial in (WISEPAD, M2):
                await on.connect(serial)
                await on.terminal.disconnect_reader()
            on.terminal.auto_reconnect = False
            assert (await on.terminal.reconnect_last_reader()).serial == M2
            assert not on.terminal.auto_reconnect
