"""Inside the machine: updates over BlueZ, the kernel's HCI and Bumble's reader, whole and cut in the middle."""

import random

import pytest
from test_stack import DESK, M2, S, Stage, stage

from terminal_kit.errors import UpdateInterruptedError
from terminal_kit.events import UpdateComponent
from terminal_kit.image import make_image
from terminal_kit.simulator.demo_key import DEMO_KEY

IMAGE = make_image(
    random.Random(1).randbytes(60_000),
    component=UpdateComponent.FIRMWARE,
    version="2.02.00.00",
    device_types=("stripe_m2",),
    key=DEMO_KEY,
)
NEW = "2.02.00.00-SZZZ_Prod_US_v12-481001"


def kinds(on: Stage, *among: str) -> list[str]:
    return [event.kind for event in on.events if event.kind in among]


async def test_an_update_is_installed() -> None:
    """Upload, trial start, confirm; the restart belongs to it (U4, U12)."""
    async with stage() as on:
        await on.terminal.easy_connect(DESK, serial=M2)
        on.events.clear()
        installation = on.terminal.install_images(IMAGE)
        steps = [step async for step in installation]
        fractions = [step.fraction for step in steps]
        assert fractions == sorted(fractions)
        assert fractions[-1] == 1
        print("upload:", round(max(step.bytes_per_s or 0 for step in steps)), "bytes/s")
        assert on.terminal.status is S.CONNECTED
        assert on.terminal.connected_reader.firmware == on.model.firmware == NEW
        assert kinds(on, "update_started", "update_finished", "link_disconnected", "reconnect_started") == [
            "update_started",
            "update_finished",
        ]
        await on.terminal.reboot_reader()
        await on.until(S.RECONNECTING)
        await on.until(S.CONNECTED)
        assert on.model.firmware == NEW


async def test_an_update_that_was_cut_off_goes_on_where_it_was() -> None:
    """X1, U10: the link breaks in the middle; the reader comes back as it was, and needs only the rest."""
    async with stage() as on:
        await on.terminal.easy_connect(DESK, serial=M2)
        installation = on.terminal.install_images(IMAGE)
        async for step in installation:
            if step.sent_bytes > len(IMAGE.data) // 2:
                on.air.controller.lose_links()
                break
        with pytest.raises(UpdateInterruptedError):
            await installation
        await on.until(S.CONNECTED)
        assert on.model.firmware != NEW
        again = [step async for step in on.terminal.install_images(IMAGE)]
        had = next(step.sent_bytes for step in again if step.sent_bytes)
        assert had > len(IMAGE.data) // 2
        assert on.terminal.connected_reader.firmware == NEW
