"""The virtual radio: bleak's backends over Bumble, a whole Bluetooth stack in Python, with readers on the same link.

Every byte passes through ATT, L2CAP, SMP and HCI, so it shows what a real stack makes of a reader. It shows less of the
air than the simulated radio does: the signal is constant, nothing is lost, and no supervision timeout ends a link: a
reader that vanishes without a word is missed only when a request stays unanswered for 30 s.
"""

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from bleak import BleakClient
from bumble.link import LocalLink
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from terminal_kit.radio import Backends, Capabilities, LinkLoss, LinkParameters, Radio
from terminal_kit.radio.bumble_client import VirtualClient
from terminal_kit.radio.bumble_controller import controller_on
from terminal_kit.radio.bumble_host import BumbleHost, open_host
from terminal_kit.radio.bumble_scanner import VirtualScanner
from terminal_kit.radio.serve import ServedReader, serve_reader
from terminal_kit.radio.updates import ModelUpdates
from terminal_kit.simulator.firmware import ReaderModel

CAPABILITIES = Capabilities(supervision_timeout=False, varying_signal=False, link_codes=True)


@dataclass(frozen=True, kw_only=True)
class VirtualRadio(Radio):
    """A radio with its readers, by serial."""

    readers: Mapping[str, ServedReader] = field(default_factory=dict[str, ServedReader])


@asynccontextmanager
async def virtual_radio(
    *models: ReaderModel, trusted_keys: Iterable[Ed25519PublicKey] = ()
) -> AsyncGenerator[VirtualRadio]:
    """A virtual link with these readers, or with one of each type, and a host that hears them, while the block runs.

    `trusted_keys` are those whose updates the readers accept, beside their own.
    """
    models = models or _one_of_each()
    for key in trusted_keys:
        for model in models:
            model.trust(key)
    link = LocalLink()
    async with AsyncExitStack() as undo:
        host = await undo.enter_async_context(open_host(undo.enter_context(controller_on(link, "host"))))
        readers: dict[str, ServedReader] = {}
        for model in models:
            transport = undo.enter_context(controller_on(link, model.serial))
            readers[model.serial] = await undo.enter_async_context(serve_reader(model, transport))
        yield bumble_radio(host, readers)


def bumble_radio(host: BumbleHost, readers: Mapping[str, ServedReader] | None = None) -> VirtualRadio:
    """The radio of a Bumble host, whatever its transport; `readers` are those that are served here."""
    served = readers or {}

    def link_loss(client: BleakClient) -> LinkLoss:
        link = host.links.get(client.address)
        return link.loss if link else LinkLoss()

    def link_parameters(client: BleakClient) -> LinkParameters:
        link = host.links.get(client.address)
        return link.parameters if link and link.is_up else LinkParameters()

    def model_of(serial: str) -> ReaderModel | None:
        return served[serial].model if serial in served else None

    return VirtualRadio(
        name="virtual",
        backends=bumble_backends(host),
        capabilities=CAPABILITIES,
        link_loss=link_loss,
        link_parameters=link_parameters,
        updates=ModelUpdates(model_of),
        readers=served,
    )


def bumble_backends(near: BumbleHost) -> Backends:
    """The two backend classes for a host: bleak takes classes, so each host has its own."""

    class Scanner(VirtualScanner):
        host = near

    class Client(VirtualClient):
        host = near
        scanner = Scanner

    return Backends(Scanner, Client)


def _one_of_each() -> tuple[ReaderModel, ...]:
    return (
        ReaderModel("STRM26138003393", battery=0.87),
        ReaderModel("WPC323105002323", battery=0.41),
        ReaderModel("CHB204909005931", battery=0.64),
    )
