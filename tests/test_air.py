"""The air: seeded, lazy, on the loop's clock."""

import asyncio
from datetime import UTC, datetime

import pytest
from stage import M2, WISEPAD, virtual

from terminal_kit.errors import InvalidParameterError
from terminal_kit.simulator.air import Air


async def heard(seed: int, *serials: str, seconds: float = 10.0) -> list[tuple[str, float, int]]:
    """Who was heard when and how strongly."""
    air = Air(seed)
    for serial in serials:
        air.add_reader(serial, distance_m=20.0)
    found: list[tuple[str, float, int]] = []
    stop = air.hear(lambda reader, _, rssi_dbm: found.append((reader.model.serial, air.monotonic_s(), rssi_dbm)))
    await asyncio.sleep(seconds)
    stop()
    air.close()
    return found


def of(serial: str, found: list[tuple[str, float, int]]) -> list[int]:
    return [rssi_dbm for who, _, rssi_dbm in found if who == serial]


@virtual
async def test_a_seed_repeats_a_run_and_another_reader_changes_nothing() -> None:
    alone = await heard(3, M2)
    assert of(M2, alone) == of(M2, await heard(3, M2)) == of(M2, await heard(3, M2, WISEPAD))
    assert of(M2, alone) != of(M2, await heard(4, M2))


@virtual
async def test_a_reader_advertises_at_its_interval() -> None:
    found = await heard(1, M2, seconds=60.0)
    assert len(found) == pytest.approx(60 / 0.205, abs=6)  # 0.2 s, and 5 ms of jitter on average


@virtual
async def test_every_listener_hears_and_stops_by_itself() -> None:
    air = Air(1)
    air.add_reader(M2)
    counts = [0, 0]

    def listener(number: int) -> object:
        def count(*_: object) -> None:
            counts[number] += 1

        return count

    stop_first, stop_second = (air.hear(listener(number)) for number in (0, 1))
    await asyncio.sleep(5)
    assert counts[0] == counts[1] > 20
    stop_first()
    stop_first()
    before = list(counts)
    await asyncio.sleep(5)
    assert counts[0] == before[0]
    assert counts[1] > before[1]
    stop_second()
    air.close()


@virtual
async def test_time_for_records_goes_with_the_loop() -> None:
    air = Air(start=datetime(2026, 3, 1, 12, tzinfo=UTC))
    jumps: list[float] = []
    air.on_clock_jump(jumps.append)
    await air.skip_time(86_400)
    assert datetime.fromtimestamp(air.utc_us() / 1e6, UTC) == datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert jumps == [86_400]
    air.close()


async def test_a_clock_that_cannot_jump_says_so() -> None:
    air = Air()
    with pytest.raises(InvalidParameterError, match="cannot jump"):
        await air.skip_time(1)
    air.close()


@virtual
async def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match="time zone"):
        Air(start=datetime(2026, 3, 1))  # noqa: DTZ001
    air = Air()
    air.add_reader(M2)
    with pytest.raises(InvalidParameterError, match="already"):
        air.add_reader(M2)
    air.close()


@virtual
async def test_a_new_link_is_not_told_what_the_last_one_heard() -> None:
    air = Air(1)
    reader = air.add_reader(M2, distance_m=2.0)
    reader.model.host_rssi_dbm = -127
    reader.open_link(air.parameters)
    assert reader.model.host_rssi_dbm == pytest.approx(-48, abs=15)
    air.close()
