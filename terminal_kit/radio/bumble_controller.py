# Bumble's types are partly unknown.
# pyright: reportUnknownMemberType=false, reportUnknownParameterType=false, reportMissingTypeArgument=false
"""Bumble's virtual controller with what a reader and its host need and it leaves out.

Scan responses travel (a reader's name and its 128-bit service do not fit into one 31-byte advertisement), a pending
connection can be cancelled, a host that hangs up is told so, the signal of a link can be read, and a reset forgets
every link without a word, as a power cut does. Still left out: a supervision timeout, a varying signal, lost packets.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from bumble import hci, ll
from bumble.controller import Connection, Controller
from bumble.link import LocalLink
from bumble.transport.common import AsyncPipeSink, Transport

RSSI_DBM = -50
"""What Bumble's controller reports for every advertisement."""


class VirtualController(Controller):
    """A controller on a `LocalLink`. Use it on both ends: the receiving one asks the sender for its scan response."""

    _scan_response: bytes = b""

    def on_advertising_pdu(self, pdu: ll.AdvInd | ll.AdvExtInd) -> None:
        """Reports an advertisement, followed by its scan response where the advertiser has one."""
        self._scan_response = self._scan_response_of(pdu.advertiser_address)
        super().on_advertising_pdu(pdu)

    def _scan_response_of(self, address: hci.Address) -> bytes:
        for controller in self.link.controllers:
            for advertiser in (controller.le_legacy_advertiser, *controller.advertising_sets.values()):
                if advertiser.enabled and advertiser.address == address:
                    return bytes(advertiser.scan_response_data)
        return b""

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """Bumble answers each scan with the advertisement itself: put the real response there, or nothing."""
        extended = hci.HCI_LE_Extended_Advertising_Report_Event
        legacy = hci.HCI_LE_Advertising_Report_Event
        if isinstance(packet, extended | legacy):
            for report in packet.reports:
                kind = report.event_type
                is_extended = isinstance(packet, extended)
                if kind & extended.EventType.SCAN_RESPONSE if is_extended else kind == legacy.EventType.SCAN_RSP:
                    if not self._scan_response:
                        return
                    report.data = self._scan_response
                elif is_extended and self._scan_response:
                    # Says that a response follows, so that the host waits and reports the two as one.
                    report.event_type |= extended.EventType.SCANNABLE_ADVERTISING
        super().send_hci_packet(packet)

    def on_hci_le_create_connection_cancel_command(
        self, _command: hci.HCI_LE_Create_Connection_Cancel_Command
    ) -> hci.HCI_StatusReturnParameters:
        """Ends the pending connection with "unknown connection identifier" (Vol 4 Part E, 7.8.13)."""
        pending, self.pending_le_connection = self.pending_le_connection, None
        if pending is None:
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        self.send_hci_packet(
            hci.HCI_LE_Connection_Complete_Event(
                status=hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
                connection_handle=0,
                role=hci.Role.CENTRAL,
                peer_address_type=pending.peer_address_type,
                peer_address=pending.peer_address,
                connection_interval=0,
                peripheral_latency=0,
                supervision_timeout=0,
                central_clock_accuracy=0,
            )
        )
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)

    def on_hci_disconnect_command(self, command: hci.HCI_Disconnect_Command) -> None:
        """Ends a link; the end that asked is told 0x16, the other end the reason given (Vol 4 Part E, 7.7.5)."""
        connection = self.find_le_connection_by_handle(command.connection_handle)
        if connection is None:
            super().on_hci_disconnect_command(command)
            return
        status = hci.HCI_Command_Status_Event(
            status=hci.HCI_ErrorCode.SUCCESS, num_hci_command_packets=1, command_opcode=command.op_code
        )
        self.send_hci_packet(status)
        if self.link.find_le_controller(connection.peer_address):
            connection.send_ll_control_pdu(ll.TerminateInd(command.reason))
        self.on_le_disconnected(connection, hci.HCI_ErrorCode.CONNECTION_TERMINATED_BY_LOCAL_HOST_ERROR)

    def on_le_disconnected(self, connection: Connection, reason: int) -> None:
        """Reports the end of a link, once: both ends may hang up at the same time."""
        if self.le_connections.get(connection.peer_address) is connection:
            super().on_le_disconnected(connection, reason)

    def on_hci_read_rssi_command(self, command: Any) -> hci.HCI_Read_RSSI_ReturnParameters:
        """The signal of a link: as constant as that of Bumble's advertisements (Vol 4 Part E, 7.5.4)."""
        return hci.HCI_Read_RSSI_ReturnParameters(hci.HCI_ErrorCode.SUCCESS, command.handle, RSSI_DBM)

    def on_hci_reset_command(self, _command: hci.HCI_Reset_Command) -> hci.HCI_StatusReturnParameters:
        """Falls silent (Vol 4 Part E, 7.3.2)."""
        self.fall_silent()
        return super().on_hci_reset_command(_command)

    def fall_silent(self) -> None:
        """Forgets everything at once; peers are not told."""
        for advertiser in (self.le_legacy_advertiser, *self.advertising_sets.values()):
            advertiser.stop()
        self.advertising_sets.clear()
        self.le_connections.clear()
        self.pending_le_connection = None
        self.le_scan_enable = False


@contextmanager
def controller_on(link: LocalLink, name: str) -> Generator[Transport]:
    """The transport of a new virtual controller that is on the link while the block runs."""
    controller = VirtualController(name, link=link)
    try:
        yield Transport(controller, AsyncPipeSink(controller))
    finally:
        controller.fall_silent()
        link.remove_controller(controller)
