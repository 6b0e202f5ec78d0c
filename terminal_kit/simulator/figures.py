"""The readers' figures: what they last, when they do things by themselves, and the codes they use.

Figures that the vendor does not publish are assumptions, and say so.
"""

from terminal_kit.events import UpdateComponent
from terminal_kit.reader import DeviceType

WRITE_NOT_PERMITTED, INSUFFICIENT_AUTHENTICATION, ATTRIBUTE_NOT_FOUND, VALUE_NOT_ALLOWED = 0x03, 0x05, 0x0A, 0x13
"""ATT codes (Core Vol 3 Part F, 3.4.1.1)."""

REMOTE_USER_TERMINATED, REMOTE_LOW_RESOURCES, REMOTE_POWER_OFF = 0x13, 0x14, 0x15
"""Link-layer codes with which a reader leaves (Core Vol 1 Part F, 2)."""

BATTERY_LASTS_H = {DeviceType.STRIPE_M2: 42.0, DeviceType.WISEPAD_3: 30.0, DeviceType.CHIPPER_2X: 42.0}
"""Hours from full to empty, awake. An assumption: about two working days; the one with a screen less."""

POWERS_OFF_AT = 0.02
"""From 5 % down it may not connect (C4); at 2 % it says goodbye and powers off, and does not start uncharged."""

STANDBY_SAVES = 4.0
"""Standby stretches the battery so many times. An assumption."""

CHARGES_IN_H = 2.5
"""Hours from empty to full, a usual figure for a small lithium cell at 0.5 C."""

BOOTS_IN_S = {DeviceType.STRIPE_M2: 8.0, DeviceType.WISEPAD_3: 12.0, DeviceType.CHIPPER_2X: 6.0}
"""Seconds from power to the first advertisement, give or take a tenth. An assumption."""

STANDBY_AFTER_S = 300.0
"""Five idle minutes (C5 says that there is a standby, not when). An assumption."""

IDLE_POWER_DOWN_S = 10 * 3600.0
SECURITY_REBOOT_S = 24 * 3600.0
"""R3 and R2."""

BATTERY_REPORT_S = 600.0
STATE_REPORT_S = 1.0
STANDBY_REPORT_S = 10.0
"""B1, and X8's `reader_service`: what the reader hears of the host, once a second, in standby every ten."""

GOODBYE_S = 0.15
"""Between the farewell and the end of the link: a few connection events, so that it is heard."""

SLOT_SECTORS = {
    UpdateComponent.FIRMWARE: 1024,
    UpdateComponent.CONFIG: 64,
    UpdateComponent.KEYS: 32,
    UpdateComponent.INCREMENTAL: 256,
}
"""Sectors of 4 KiB in each of a component's two slots: 10.75 MiB of a usual 16 MiB chip. An assumption."""

ERASES_BYTES_PER_S, PROGRAMS_BYTES_PER_S = 64 * 1024 / 0.15, 256 / 0.0004
"""A quad-SPI NOR flash of today: a 64 KiB block erased in 150 ms, a page of 256 bytes programmed in 0.4 ms."""

SMP_ANSWERS_IN_S = 0.001
"""What a request takes beside its flash: decoding and encoding some CBOR on a microcontroller."""

SMP_RESETS_IN_S = 0.25
"""Between the answer to a reset and the restart, so that the answer is heard (Zephyr: MCUMGR_GRP_OS_RESET_MS)."""

SMP_BUFFER_BYTES, SMP_BUFFERS = 2475, 4
"""A frame of ten full notifications (247 bytes of MTU and four of L2CAP), and Zephyr's usual number of buffers."""


def rate_per_h(device_type: DeviceType, *, is_on: bool, charging: bool, standby: bool, forced: float | None) -> float:
    """How fast the battery fills (positive) or empties, as a share an hour. `forced`: a drain that was asked for."""
    if is_on and forced is not None:
        return -forced
    if charging:
        return 1 / CHARGES_IN_H
    if not is_on:
        return 0.0
    return -1 / BATTERY_LASTS_H[device_type] / (STANDBY_SAVES if standby else 1.0)
