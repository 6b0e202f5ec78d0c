"""The simulated radio: bleak's two backends over a simulated air.

They raise what real backends raise, so that `Terminal` and everything above cannot tell the difference.
"""

from typing import Any, ClassVar

from bleak import BleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner

from terminal_kit.radio import Backends, Capabilities, LinkLoss, LinkParameters, Radio, Undo
from terminal_kit.radio.simulated_client import Reader, SimulatedClient, check_host
from terminal_kit.radio.updates import ModelUpdates, OnlyOnline
from terminal_kit.simulator.air import Air
from terminal_kit.simulator.firmware import ReaderModel
from terminal_kit.simulator.gatt import Advertisement
from terminal_kit.simulator.link import LOCAL_HOST


def simulated_radio(air: Air) -> Radio:
    """The radio of an air. Backend classes are made for each air, since bleak takes classes."""

    class Scanner(SimulatedScanner):
        """Scans this air."""

    class Client(SimulatedClient):
        """Connects in this air."""

    Scanner.air = Client.air = air

    async def held_by_host(device: BLEDevice) -> bool:
        return device.address in air.host.paired_in_system

    def model_of(serial: str) -> ReaderModel | None:
        reader = air.readers.get(serial)
        return reader.model if reader and isinstance(reader.model, ReaderModel) else None

    return Radio(
        name="simulated",
        backends=Backends(Scanner, Client),
        clock=air,
        capabilities=Capabilities(link_codes=True, host_faults=True),
        host_state=lambda: air.host.state,
        watch_host=air.host.watch,
        link_loss=_link_loss,
        link_parameters=_link_parameters,
        held_by_host=held_by_host,
        updates=OnlyOnline(ModelUpdates(model_of), lambda: air.host.internet),
    )


def _backend(client: BleakClient) -> "SimulatedClient | None":
    # bleak keeps the backend to itself, and offers no other way from a client to it.
    backend = client._backend  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
    return backend if isinstance(backend, SimulatedClient) else None


def _link_loss(client: BleakClient) -> LinkLoss:
    backend = _backend(client)
    code = backend.end_code if backend else None
    return LinkLoss(code, None if code is None else "host" if code == LOCAL_HOST else "reader")


def _link_parameters(client: BleakClient) -> LinkParameters:
    backend = _backend(client)
    if backend is None or backend.link is None:
        return LinkParameters()
    now = backend.link.parameters
    return LinkParameters(now.interval_ms, now.peripheral_latency, now.supervision_timeout_s, now.mtu_bytes)


class SimulatedScanner(BaseBleakScanner):
    """bleak's scanner over an air."""

    air: ClassVar[Air]

    def __init__(self, detection_callback: Any, service_uuids: list[str] | None, *_: Any, **__: Any) -> None:
        super().__init__(detection_callback, service_uuids)
        self._undo: Undo | None = None

    async def start(self) -> None:
        """Starts; raises where the host cannot."""
        check_host(self.air)
        self.seen_devices = {}
        self._undo = self.air.hear(self._hear)

    async def stop(self) -> None:
        """Stops. Safe to repeat."""
        if self._undo is not None:
            self._undo()
            self._undo = None

    def _hear(self, reader: Reader, advertisement: Advertisement, rssi_dbm: int) -> None:
        if self.air.host.fault is not None:
            return
        uuids = list(advertisement.service_uuids)
        if not self.is_allowed_uuid(uuids):
            return
        heard = AdvertisementData(
            advertisement.local_name,
            dict(advertisement.manufacturer_data),
            dict(advertisement.service_data),
            uuids,
            advertisement.tx_power_dbm,
            rssi_dbm,
            (reader,),
        )
        device = self.create_or_update_device(reader.address, reader.address, advertisement.local_name, reader, heard)
        self.call_detection_callbacks(device, heard)
