"""What can be overheard of a simulated host's radio. Nothing is done for it while nobody listens."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from terminal_kit.simulator.air import SimulatedReader
    from terminal_kit.simulator.gatt import Advertisement
    from terminal_kit.simulator.link import Link, Parameters


class Tap:
    """A listener at the host's controller; put one into `Air.taps`. Each method is a moment; the default ignores it.

    Attributes go by their `key` (see `gatt.CharacteristicSpec`), operations by their opcode (Core Vol 3 Part F, 3.4.8).
    """

    def scanning(self, on: bool) -> None:
        """The host begins to scan, or ends it."""

    def heard(self, reader: "SimulatedReader[Any]", advertisement: "Advertisement", rssi_dbm: int) -> None:
        """A scan heard an advertisement."""

    def connecting(self, reader: "SimulatedReader[Any]") -> None:
        """The host waits for an advertisement to connect to."""

    def gave_up(self, reader: "SimulatedReader[Any]") -> None:
        """The host has waited in vain."""

    def connected(self, reader: "SimulatedReader[Any]", link: "Link") -> None:
        """A link is open."""

    def discovered(self, reader: "SimulatedReader[Any]") -> None:
        """The reader's attributes are known."""

    def encrypting(self, reader: "SimulatedReader[Any]", *, bonded: bool) -> None:
        """The host asks for encryption, with the keys of a bond or with new ones."""

    def encrypted(self, reader: "SimulatedReader[Any]", status: int) -> None:
        """The link is encrypted (status 0), or is not, for this link-layer code."""

    def asked(self, reader: "SimulatedReader[Any]", opcode: int, key: str, value: bytes = b"") -> None:
        """The host sends a request or a command."""

    def told(self, reader: "SimulatedReader[Any]", opcode: int, key: str, value: bytes = b"") -> None:
        """The reader's answer or notification has arrived; an error's `value` is its request and its code."""

    def updating(self, reader: "SimulatedReader[Any]", parameters: "Parameters") -> None:
        """The host asks for other link parameters."""

    def updated(self, reader: "SimulatedReader[Any]", parameters: "Parameters") -> None:
        """They are in force."""

    def ended(self, reader: "SimulatedReader[Any]", link: "Link", hci_code: int) -> None:
        """A link is over."""
