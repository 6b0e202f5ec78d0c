"""Readers that are not as the profile says: another name, broken values, a late service, a bond that is gone (D6, D8, E)."""

import asyncio
from dataclasses import replace

import pytest
from stage import DESK, M2, WISEPAD, stage, virtual

from terminal_kit import errors, profile
from terminal_kit.events import ConnectionStatus
from terminal_kit.memory import Memory
from terminal_kit.simulator.firmware import ReaderModel
from terminal_kit.simulator.gatt import AttributeFault, Notify

S = ConnectionStatus


@virtual
async def test_a_reader_with_another_name_is_found_again_by_it() -> None:
    """C2, C7, X2: what it advertises is a name; its serial number it tells when it is connected."""
    async with stage(readers=(), memory=Memory()) as on:
        on.air.add_reader(M2, name="Till 2")
        (listed,) = await on.terminal.discover_readers(timeout_s=2)
        assert listed.serial == "Till 2"
        reader = await on.terminal.connect_reader(listed, DESK)
        assert (reader.serial, reader.name) == (M2, "Till 2")
        off = on.air.faults.start("switch_off", M2)
        await asyncio.sleep(120)
        off.undo()
        await on.until(S.CONNECTED)
        await on.terminal.disconnect_reader()
        assert (await on.terminal.reconnect_last_reader()).serial == M2
        await on.terminal.disconnect_reader()
        assert (await on.connect(M2)).serial == M2
        await on.terminal.disconnect_reader()
        (listed,) = await on.terminal.discover_readers(timeout_s=2)
        assert listed.serial == M2


@virtual
async def test_a_reader_that_claims_anothers_serial_is_refused() -> None:
    async with stage(readers=()) as on:
        on.air.add_reader(WISEPAD, name=M2)
        with pytest.raises(errors.CommunicationError, match=WISEPAD):
            await on.connect(M2)


class Broken(ReaderModel):
    """Gives one byte, or refuses, where something else is expected."""

    bad: frozenset[str] = frozenset()
    code: int | None = None

    def read(self, uuid: str, *, peer: str, encrypted: bool) -> bytes:
        if uuid not in self.bad:
            return super().read(uuid, peer=peer, encrypted=encrypted)
        if self.code is not None:
            raise AttributeFault(self.code)
        return b"\xff"


OPTIONAL = (
    profile.STATE,
    profile.LAST_STOP,
    profile.BATTERY_LEVEL,
    profile.BATTERY_LEVEL_STATUS,
    profile.SERIAL_NUMBER,
    profile.SOFTWARE_REVISION,
)


@pytest.mark.parametrize("code", [None, 0x05, 0x0E])
@pytest.mark.parametrize("uuid", OPTIONAL)
def test_a_bad_value_costs_that_value_and_no_more(uuid: str, code: int | None) -> None:
    @virtual
    async def check() -> None:
        async with stage(readers=()) as on:
            model = Broken(M2, battery=0.5)
            on.air.add(M2, model)
            # The bare level is read only where the level status is of no use.
            model.bad = frozenset({uuid, profile.BATTERY_LEVEL_STATUS} if uuid == profile.BATTERY_LEVEL else {uuid})
            model.code = code
            await on.connect()
            await asyncio.sleep(3600)
            assert on.terminal.status is S.CONNECTED
            if code is not None:
                faults = {(fault.att_code, fault.extra["characteristic"]) for fault in on.of("att_error")}
                assert (code, uuid) in faults

    check()


@virtual
async def test_a_notification_of_nonsense_is_told_and_forgotten() -> None:
    async with stage() as on:
        await on.connect()
        reader = on.air.readers[M2]
        for uuid in (profile.STATE, profile.NOTICE, profile.BATTERY_LEVEL_STATUS):
            for value in (b"", b"\xff"):
                reader.model._outputs.append(Notify(uuid, value, 0.0))
        reader.settle()
        await asyncio.sleep(1)  # they travel
        assert {event.extra["characteristic"] for event in on.of("att_error")} == {
            profile.STATE,
            profile.BATTERY_LEVEL_STATUS,
        }
        before = len(on.of("signal"))
        await asyncio.sleep(10)
        assert len(on.of("signal")) > before
        assert on.terminal.status is S.CONNECTED


class Shy(ReaderModel):
    """Says what it offers only after a second, as where the UUID stands in the scan response."""

    silent = True

    def advertisement(self):
        said = super().advertisement()
        return replace(said, service_uuids=(), manufacturer_data={}) if said and self.silent else said


@virtual
async def test_a_service_that_is_told_late_makes_a_reader_of_it() -> None:
    """D8."""
    async with stage(readers=()) as on:
        model = Shy("Board 7")
        on.air.add("Board 7", model)
        scan = on.terminal.discover_readers(timeout_s=5)
        await asyncio.sleep(1)
        assert scan.readers == []
        model.silent = False
        on.air.readers["Board 7"].settle()
        (reader,) = await scan
        assert (reader.serial, reader.is_ours) == ("Board 7", True)


@virtual
async def test_forgotten_it_is_paired_anew() -> None:
    """X2: "forget it and pair through the kit"."""
    async with stage(memory=Memory()) as on:
        await on.connect()
        await on.terminal.disconnect_reader()
        on.air.faults.start("lose_bond", M2)
        with pytest.raises(errors.PairingLostError):
            await on.connect()
        (reader,) = await on.terminal.discover_readers(timeout_s=2)
        await on.terminal.forget_reader(reader)
        assert on.terminal.memory.readers() == []
        await on.connect()


@virtual
async def test_a_pairing_is_remembered_whatever_follows() -> None:
    """D6: on BlueZ the kit would else take its own pairing for somebody's."""
    async with stage(memory=Memory()) as on:
        write = on.air.readers[M2].model.write

        def lose(uuid, data, **facts):
            on.air.readers[M2].link.end(0x08)
            return write(uuid, data, **facts)

        on.air.readers[M2].model.write = lose
        with pytest.raises(errors.LinkLostError):
            await on.connect()
        assert [reader.serial for reader in on.terminal.memory.readers()] == [M2]


@virtual
async def test_a_stolen_reader_says_that_it_is_taken() -> None:
    """E, 3241, complaint 10: seen in the list, and when it is taken at the last moment."""
    async with stage() as on:
        (reader,) = await on.terminal.discover_readers(timeout_s=2)
        stolen = on.air.faults.start("steal", M2)
        with pytest.raises(errors.TakenByAnotherHostError):
            await on.terminal.connect_reader(reader, DESK)
        (seen,) = await on.terminal.discover_readers(timeout_s=2)
        assert seen.is_taken
        stolen.undo()
        await on.connect()


@virtual
async def test_settings_that_change_during_a_scan_are_seen() -> None:
    """D6."""
    async with stage() as on:
        scan = on.terminal.discover_readers(timeout_s=10)
        await asyncio.sleep(3)
        assert not scan.readers[0].paired_in_host
        on.air.faults.start("pair_in_system", M2)
        await asyncio.sleep(2)
        assert scan.readers[0].paired_in_host
        await scan


@virtual
async def test_three_percent_on_the_charger_is_still_critical() -> None:
    """C4 knows no exception."""
    async with stage(readers=()) as on:
        on.air.add_reader(M2, battery=0.03, charging=True)
        with pytest.raises(errors.BatteryCriticallyLowError):
            await on.connect()
