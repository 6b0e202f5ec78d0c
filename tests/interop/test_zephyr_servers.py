"""Our client and Zephyr's own SMP servers.

    pytest tests/interop --smpclient-checkout DIR [--record]

DIR is a checkout of https://github.com/intercreate/smpclient, whose tests carry the servers: programs for Linux (they
need libc6:i386) and for boards that QEMU emulates (qemu-system-arm). `--record` keeps the exchanges of `KEPT`, which
`test_recordings.py` tells again without the servers.

What is left out, and why:

- The programs for Linux, and two of the nRF51's, have no image group: they tell their buffers, and refuse images.
- The Cortex-M3 (mps2_an385) starts its images from RAM, the newest one, without trial: it refuses to mark one. An
  update to it ends there, which is right for a kit whose updates leave the former software a way back.
- MCUboot's own server (serial recovery) knows neither test nor confirm, and takes an image into the slot that it starts
  from. It is used in those servers whose bootloader tells its buffers.
- The nRF51 (qemu_cortex_m0) does the whole of it: upload, trial start, swap, confirm. But QEMU loads its former software
  anew at each reset: what an update is after a *second* restart cannot be seen there.
- Losing a chunk needs several requests in flight, for which the Cortex-M3 alone has room.
- Nothing here is signed: these bootloaders check the SHA-256 alone.
"""

from pathlib import Path

import pytest
import stories
from board import Board, Recorder, Recording
from zephyr import opened, signed_image

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

RECORDINGS = Path(__file__).parent / "recordings"

BOARD = "qemu_cortex_m0.serial"
M3 = "mps2_an385.serial_recovery"

KEPT = {
    "offers": {BOARD, "native_sim.serial", "native_sim.serial_noparams", "native_sim.udp"},
    "takes_an_image": {BOARD, f"{M3}_raw", f"{M3}_buf1024"},
    "goes_on": {BOARD, M3},
    "misses_a_chunk": {M3, f"{M3}_raw"},
    "has_no_trial": {M3},
    "keeps_its_software": {BOARD},
    "updates": {BOARD},
    "recovers": {M3, f"{M3}_raw"},
}
"""Story → the servers of which a recording is kept: one of each kind."""


@pytest.fixture
def tell(servers, request):
    """Tells a story to a server, and records it where that is asked for."""

    async def tell(story, server, *, keep=True):
        name = story.__name__
        async with opened(servers, server) as line:
            recorder = Recorder(line)
            await story(Board(recorder))
        if keep and request.config.getoption("--record") and server.id in KEPT.get(name, ()):
            recording = Recording(story=name, facts=recorder.facts, connections=recorder.connections)
            recording.write(RECORDINGS / f"{server.id}.{name}.json")

    return tell


def among(fits):
    """Which servers a test is for."""

    def mark(test):
        test.fits = fits
        return test

    return mark


async def test_it_says_what_it_offers(tell, server):
    await tell(stories.offers, server)


@among(lambda server: server.has_group("img"))
async def test_it_takes_an_image(tell, server):
    await tell(stories.takes_an_image, server)


@among(lambda server: server.has_group("img"))
async def test_a_program_arrives_whole(tell, server):
    image = stories.newer(signed_image(server))

    async def takes_a_program(board):
        smp = await board.smp()
        assert (await stories.upload(smp, image))[-1] == len(image.data)
        assert (await stories.holds(smp, image)).slot == 1

    await tell(takes_a_program, server)


@among(lambda server: server.has_group("img"))
async def test_an_upload_that_broke_off_goes_on(tell, server):
    await tell(stories.goes_on, server)


@among(lambda server: server.target == "mps2_an385")
async def test_a_lost_chunk_is_sent_again(tell, server):
    await tell(stories.misses_a_chunk, server)


@among(lambda server: server.target == "mps2_an385")
async def test_without_a_trial_there_is_no_update(tell, server):
    await tell(stories.has_no_trial, server)


@among(lambda server: server.id == BOARD)
async def test_the_whole_update(tell, server):
    await tell(stories.updates_to(stories.newer(signed_image(server))), server)


@among(lambda server: server.id == BOARD)
async def test_an_update_that_broke_off_is_taken_up(tell, server):
    await tell(stories.takes_up(stories.newer(signed_image(server))), server)


@among(lambda server: server.id == BOARD)
async def test_an_image_that_does_not_start_changes_nothing(tell, server):
    await tell(stories.keeps_its_software, server)


@among(lambda server: server.recovery_buf_size is not None)
async def test_mcuboots_own_server_takes_an_image(tell, server):
    await tell(stories.recovers_with(stories.SMALL), server)


@among(lambda server: server.recovery_buf_size is not None)
async def test_mcuboot_accepts_a_program_that_came_to_its_own_server(tell, server):
    await tell(stories.recovers_with(stories.newer(signed_image(server))), server, keep=False)
