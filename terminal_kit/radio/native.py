"""The host's own radio, through bleak's backend for the system.

On Linux, BlueZ tells over D-Bus what bleak does not: whether the adapter is on, when that changes, and whether the
system's settings hold a device (D5, D6). macOS and Windows tell none of it ahead; there the errors of a scan do.
No system's stack tells why a link ended in a way that all tested versions share, so link codes are not claimed (X1).
"""

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

from bleak.backends.device import BLEDevice

from terminal_kit.memory import Bonds
from terminal_kit.profile import READER, SMP
from terminal_kit.radio import Backends, Capabilities, HostFault, HostState, LinkParameters, Radio, Undo
from terminal_kit.radio.bluez_scanner import SharedScanner

_ADAPTER = "org.bluez.Adapter1"
_DEVICE = "org.bluez.Device1"
_AGENT = "org.bluez.Agent1"
_AGENT_PATH = "/terminal_kit/agent"
_BUS = "org.freedesktop.DBus"
_PROPERTIES = "org.freedesktop.DBus.Properties"
_OBJECTS = "org.freedesktop.DBus.ObjectManager"

Objects = dict[str, dict[str, dict[str, Any]]]
"""BlueZ's objects: path → interface → property → value."""


@asynccontextmanager
async def native_radio(bonds: Bonds | None = None) -> AsyncGenerator[Radio]:
    """The host's radio, while the block runs.

    `bonds` lists the devices that this kit has paired, by default the user's: being paired is no fault of theirs (D6).
    Raises `DataError` where that list cannot be read.
    """
    if sys.platform != "linux":
        yield Radio(name="native", capabilities=Capabilities(pairs_by_itself=sys.platform == "darwin"))
        return
    bluez = _BlueZ(await asyncio.to_thread(Bonds.of_user) if bonds is None else bonds)
    await bluez.open()
    try:
        yield Radio(
            name="native",
            backends=Backends(scanner=SharedScanner),
            capabilities=Capabilities(host_faults=True, pairs_by_itself=True),
            host_state=bluez.host_state,
            watch_host=bluez.watch,
            held_by_host=bluez.holds,
            note_bond=bluez.note_bond,
            link_parameters=lambda _client: LinkParameters(),  # BlueZ tells none; asking for the MTU warns
        )
    finally:
        await bluez.close()


class _BlueZ:
    """A mirror of BlueZ's objects, kept current by its signals. Without a bus or BlueZ it says so, as a fault."""

    def __init__(self, bonds: Bonds) -> None:
        self._bonds = bonds
        self._objects: Objects = {}
        self._bus: Any = None
        self._fault: HostFault | None = "no_service"
        self._listeners: list[Callable[[HostState], None]] = []
        self._last = HostState("no_service")
        self._agent: asyncio.Task[None] | None = None

    async def open(self) -> None:
        from dbus_fast import BusType, Message, MessageType  # noqa: PLC0415 - bleak brings it on Linux only
        from dbus_fast.aio import MessageBus  # noqa: PLC0415
        from dbus_fast.errors import DBusError  # noqa: PLC0415

        try:
            self._bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
        except (OSError, DBusError, EOFError):
            return
        self._bus.add_message_handler(self._on_message)
        for rule in (
            f"type='signal',sender='org.bluez',interface='{_PROPERTIES}'",
            f"type='signal',sender='org.bluez',interface='{_OBJECTS}'",
            f"type='signal',sender='{_BUS}',member='NameOwnerChanged',arg0='org.bluez'",
        ):
            await self._bus.call(
                Message(
                    destination=_BUS,
                    path="/org/freedesktop/DBus",
                    interface=_BUS,
                    member="AddMatch",
                    signature="s",
                    body=[rule],
                )
            )
        reply = await self._bus.call(
            Message(destination="org.bluez", path="/", interface=_OBJECTS, member="GetManagedObjects")
        )
        if reply.message_type is MessageType.METHOD_RETURN:
            for path, interfaces in reply.body[0].items():
                self._added(path, interfaces)
            self._fault = None
            await self._offer_agent()
        elif reply.error_name == "org.freedesktop.DBus.Error.AccessDenied":
            self._fault = "permission_denied"
        self._last = self.host_state()

    async def _offer_agent(self) -> None:
        """Answers BlueZ's questions while a reader is paired (C8); without an agent it refuses to pair at all.

        bleak asks to pair over a connection of its own, so only the default agent is asked. A refusal to register is
        no fault: a desktop's own agent may answer.
        """
        from dbus_fast import Message  # noqa: PLC0415

        for member, signature, body in (
            ("RegisterAgent", "os", [_AGENT_PATH, "NoInputNoOutput"]),
            ("RequestDefaultAgent", "o", [_AGENT_PATH]),
        ):
            await self._bus.call(
                Message(
                    destination="org.bluez",
                    path="/org/bluez",
                    interface="org.bluez.AgentManager1",
                    member=member,
                    signature=signature,
                    body=body,
                )
            )

    def _answer(self, question: Any) -> Any:
        """Agrees to Just Works pairing with readers of ours; everything else is not the kit's to decide."""
        from dbus_fast import Message  # noqa: PLC0415

        if question.member in ("Release", "Cancel"):
            return Message.new_method_return(question)
        facts = self._objects.get(str(question.body[0]) if question.body else "", {}).get(_DEVICE, {})
        ours = not {READER, SMP}.isdisjoint(facts.get("UUIDs", ()))
        if ours and question.member in ("RequestConfirmation", "RequestAuthorization", "AuthorizeService"):
            return Message.new_method_return(question)
        return Message.new_error(question, "org.bluez.Error.Rejected", "terminal_kit pairs with readers only")

    async def close(self) -> None:
        self._listeners.clear()
        if self._agent is not None:
            self._agent.cancel()
            await asyncio.wait({self._agent})
        if self._bus is not None:
            self._bus.disconnect()
            await self._bus.wait_for_disconnect()

    def host_state(self) -> HostState:
        if self._fault is not None:
            return HostState(self._fault)
        adapters = [interfaces[_ADAPTER] for interfaces in self._objects.values() if _ADAPTER in interfaces]
        if not adapters:
            return HostState("no_adapter")
        return HostState(None if any(adapter.get("Powered") for adapter in adapters) else "radio_off")

    def watch(self, callback: Callable[[HostState], None]) -> Undo:
        self._listeners.append(callback)

        def undo() -> None:
            if callback in self._listeners:
                self._listeners.remove(callback)

        return undo

    async def holds(self, device: BLEDevice) -> bool:
        """Paired or connected by the system's settings or another program, and not paired by this kit."""
        details = cast("dict[str, Any]", device.details or {})
        facts = self._objects.get(str(details.get("path")), {}).get(_DEVICE, {})
        if not (facts.get("Paired") or facts.get("Connected")):
            return False
        # A resolved address may have taken the place of the one that was advertised.
        addresses = {device.address, str(facts.get("Address"))}
        if not any(address in self._bonds for address in addresses):
            await asyncio.to_thread(self._bonds.refresh)  # another program of the kit may have paired it
        return not any(address in self._bonds for address in addresses)

    async def note_bond(self, address: str, bonded: bool) -> None:
        await asyncio.to_thread(self._bonds.add if bonded else self._bonds.discard, address)

    def _on_message(self, message: Any) -> Any:
        if message.interface == _AGENT and message.path == _AGENT_PATH:
            return self._answer(message)
        self._mirror(message)
        return None

    def _mirror(self, message: Any) -> None:
        match message.member:
            case "PropertiesChanged" if message.path in self._objects:
                interface, changed, _gone = message.body
                self._objects[message.path].setdefault(interface, {}).update(_plain(changed))
            case "InterfacesAdded":
                self._fault = None  # bluetoothd may start after us
                self._added(*message.body)
            case "NameOwnerChanged":
                self._service_changed(bool(message.body[2]))
            case "InterfacesRemoved":
                path, interfaces = message.body
                for interface in interfaces:
                    self._objects.get(path, {}).pop(interface, None)
            case _:
                return
        state = self.host_state()
        if state != self._last:
            self._last = state
            for listener in list(self._listeners):
                listener(state)

    def _service_changed(self, is_there: bool) -> None:
        """The service went, with all that it knew, or came; then it tells its objects again, and needs our agent."""
        self._objects.clear()
        self._fault = "no_service"
        if self._agent is not None:
            self._agent.cancel()
        self._agent = asyncio.create_task(self._offer_agent(), name="terminal_kit: agent") if is_there else None

    def _added(self, path: str, interfaces: dict[str, dict[str, Any]]) -> None:
        known = self._objects.setdefault(path, {})
        for interface, properties in interfaces.items():
            known[interface] = _plain(properties)


def _plain(properties: dict[str, Any]) -> dict[str, Any]:
    return {name: variant.value for name, variant in properties.items()}
