"""Clients that others wrote update our reader: smpclient's, here and with its own Bumble in an environment of its own."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import venv
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from bleak import BleakScanner
from bumble.link import LocalLink
from bumble.transport.tcp_server import open_tcp_server_transport_with_socket
from smpclient import SMPClient
from smpclient.generics import success
from smpclient.requests.image_management import ImageStatesRead, ImageStatesWrite
from smpclient.requests.os_management import MCUMgrParametersRead, ResetWrite
from smpclient.transport import SMP_CHARACTERISTIC_UUID, SMPTransport

from terminal_kit import profile
from terminal_kit.events import UpdateComponent
from terminal_kit.image import make_image
from terminal_kit.radio.bumble_controller import VirtualController, controller_on
from terminal_kit.radio.serve import serve_reader
from terminal_kit.radio.virtual import virtual_radio
from terminal_kit.simulator.demo_key import DEMO_KEY
from terminal_kit.simulator.firmware import ReaderModel

SERIAL = "STRM26138003393"
OLD, NEW = "2.01.01.00-SZZZ_Prod_US_v12-481001", "2.01.02.00-SZZZ_Prod_US_v12-481001"
IMAGE = make_image(
    bytes(range(256)) * 80,
    component=UpdateComponent.FIRMWARE,
    version="2.01.02.00",
    device_types=("stripe_m2",),
    key=DEMO_KEY,
)
THEIR_CLIENT = "smpclient[bumble]==7.3.0"
"""Its Bumble extra pins another Bumble than ours."""

THEIR_SCRIPT = Path(__file__).with_name("theirs.py")

BOOT_S = 30.0
"""More than any reader takes to restart."""


class OverBleak(SMPTransport):
    """smpclient's transport over a connection of bleak's."""

    def __init__(self, client):
        self._client = client
        self._heard = asyncio.Queue()

    async def connect(self, address, timeout_s):
        await self._client.connect()
        heard = self._heard
        await self._client.start_notify(SMP_CHARACTERISTIC_UUID, lambda _sender, piece: heard.put_nowait(bytes(piece)))

    async def disconnect(self):
        await self._client.disconnect()

    async def send(self, data):
        for start in range(0, len(data), self.mtu):
            piece = data[start : start + self.mtu]
            await self._client.write_gatt_char(SMP_CHARACTERISTIC_UUID, piece, response=False)

    async def receive(self):
        frame = await self._heard.get()
        while len(frame) < 8 + int.from_bytes(frame[2:4], "big"):
            frame += await self._heard.get()
        return frame

    async def send_and_receive(self, data):
        await self.send(data)
        return await self.receive()

    @property
    def mtu(self):
        return min(self._client.mtu_size - 3, 512)  # an attribute is no longer (Core Vol 3 Part F, 3.2.9)


async def ask(client, request):
    answer = await client.request(request)
    assert success(answer), answer
    return answer


def of_the_firmware(states):
    return [each for each in states.images if each.image in (0, None)]


async def connect(radio):
    gone = asyncio.Event()
    device = await BleakScanner.find_device_by_name(SERIAL, 5.0, backend=radio.backends.scanner)
    near = radio.client(device, on_disconnect=lambda _client: gone.set(), timeout_s=5.0)
    client = SMPClient(OverBleak(near), device.address)
    await client.connect()
    return near, client, gone


async def test_smpclient_updates_a_reader():
    """Upload, list, test, reset, confirm, with smpclient's requests and its models of the answers."""
    model = ReaderModel(SERIAL, firmware=OLD, smp_needs_pairing=False)
    async with virtual_radio(model) as radio:
        near, client, gone = await connect(radio)
        parameters = await ask(client, MCUMgrParametersRead())
        assert (parameters.buf_size, parameters.buf_count) == (2475, 4)
        offsets = [offset async for offset in client.upload(IMAGE.data)]
        assert offsets == sorted(offsets)
        assert offsets[-1] == len(IMAGE.data)
        running, waiting = of_the_firmware(await ask(client, ImageStatesRead()))
        assert (running.slot, running.active, running.confirmed) == (0, True, True)
        assert (waiting.slot, waiting.version, waiting.hash) == (1, str(IMAGE.version), IMAGE.digest)
        assert not waiting.pending
        marked = of_the_firmware(await ask(client, ImageStatesWrite(hash=IMAGE.digest)))
        assert marked[1].pending
        await ask(client, ResetWrite())
        async with asyncio.timeout(5):
            await gone.wait()

        radio.readers[SERIAL].skip(BOOT_S)
        near, client, gone = await connect(radio)
        running, former = of_the_firmware(await ask(client, ImageStatesRead()))
        assert (running.hash, running.active) == (IMAGE.digest, True)
        assert not running.confirmed
        assert not former.active
        running = of_the_firmware(await ask(client, ImageStatesWrite(hash=IMAGE.digest, confirm=True)))[0]
        assert running.confirmed
        assert (await near.read_gatt_char(profile.SOFTWARE_REVISION)).decode() == NEW
        await client.disconnect()

        model.reboot()
        radio.readers[SERIAL].skip(BOOT_S)
        assert model.firmware == NEW


async def test_an_image_that_nobody_signed_is_never_started():
    """U13: smpclient may upload it and mark it, as with MCUboot; the bootloader refuses it, and the reader stays."""
    model = ReaderModel(SERIAL, firmware=OLD, smp_needs_pairing=False)
    stranger = make_image(bytes(4000), component=UpdateComponent.FIRMWARE, version="2.02.00.00", key=None)
    async with virtual_radio(model) as radio:
        near, client, gone = await connect(radio)
        assert [offset async for offset in client.upload(stranger.data)][-1] == len(stranger.data)
        await ask(client, ImageStatesWrite(hash=stranger.digest))
        await ask(client, ResetWrite())
        async with asyncio.timeout(5):
            await gone.wait()
        radio.readers[SERIAL].skip(BOOT_S)
        near, client, gone = await connect(radio)
        running = of_the_firmware(await ask(client, ImageStatesRead()))[0]
        assert running.active
        assert running.confirmed
        assert running.hash != stranger.digest
        assert (await near.read_gatt_char(profile.SOFTWARE_REVISION)).decode() == OLD
        await client.disconnect()


@pytest.fixture(scope="session")
def their_python(request, tmp_path_factory):
    """An environment with smpclient and its own Bumble, kept in pytest's cache."""
    cache = getattr(request.config, "cache", None)
    place = Path(cache.mkdir("smpclient")) if cache else tmp_path_factory.mktemp("smpclient")
    python = place / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    whole = place / "whole"
    if not whole.exists() or whole.read_text() != f"{THEIR_CLIENT} {sys.version}":
        venv.create(place, clear=True, with_pip=True)
        installing = subprocess.run(
            [python, "-m", "pip", "install", "--quiet", THEIR_CLIENT], capture_output=True, text=True, check=False
        )
        if installing.returncode:
            (pytest.fail if os.environ.get("CI") else pytest.skip)(
                f"cannot install {THEIR_CLIENT}: {installing.stderr}"
            )
        whole.write_text(f"{THEIR_CLIENT} {sys.version}")
    return python


@asynccontextmanager
async def tcp_controller(link):
    """A controller on the link whose host comes by TCP; gives Bumble's name for the way to it."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    transport = await open_tcp_server_transport_with_socket(listening)
    controller = VirtualController("theirs", host_source=transport.source, host_sink=transport.sink, link=link)
    try:
        yield f"tcp-client:127.0.0.1:{port}"
    finally:
        controller.fall_silent()
        link.remove_controller(controller)
        transport.server.close()
        await transport.server.wait_closed()


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("pairing", ["plain", "pair"])
async def test_smpclient_on_its_own_bumble_updates_a_reader(their_python, tmp_path, pairing):
    """Another host stack, in another process; once as a board is updated, once paired by its own pairing (C8)."""
    model = ReaderModel(SERIAL, firmware=OLD, smp_needs_pairing=pairing == "pair")
    link = LocalLink()
    image = tmp_path / "image.bin"
    image.write_bytes(IMAGE.data)
    digest = IMAGE.digest.hex()
    with controller_on(link, SERIAL) as far:
        async with tcp_controller(link) as hci, serve_reader(model, far) as served:

            async def theirs(*what):
                child = await asyncio.create_subprocess_exec(
                    *(their_python, THEIR_SCRIPT, hci, served.address, tmp_path / "bonds", pairing, *what),
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.PIPE,
                )
                said, complained = await child.communicate()
                assert child.returncode == 0, complained.decode()
                return json.loads(said)

            before = await theirs(digest, image)
            after = await theirs(digest)
    assert before["offsets"][-1] == len(IMAGE.data)
    assert [each["version"] for each in before["uploaded"]] == ["2.1.1", "2.1.2"]
    new = {"slot": 0, "version": "2.1.2", "active": True, "confirmed": False}
    assert after["running"][0] == new
    assert after["confirmed"][0] == {**new, "confirmed": True}
    assert model.firmware == NEW
