"""Linux's Bluetooth, asked step by step, so that `doctor` names the first thing that is missing and not its sequel."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from terminal_kit.cli.finding import Finding

ANSWER_S = 5.0
"""The bus and bluetoothd answer in milliseconds, or they hang."""

DAEMONS = "/usr/libexec/bluetooth:/usr/lib/bluetooth:/usr/local/libexec/bluetooth:/usr/sbin:/sbin"
"""Where distributions keep bluetoothd: hardly ever in anybody's PATH."""

SWITCHES = Path("/sys/class/rfkill")

_BUS = "org.freedesktop.DBus"
_BLUEZ = "org.bluez"
_ADAPTER = "org.bluez.Adapter1"

Stage = Literal["no_bus", "bus_refuses", "not_running", "mute", "refuses", "broken", "answers"]
"""How far one gets on the way to bluetoothd's objects."""


class Look(NamedTuple):
    """How far the way led: `error` is what bluetoothd answered, `powered` tells of its adapters whether they are on."""

    stage: Stage
    error: str = ""
    powered: dict[str, bool] = {}  # noqa: RUF012 - never changed


def findings() -> list[Finding]:
    """The bus, bluetoothd, the permission to use it, and whether a radio is on; as far as one can get."""
    try:
        return judge(asyncio.run(asyncio.wait_for(_look(), ANSWER_S)))
    except TimeoutError:
        return judge(Look("mute"))


def judge(look: Look) -> list[Finding]:
    """What a look means, and what to do about it."""
    restart = "Restart it: systemctl restart bluetooth"
    runs = [Finding("D-Bus", True, "the system bus answers"), Finding("bluetoothd", True, "runs")]
    match look.stage:
        case "no_bus":
            advice = "Start it: systemctl start dbus (or install it: apt-get install dbus)"
            return [Finding("D-Bus", False, "there is no system bus, through which programs use Bluetooth", advice)]
        case "bus_refuses":
            advice = "Run as a user that this system knows; a container needs the host's user id."
            return [Finding("D-Bus", False, "the system bus does not let this user in", advice)]
        case "not_running":
            return [runs[0], _stopped()]
        case "mute":
            return [Finding("bluetoothd", False, f"gives no answer within {ANSWER_S:g} s", restart)]
        case "refuses":
            advice = "Add yourself to its group (usermod -aG bluetooth $USER) and log in again."
            return [*runs, Finding("permissions", False, "bluetoothd does not let this user in", advice)]
        case "broken":
            return [runs[0], Finding("bluetoothd", False, f"answers {look.error}", restart)]
        case "answers":
            return [*runs, Finding("permissions", True, "this user may use Bluetooth"), _radio(look.powered)]


def _stopped() -> Finding:
    if shutil.which("bluetoothd", path=DAEMONS) or shutil.which("bluetoothctl"):
        return Finding("bluetoothd", False, "installed, but not running", "Start it: systemctl start bluetooth")
    return Finding("bluetoothd", False, "not installed", "Install BlueZ: apt-get install bluez")


def _radio(powered: dict[str, bool]) -> Finding:
    if not powered:
        advice = "See `adapter` above; if the kernel sees one: systemctl restart bluetooth"
        return Finding("radio", False, "bluetoothd has no adapter", advice)
    if on := [name for name, is_on in powered.items() if is_on]:
        return Finding("radio", True, f"{', '.join(on)} is on")
    advice = "Turn it on: bluetoothctl power on"
    if any(_blocks("soft")):
        advice = "Turn it on: rfkill unblock bluetooth"
    if any(_blocks("hard")):
        advice = "Turn it on with the computer's own switch or key for wireless."
    return Finding("radio", False, f"{', '.join(powered)} is switched off", advice)


def _blocks(kind: str) -> Iterator[bool]:
    for switch in SWITCHES.glob("*"):
        try:
            is_ours = (switch / "type").read_text("ascii").strip() == "bluetooth"
            yield is_ours and (switch / kind).read_text("ascii").strip() == "1"
        except OSError:
            continue


async def _look() -> Look:
    from dbus_fast import BusType  # noqa: PLC0415 - bleak brings it on Linux only
    from dbus_fast.aio import MessageBus  # noqa: PLC0415
    from dbus_fast.errors import AuthError, DBusError, InvalidAddressError  # noqa: PLC0415

    try:
        bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    except (PermissionError, AuthError):
        return Look("bus_refuses")
    except (OSError, EOFError, DBusError, InvalidAddressError):
        return Look("no_bus")
    try:
        return await _look_at_bluez(bus)
    finally:
        bus.disconnect()
        await bus.wait_for_disconnect()


async def _look_at_bluez(bus: Any) -> Look:
    from dbus_fast import Message, MessageType  # noqa: PLC0415

    owned = Message(
        destination=_BUS,
        path="/org/freedesktop/DBus",
        interface=_BUS,
        member="NameHasOwner",
        signature="s",
        body=[_BLUEZ],
    )
    if not (await bus.call(owned)).body[0]:
        return Look("not_running")
    objects = Message(
        destination=_BLUEZ,
        path="/",
        interface="org.freedesktop.DBus.ObjectManager",
        member="GetManagedObjects",
    )
    reply = await bus.call(objects)
    if reply.error_name == "org.freedesktop.DBus.Error.AccessDenied":
        return Look("refuses")
    if reply.message_type is not MessageType.METHOD_RETURN:
        return Look("broken", error=str(reply.error_name))
    adapters = {path: found[_ADAPTER] for path, found in reply.body[0].items() if _ADAPTER in found}
    powered = {
        path.rpartition("/")[2]: "Powered" in facts and bool(facts["Powered"].value) for path, facts in adapters.items()
    }
    return Look("answers", powered=powered)
