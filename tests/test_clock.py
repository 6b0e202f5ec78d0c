"""The clock that may hurry."""

import asyncio
import math
import threading
import time

import pytest

from terminal_kit.errors import InvalidParameterError
from terminal_kit.simulator import SimulatorLoop, run_virtual


def test_a_virtual_week_takes_no_time_and_ends_on_time() -> None:
    async def main() -> float:
        begun_s = asyncio.get_running_loop().time()
        await asyncio.sleep(7 * 86400)
        return asyncio.get_running_loop().time() - begun_s

    assert abs(run_virtual(main()) - 7 * 86400) < 1e-3


def test_equal_deadlines_keep_their_order_however_late_it_is() -> None:
    async def main() -> list[int]:
        loop, order = asyncio.get_running_loop(), list[int]()
        await asyncio.sleep(1e7)
        due_s = loop.time() + 1
        for number in range(500):
            loop.call_at(due_s, order.append, number)
        await asyncio.sleep(2)
        return order

    assert run_virtual(main()) == list(range(500))


def test_time_does_not_jump_while_a_thread_works() -> None:
    async def main() -> tuple[bool, float]:
        loop, may_end = asyncio.get_running_loop(), threading.Event()
        working = asyncio.create_task(asyncio.to_thread(may_end.wait, 5))
        alarm = asyncio.create_task(asyncio.sleep(3600))
        await asyncio.sleep(0)
        begun_s = loop.time()
        threading.Timer(0.02, may_end.set).start()
        await working
        done, passed_s = alarm.done(), loop.time() - begun_s
        await alarm
        return done, passed_s

    done, passed_s = run_virtual(main())
    assert not done
    assert passed_s < 3600


def test_a_day_can_be_skipped_at_real_pace() -> None:
    async def main() -> list[float]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SimulatorLoop)
        fired: list[float] = []
        for hours in (1, 23, 25):
            loop.call_later(hours * 3600, lambda: fired.append(loop.time()))
        await loop.skip(86400)
        return fired

    with asyncio.Runner(loop_factory=SimulatorLoop) as runner:
        first, second = runner.run(main())
    assert abs(first - 3600) < 1
    assert abs(second - 23 * 3600) < 1


def test_another_thread_wakes_it() -> None:
    async def main() -> bool:
        loop, news = asyncio.get_running_loop(), asyncio.Event()
        threading.Timer(0.02, lambda: loop.call_soon_threadsafe(news.set)).start()
        return await news.wait()

    assert run_virtual(main())


def test_standing_still_it_waits_for_news_instead_of_running_through_years() -> None:
    loop = SimulatorLoop(math.inf)
    loop.stands_still = True

    async def main() -> float:
        sleeping = asyncio.create_task(asyncio.sleep(1e9))
        news = asyncio.Event()
        threading.Timer(0.02, lambda: loop.call_soon_threadsafe(news.set)).start()
        await news.wait()
        sleeping.cancel()
        return loop.time()

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        assert runner.run(main()) < 1


def test_scaled_time_runs_at_its_rate() -> None:
    async def main() -> float:
        begun_s = time.monotonic()
        await asyncio.sleep(1)
        return time.monotonic() - begun_s

    with asyncio.Runner(loop_factory=lambda: SimulatorLoop(100.0)) as runner:
        assert runner.run(main()) < 0.9


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan])
def test_time_that_stands_or_goes_back_is_refused(rate: float) -> None:
    loop = SimulatorLoop()
    with pytest.raises(InvalidParameterError):
        loop.rate = rate
    loop.close()
