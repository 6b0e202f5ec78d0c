"""Which reason, code and hint an end gets, and under which session it stands (X1, X2, complaints 1 and 4)."""

import asyncio

import pytest
from stage import DESK, M2, WISEPAD, Stage, stage, virtual

from terminal_kit import errors
from terminal_kit.events import ConnectionStatus, DisconnectReason, ReasonSource
from terminal_kit.terminal import ReconnectPolicy

S = ConnectionStatus


def said(on: Stage, kind: str) -> tuple[str, str]:
    event = on.last(kind)
    return event.reason, event.reason_source


@virtual
async def test_a_wish_to_part_wins_over_the_readers_own_farewell() -> None:
    """X5: the reader was about to restart; the reason is the reader's, and nothing reconnects."""
    async with stage() as on:
        await on.connect()
        on.air.faults.start("reboot", M2)
        await asyncio.sleep(0.05)
        await on.terminal.disconnect_reader()
        assert on.terminal.status is S.NOT_CONNECTED
        await asyncio.sleep(60)
        assert not on.of("reconnect_started")
        assert len(on.of("disconnected")) == 1


@virtual
async def test_what_keeps_a_reader_away_is_what_the_user_is_told() -> None:
    """X2, complaint 10: it was switched off, and came back without its bond."""
    async with stage() as on:
        await on.connect()
        off = on.air.faults.start("switch_off", M2)
        await on.until(S.RECONNECTING)
        on.air.faults.start("lose_bond", M2)
        off.undo()
        await on.until(S.NOT_CONNECTED)
        lost = DisconnectReason.PEER_REMOVED_PAIRING_INFORMATION
        assert said(on, "disconnected") == (lost, ReasonSource.HOST)
        assert on.last("disconnected").session == on.of("link_disconnected")[0].session
        assert (on.last("notice").stage, on.last("notice").reason) == ("disconnected", lost)


@virtual
async def test_a_reader_that_comes_back_flat_says_charge_it() -> None:
    """X2, C4."""
    async with stage() as on:
        await on.connect()
        off = on.air.faults.start("switch_off", M2)
        await on.until(S.RECONNECTING)
        with on.air.readers[M2].handled() as model:
            model.set_battery(0.04)
        off.undo()
        await on.until(S.NOT_CONNECTED)
        assert on.last("disconnected").reason == DisconnectReason.CRITICALLY_LOW_BATTERY
        # The kit gave the new link up, and nobody asked for that.
        assert on.last("link_disconnected").reason == DisconnectReason.CRITICALLY_LOW_BATTERY


@virtual
async def test_a_mute_reader_tells_afterwards_what_it_was() -> None:
    """X1: its link is given up for nothing that the host knows, and the boot reason is learned."""
    async with stage() as on:
        await on.connect()
        on.air.faults.start("hang", M2)
        await on.until(S.RECONNECTING)
        assert said(on, "link_disconnected") == (DisconnectReason.UNKNOWN, ReasonSource.NONE)
        on.air.faults.active[0].undo()
        with on.air.readers[M2].handled() as model:
            model.switch_off(farewell=False)
            model.switch_on()
        await on.until(S.CONNECTED)
        assert said(on, "reason_learned") == (DisconnectReason.POWERED_OFF, ReasonSource.BOOT)


@virtual
async def test_a_reason_is_learned_by_the_next_connection_too() -> None:
    """X1: nobody reconnected by itself; the reader tells when it is connected by hand."""
    async with stage() as on:
        await on.connect(auto_reconnect_on_unexpected_disconnect=False)
        session = on.last("connect_succeeded").session
        with on.air.readers[M2].handled() as model:
            model.switch_off(farewell=False)
        await on.until(S.NOT_CONNECTED)
        with on.air.readers[M2].handled() as model:
            model.switch_on()
        await on.connect()
        assert said(on, "reason_learned") == (DisconnectReason.POWERED_OFF, ReasonSource.BOOT)
        assert on.last("reason_learned").session == session


@virtual
async def test_a_restart_that_was_refused_explains_no_later_loss() -> None:
    async with stage() as on:
        await on.connect()
        fault = on.air.faults.start("hang", M2)
        with pytest.raises(errors.CommunicationError):
            await on.terminal.reboot_reader()
        fault.undo()
        on.air.readers[M2].move(distance_m=5000)
        await on.until(S.RECONNECTING)
        assert on.last("link_disconnected").reason == DisconnectReason.BLUETOOTH_SIGNAL_LOST


@virtual
async def test_a_restart_cut_off_by_something_else_says_so() -> None:
    """E, 3890."""
    async with stage() as on:
        await on.connect()
        rebooting = asyncio.ensure_future(on.terminal.reboot_reader())
        await asyncio.sleep(0)
        on.air.readers[M2].link.end(0x08)
        with pytest.raises(errors.ReconnectStartedError) as caught:
            await rebooting
        assert caught.value.code == "BLUETOOTH_RECONNECT_STARTED"
        await on.until(S.CONNECTED)


@virtual
async def test_one_operation_at_a_time_on_a_connected_reader() -> None:
    """C3."""
    async with stage() as on:
        await on.connect()
        rebooting = asyncio.ensure_future(on.terminal.reboot_reader())
        await asyncio.sleep(0)
        for verb in (on.terminal.reboot_reader, on.terminal.disconnect_reader):
            with pytest.raises(errors.BusyError) as caught:
                await verb()
            assert caught.value.running == "reboot_reader"
        await rebooting


@virtual
async def test_a_hint_fits_its_reason() -> None:
    """X2: while it is being connected the host's Bluetooth goes off, or its internet is lost."""
    async with stage() as on:
        (reader,) = await on.terminal.discover_readers(timeout_s=2)
        linked = asyncio.Event()
        on.terminal.subscribe(lambda event: event.kind == "link_connected" and linked.set())
        connecting = asyncio.ensure_future(on.terminal.connect_reader(reader, DESK))
        await linked.wait()
        on.air.faults.start("bluetooth_off")
        with pytest.raises(errors.BluetoothDisabledError):
            await connecting
        assert on.last("connect_failed").error_code == "BLUETOOTH_DISABLED"


@virtual
async def test_a_link_that_was_not_established_has_its_code() -> None:
    """Contract: hci_code of a failed link; every try has its number."""
    async with stage() as on:
        (reader,) = await on.terminal.discover_readers(timeout_s=2)
        on.air.readers[M2].channel.success = lambda _now_s: 0.0
        with pytest.raises(errors.LinkError) as caught:
            await on.terminal.connect_reader(reader, DESK)
        assert caught.value.hci_code == 0x3E
        assert [event.hci_code for event in on.of("link_failed")] == [0x3E] * 3
        assert [event.attempt for event in on.of("link_connecting")] == [1, 2, 3]
        assert on.last("connect_failed").hci_code == 0x3E


@virtual
async def test_attempts_are_numbered_through_and_a_time_limit_is_no_cancellation() -> None:
    """X6."""
    async with stage(policy=ReconnectPolicy(limit_s=100.0)) as on:
        await on.connect()
        on.events.clear()
        on.air.faults.start("switch_off", M2)
        await on.until(S.NOT_CONNECTED)
        assert [event.attempt for event in on.of("link_connecting")] == [
            event.attempt for event in on.of("reconnect_attempted")
        ]
        assert "CANCELED" not in {event.error_code for event in on.events}


@virtual
async def test_the_hosts_own_trouble_does_not_use_up_the_readers_time() -> None:
    """X2: "when the radio is back"."""
    async with stage() as on:
        await on.connect()
        off = on.air.faults.start("switch_off", M2)
        await on.until(S.RECONNECTING)
        await asyncio.sleep(60)
        radio = on.air.faults.start("bluetooth_off")
        await asyncio.sleep(1000)
        radio.undo()
        off.undo()
        await on.until(S.CONNECTED)


@virtual
async def test_a_scan_that_fails_does_not_end_the_reconnection() -> None:
    """X6."""
    async with stage() as on:
        await on.connect()
        off = on.air.faults.start("switch_off", M2)
        scanner, failures = on.radio.backends.scanner, [OSError("InProgress")] * 3
        start = scanner.start

        async def hiccup(self) -> None:
            if failures:
                raise failures.pop()
            await start(self)

        scanner.start = hiccup
        await asyncio.sleep(100)
        off.undo()
        await on.until(S.CONNECTED)
        assert not failures


@virtual
async def test_low_while_it_was_away_is_told_when_it_is_back() -> None:
    """B2."""
    async with stage() as on:
        await on.connect()
        off = on.air.faults.start("switch_off", M2)
        await on.until(S.RECONNECTING)
        with on.air.readers[M2].handled() as model:
            model.set_battery(0.15)
        off.undo()
        await on.until(S.CONNECTED)
        assert len(on.of("low_battery")) == 1


@virtual
async def test_a_transaction_that_a_drop_cut_off_has_its_end() -> None:
    async with stage() as on:
        await on.connect()
        on.air.faults.start("busy", M2)
        await asyncio.sleep(1)
        on.air.readers[M2].link.end(0x08)
        await on.until(S.RECONNECTING)
        assert [event.attempt_id for event in on.of("busy_ended")] == [on.last("busy_started").attempt_id]


@virtual
async def test_terminals_without_a_name_stay_apart_in_a_log() -> None:
    async with stage(readers=(M2, WISEPAD)) as on:
        other = type(on.terminal)(on.radio, sink=on.events.append)
        await on.connect(M2)
        await other.easy_connect(DESK, serial=WISEPAD)
        assert len({event.attempt_id for event in on.of("connect_started")}) == 2
        await other.close()
