"""Devices whose SMP server answers as it likes: an installation ends once, with an error of the tree (U4, U13)."""

import asyncio
import random
from contextlib import suppress
from typing import Any

import cbor2
from hypothesis import given, settings
from hypothesis import strategies as st
from releases import OLD, offer
from stage import M2, stage, virtual
from updating import WHOLE, C, S, told_once

from terminal_kit.errors import TerminalError
from terminal_kit.events import Kind

FATES = ("good", "good", "good", "lost", "twice", "late", "noise", "nonsense", "refused", "far", "back", "list")

NONSENSE: list[Any] = [
    {},
    [],
    "off",
    {"off": -1},
    {"off": 2**70},
    {"off": None},
    {"rc": "?"},
    {"err": {"group": 1}},
    {"images": 5},
    {"images": [{"slot": 0}, 7, {"slot": "a", "hash": 3}]},
    {"buf_size": 0, "buf_count": 0},
    {"buf_size": 2**40, "buf_count": 2**40},
]


def reply(frame: bytes, body: Any) -> bytes:
    told = cbor2.dumps(body)
    return frame[:2] + len(told).to_bytes(2, "big") + frame[4:8] + told


def meddled(frame: bytes, fate: str, before: list[bytes], rng: random.Random) -> list[bytes]:
    """What comes in place of an answer."""
    match fate:
        case "lost":
            return []
        case "twice":
            return [frame, frame]
        case "late":
            return [before.pop(0), frame] if before else [frame]
        case "noise":
            return [rng.randbytes(rng.randrange(1, 60)), frame]
        case "nonsense":
            return [reply(frame, rng.choice(NONSENSE))]
        case "refused":
            return [reply(frame, {"rc": rng.randrange(1, 12)})]
        case "far":
            return [reply(frame, {"off": rng.randrange(30_000)})]
        case "back":
            return [reply(frame, {"off": 0})]
        case "list":
            slots = [{"slot": number, "hash": rng.randbytes(32), "active": True} for number in range(9)]
            return [reply(frame, {"images": slots})]
        case _:
            return [frame]


@given(st.lists(st.sampled_from(FATES), min_size=1, max_size=30), st.integers(0, 1000), st.booleans())
@settings(max_examples=60, deadline=None)
def test_whatever_a_device_answers_there_is_one_start_and_one_finish(fates: list[str], seed: int, due: bool) -> None:
    @virtual
    async def check() -> None:
        async with stage() as on:
            reader = on.air.readers[M2]
            offer(reader.model, C.KEYS, required_at_us=on.air.utc_us() if due else None)
            smp, rng = reader.model._smp, random.Random(seed)
            finish, before, number = smp.finish, list[bytes](), 0

            def answer() -> bytes:
                nonlocal number
                frame = finish()
                told = meddled(frame, fates[number % len(fates)], before, rng)
                before.append(frame)
                number += 1
                return b"".join(told)

            smp.finish = answer
            with suppress(TerminalError):
                async with asyncio.timeout(3600):
                    await on.connect()
            if on.terminal.status is S.CONNECTED:
                with suppress(TerminalError):
                    async with asyncio.timeout(3600):
                        await on.terminal.install_available_update()
            told_once(on, attempts=len(on.of(Kind.UPDATE_STARTED)))
            assert on.terminal.installation is None
            # It has working software, old or new, and an honest device finishes the job.
            smp.finish = finish
            if on.terminal.status is S.CONNECTED:
                await on.terminal.disconnect_reader()
            await asyncio.sleep(60)
            assert reader.model.firmware in (OLD, f"{OLD.rpartition('-')[0]}-481002")
            offer(reader.model, required_at_us=on.air.utc_us())
            assert (await on.connect()).firmware.startswith(WHOLE.rpartition("-")[0])

    check()
