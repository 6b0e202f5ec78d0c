"""`--radio simulated|virtual|native`, again for several; by default the two that need no hardware."""

import asyncio
import importlib

import pytest
from radio_bench import BENCHES, LOOPS

from terminal_kit.simulator.firmware import ReaderModel

SERIALS = ("STRM26138003393", "WPC323105002323")


def pytest_addoption(parser):
    parser.addoption("--radio", action="append", choices=("simulated", "virtual", "native"))
    parser.addoption("--bench", metavar="MODULE:FUNCTION", help="opens the native radio's bench (see radio_bench.py)")


def pytest_generate_tests(metafunc):
    if "radio_name" in metafunc.fixturenames:
        metafunc.parametrize(
            "radio_name", metafunc.config.getoption("--radio", default=None) or ["simulated", "virtual"]
        )


@pytest.fixture
def run_on_bench(radio_name, request):
    """Runs a coroutine function with a bench of two readers, on the radio's own kind of loop."""
    opened = BENCHES.get(radio_name)
    if opened is None:
        module, _, function = (request.config.getoption("--bench", default=None) or "").partition(":")
        if not function:
            pytest.skip("needs --bench MODULE:FUNCTION")
        opened = getattr(importlib.import_module(module), function)

    async def bounded(case):
        async with asyncio.timeout(3600 if radio_name in LOOPS else 50):
            async with opened(*(ReaderModel(serial, battery=0.42) for serial in SERIALS)) as bench:
                await case(bench)
        # bleak keeps its own connection to D-Bus as long as the loop lives.
        left = asyncio.all_tasks() - {asyncio.current_task()}
        left = [task for task in left if not task.get_coro().__qualname__.startswith("BlueZManager.")]
        assert not left, f"still running: {left}"

    def run(case):
        with asyncio.Runner(loop_factory=LOOPS.get(radio_name)) as runner:
            runner.run(bounded(case))

    return run
