"""What every test gets: a failure if it leaves a task running or blocks the loop."""

import asyncio
from collections.abc import Iterator

import pytest
from blockbuster import BlockBuster, blockbuster_ctx


@pytest.fixture(autouse=True)
def no_blocking_calls() -> Iterator[BlockBuster | None]:
    """Package code that blocks the event loop fails the test."""
    with blockbuster_ctx("terminal_kit") as blockbuster:
        yield blockbuster


@pytest.fixture(autouse=True)
async def no_task_survives() -> Iterator[None]:
    """A test that leaves a task of ours running fails."""
    yield
    mine = asyncio.current_task()
    left = [task for task in asyncio.all_tasks() if task is not mine and task.get_name().startswith("terminal_kit")]
    assert not left, f"still running: {left}"
