"""Losing a reader and getting it back, rule by rule (X, R)."""

import asyncio

import pytest
from stage import M2, stage, virtual

from terminal_kit import errors
from terminal_kit.events import ConnectionStatus, DisconnectReason, ReasonSource
from terminal_kit.terminal import ReconnectPolicy

S = ConnectionStatus


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
