"""Faults: each has an effect that can be seen, an undo that takes it back, and an error at the door."""

import asyncio

import pytest
from stage import M2, stage, virtual

from terminal_kit.errors import InvalidParameterError
from terminal_kit.simulator import FAULTS, run_virtual
from terminal_kit.simulator.air import Air


def seen(air: Air) -> tuple[object, ...]:
    """What a fault can change."""
    reader = air.readers[M2]
    model, place = reader.model, reader.place
    return (
        model.is_on and not model.is_booting,
        round(place.distance_m, 1),
        place.body_loss_db,
        place.interference,
        place.unserved,
        round(model.battery, 1),
        model.charging,
        model.response_delay_s,
        str(model.advertisement() and model.advertisement().manufacturer_data),
        reader.taken_by,
        reader.address in air.host.paired_in_system,
        air.host.state,
        model.has_bond("host"),
        model.pending_update,
    )


PASSING = {"false_battery", "reboot", "cut_power", "corrupt_chunk"}
"""They end by themselves."""


@pytest.mark.parametrize("name", [fault.name for fault in FAULTS if fault.name not in PASSING])
def test_it_can_be_seen_and_taken_back(name: str) -> None:
    @virtual
    async def check() -> None:
        async with stage() as on:
            with on.air.readers[M2].handled() as model:
                model.pair("host")
            before = seen(on.air)
            fault = on.air.faults.start(name, M2)
            await asyncio.sleep(60)
            with on.air.readers[M2].handled():
                assert seen(on.air) != before
            assert on.air.faults.active == [fault]
            fault.undo()
            fault.undo()
            await asyncio.sleep(300)
            assert on.air.faults.active == []
            with on.air.readers[M2].handled():
                after = seen(on.air)
            # Standby comes with time, and a charged battery stays charged.
            differing = [i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b and i not in (5, 8)]
            assert differing == []

    check()


@virtual
async def test_a_fault_started_again_takes_new_parameters_and_leads_back_all_the_same() -> None:
    async with stage() as on:
        reader = on.air.readers[M2]
        on.air.faults.start("walk_away", M2, to_m=50.0, speed_m_s=5.0)
        await asyncio.sleep(4)
        again = on.air.faults.start("walk_away", M2, to_m=80.0, speed_m_s=5.0)
        assert on.air.faults.active == [again]
        await asyncio.sleep(60)
        assert reader.place.distance_m == 80.0
        again.undo()
        await asyncio.sleep(60)
        assert reader.place.distance_m == 2.0


@virtual
async def test_equal_faults_at_one_moment_are_told_apart() -> None:
    async with stage() as on:
        first, second = (on.air.faults.start("body", serial) for serial in (M2, M2))
        second.undo()
        first.undo()
        assert on.air.faults.active == []
        assert on.air.readers[M2].place.body_loss_db == 0.0


@virtual
async def test_what_ends_by_itself_is_not_listed() -> None:
    async with stage() as on:
        for name in sorted(PASSING):
            on.air.faults.start(name, M2).undo()
        assert on.air.faults.active == []


@virtual
async def test_one_host_fault_does_not_mend_another() -> None:
    async with stage() as on:
        off = on.air.faults.start("bluetooth_off")
        on.air.faults.start("deny_permission")
        off.undo()
        assert on.air.host.fault == "permission_denied"


@virtual
async def test_what_is_unknown_is_refused_with_near_misses() -> None:
    async with stage() as on:
        for name, reader, parameters, near in (
            ("switch_of", M2, {}, "switch_off"),
            ("body", M2, {"los_db": 3.0}, "loss_db"),
            ("body", "STRM2", {}, M2),
        ):
            with pytest.raises(InvalidParameterError) as caught:
                on.air.faults.start(name, reader, **parameters)
            assert near in caught.value.hint
        assert on.air.faults.active == []


def test_the_same_seed_gives_the_same_run() -> None:
    async def one(seed: int) -> list[tuple[str, float | None]]:
        async with stage(seed) as on:
            await on.connect()
            fault = on.air.faults.start("walk_away", M2)
            await asyncio.sleep(60)
            fault.undo()
            await asyncio.sleep(60)
            return [(event.kind, event.rssi_dbm) for event in on.events]

    assert run_virtual(one(5)) == run_virtual(one(5))
    assert run_virtual(one(5)) != run_virtual(one(6))


@virtual
async def test_faults_that_overlap_do_not_undo_each_other() -> None:
    async with stage() as on:
        start, model, host = on.air.faults.start, on.air.readers[M2].model, on.air.host
        hang, slow = start("hang", M2), start("slow", M2, delay_s=2.0)
        slow.undo()
        assert model.response_delay_s == float("inf")
        hang.undo()
        assert model.response_delay_s == 0
        off, denied = start("bluetooth_off"), start("deny_permission")
        denied.undo()
        assert host.fault == "radio_off"
        off.undo()
        assert host.fault is None
        dark, drain = start("switch_off", M2), start("drain", M2)
        drain.undo()
        await asyncio.sleep(60)
        assert not model.is_on
        dark.undo()
        await asyncio.sleep(60)
        start("reboot", M2)
        start("switch_off", M2)
        await asyncio.sleep(60)
        assert not model.is_on


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        ("interfere", {"share": 3.0}),
        ("interfere", {"share": "x"}),
        ("walk_away", {"speed_m_s": 0}),
        ("walk_away", {"to_m": "far"}),
        ("slow", {"delay_s": -1}),
        ("drain", {"per_hour": True}),
        ("body", {"loss_db": float("nan")}),
        ("switch_off", {"farewell": 1}),
    ],
)
def test_a_parameter_out_of_bounds_is_refused_at_the_door(name: str, parameter: dict[str, object]) -> None:
    @virtual
    async def check() -> None:
        async with stage() as on:
            with pytest.raises(InvalidParameterError) as caught:
                on.air.faults.start(name, M2, **parameter)
            assert caught.value.parameter in parameter
            assert on.air.faults.active == []

    check()
