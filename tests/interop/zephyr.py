"""Zephyr's SMP servers, ready-built in smpclient's repository, which also knows how they are started."""

import asyncio
import importlib.util
import itertools
import re
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import cbor2
from board import Facts
from smp.header import Header
from smp.message import Request
from smp.os_management import EchoWriteRequest, MCUMgrParametersReadRequest
from smpclient.transport.serial import SMPSerialRawTransport, SMPSerialTransport
from smpclient.transport.udp import SMPUDPTransport

CONSOLE_FRAMING_BYTES = 4
"""Length and CRC of SMP over a console share the server's buffer with the frame (Zephyr, "SMP transport")."""

BOOT_S = 60.0
"""An emulated boot with a swap takes a second or two; a busy machine multiplies that."""

PROBE_S, PAUSE_S = 1.0, 0.05
"""What is sent while the UART is not up is lost, so that a probe is repeated; each time later, since a raw line of
which half a frame was lost finds its beginnings again in silence only."""


def load(checkout: Path) -> ModuleType:
    """The repository's own module that lists and starts the servers."""
    if (loaded := sys.modules.get("smpclient_servers")) is None:
        spec = importlib.util.spec_from_file_location(
            "smpclient_servers", checkout / "tests" / "integration" / "servers.py"
        )
        loaded = sys.modules["smpclient_servers"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loaded)
    return loaded


def signed_image(fixture: Any) -> bytes:
    """The image that the server runs (its file's name is the rule of the repository's `signed_image`)."""
    return fixture.path.with_name(re.sub(r"\.(merged\.)?hex$", ".signed.bin", fixture.artifact)).read_bytes()


def facts_of(fixture: Any) -> Facts:
    zephyr, build = re.match(r"zephyr_(.+?)_smp_server_(.+?)_", fixture.artifact).groups()
    return Facts(
        server=fixture.id,
        software=f"Zephyr {zephyr}, smp-server-fixtures {build}",
        artifact=fixture.artifact,
        sha256=sha256(fixture.path.read_bytes()).hexdigest(),
        buf_size=fixture.buf_size if fixture.params_supported else None,
        buf_count=fixture.buf_count if fixture.params_supported else None,
        recovery_buf_size=fixture.recovery_buf_size,
        has_images=fixture.has_group("img"),
        framing_bytes=CONSOLE_FRAMING_BYTES if fixture.transport in ("serial", "shell") else 0,
        # Zephyr's UART takes lines as they come and drops what finds no buffer; the nRF51's (16 kB) then crashes
        # ("Insufficient buffers, fragment dropped", a CPU exception). Only the Cortex-M3 has room for several.
        window=4 if fixture.target == "mps2_an385" else 1,
    )


class ZephyrLine:
    """smpclient's transport as a line."""

    def __init__(self, fixture: Any, transport: Any) -> None:
        self.facts = facts_of(fixture)
        self.take: Callable[[bytes], None] = lambda _frame: None
        self._transport = transport

    async def send(self, frame: bytes) -> None:
        await self._transport.send(frame)

    def widen(self, buf_size: int) -> None:
        self._transport.initialize(buf_size)

    async def listen(self) -> None:
        """Hands over what comes, for ever."""
        while True:
            frame = await self._transport.receive()
            self.take(bytes(frame))

    async def answers(self) -> None:
        """Waits until the server answers."""
        await self._ask(lambda number: EchoWriteRequest(d="ready?", sequence=number), lambda _answer: True)

    async def restarted(self) -> None:
        # What the console says beside SMP's lines is kept by the transport; nothing else tells a restart from a pause.
        async with asyncio.timeout(BOOT_S):
            while b"*** Booting Zephyr OS" not in (heard := self._transport._serial_buffer):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        heard.clear()
        await self.answers()

    async def recovered(self) -> None:
        await self._ask(
            lambda number: MCUMgrParametersReadRequest(sequence=number),
            lambda answer: (answer.get("buf_size"), answer.get("buf_count")) == (self.facts.recovery_buf_size, 1),
        )

    async def _ask(self, make: Callable[[int], Request], is_it: Callable[[dict[str, Any]], bool]) -> None:
        """Asks until the answer to the last question is the one: the answers to earlier ones are out of the way then."""
        patience_s = PROBE_S
        async with asyncio.timeout(BOOT_S):
            for number in itertools.cycle(range(256)):
                answered: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

                def take(frame: bytes, number: int = number, answered: Any = answered) -> None:
                    if frame[6] == number and not answered.done():
                        answered.set_result(cbor2.loads(frame[Header.SIZE :]))

                self.take = take
                await self.send(bytes(make(number)))
                try:
                    async with asyncio.timeout(patience_s):
                        if is_it(await answered):
                            return
                except TimeoutError:
                    patience_s *= 2
                await asyncio.sleep(PAUSE_S)


@asynccontextmanager
async def opened(servers: ModuleType, fixture: Any) -> AsyncGenerator[ZephyrLine]:
    """Starts a server and opens a line to it that answers."""
    if fixture.qemu_cmd:
        # Bytes of an answer leave one by one: without this each waits for the last one's acknowledgement (40 ms).
        fixture = fixture._replace(qemu_cmd=fixture.qemu_cmd.replace("wait=off", "wait=off,nodelay=on"))
    raw = fixture.transport == "serial_raw"
    async with servers.serve(fixture) as endpoint:
        match endpoint:
            case servers.UdpEndpoint():
                transport, address = SMPUDPTransport(), endpoint.host
            case servers.PtyEndpoint():
                transport, address = (SMPSerialRawTransport() if raw else SMPSerialTransport()), endpoint.pty
            case _:
                of_qemu = servers.QemuSocketSerialRawTransport if raw else servers.QemuSocketSerialTransport
                transport, address = of_qemu(endpoint.url), endpoint.url
        await transport.connect(address, 10.0)
        line = ZephyrLine(fixture, transport)
        listening = asyncio.create_task(line.listen())
        try:
            await line.answers()
            yield line
            assert not listening.done(), listening.exception()
        finally:
            listening.cancel()
            await asyncio.wait({listening})
            await transport.disconnect()
