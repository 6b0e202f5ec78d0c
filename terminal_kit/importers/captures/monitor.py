"""The Linux Bluetooth monitor: its opcodes, as `btmon -w` stores them and pcap's link type 254 carries them.

Source: BlueZ, `src/shared/btsnoop.h` and `doc/btsnoop.rst`.
"""

from terminal_kit.importers.captures.packets import Codes, Told, plain
from terminal_kit.importers.captures.records import ACL, COMMAND, EVENT, ISO, RECEIVED, SCO, SENT

_FOREIGN = {
    11: "vendor diagnostics",
    14: "management interface opened",
    15: "management interface closed",
    16: "management commands",
    17: "management events",
}


def _address(octets: bytes) -> str:
    return octets[::-1].hex(":").upper()


def _note(opcode: int, payload: bytes) -> Told | None:
    match opcode:
        case 0:
            name, address = plain(payload[8:16]), _address(payload[2:8])
            extra: dict[str, str | int] = {"change": "adapter_added", "address": address, "name": name}
            return Told("host_changed", f"adapter added: {name} {address}".strip(), extra)
        case 1:
            return Told("host_changed", "adapter removed", {"change": "adapter_removed"})
        case 8:
            return Told("host_changed", "adapter switched on", {"change": "adapter_on"})
        case 9:
            return Told("host_changed", "adapter switched off", {"change": "adapter_off"})
        case 10:
            address, manufacturer = _address(payload[:6]), int.from_bytes(payload[6:8], "little")
            text = f"adapter {address}, manufacturer 0x{manufacturer:04X}"
            return Told("note", text, {"address": address, "manufacturer": manufacturer})
        case 12:
            return Told("note", plain(payload))
        case 13:
            length = payload[1] if len(payload) > 1 else 0
            who, text = plain(payload[2 : 2 + length]), plain(payload[2 + length :])
            return Told("note", f"{who}: {text}".strip() if who else text)
        case _:
            return None


MONITOR = Codes(
    {
        2: (COMMAND, SENT),
        3: (EVENT, RECEIVED),
        4: (ACL, SENT),
        5: (ACL, RECEIVED),
        6: (SCO, SENT),
        7: (SCO, RECEIVED),
        18: (ISO, SENT),
        19: (ISO, RECEIVED),
    },
    foreign=lambda code: _FOREIGN.get(code, f"monitor records of opcode {code}"),
    note=_note,
)
