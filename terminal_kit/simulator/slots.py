"""Image slots as MCUboot lays them out: an image at the start, a trailer at the end that says what shall become of it.

The trailer (MCUboot, docs/design.md, "Image trailer"), from the end backwards: magic, image_ok, copy_done, swap info,
swap size, and the swap status: one entry for each sector that was moved, two for each that was swapped.
"""

import struct
from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from terminal_kit.errors import UpdateError
from terminal_kit.image import HEADER_BYTES, Image, image_size, read_image
from terminal_kit.simulator.flash import ERASED, Flash

ALIGN = 8
"""The largest write that MCUboot allows for by default (`BOOT_MAX_ALIGN`): every field starts at a multiple of it."""

MAGIC = bytes.fromhex("77c295f360d2ef7f3552500f2cb67980")
_SET = 0x01
_MAGIC_AT, _IMAGE_OK_AT, _COPY_DONE_AT, _SWAP_INFO_AT, _SWAP_SIZE_AT = 16, 24, 32, 40, 48
"""Bytes from the slot's end."""

MOVE_ENTRIES, SWAP_ENTRIES = 1, 2
"""Entries of the swap status for each sector: moved up by one; then the new one in place, and the old one saved."""


class SwapType(IntEnum):
    """What the bootloader shall do with a pair of slots, in MCUboot's numbers."""

    NONE = 1
    TEST = 2
    PERM = 3
    REVERT = 4


class Slot:
    """So many sectors of a flash from `first` on. `max_sectors` is the largest slot's, by which trailers are sized.

    Whatever erases or writes raises `PowerLoss`.
    """

    def __init__(self, flash: Flash, first: int, sectors: int, max_sectors: int) -> None:
        self._flash = flash
        self._at = first * flash.sector_bytes
        self.sector_bytes = flash.sector_bytes
        self.size_bytes = sectors * flash.sector_bytes
        self._max_sectors = max_sectors
        self._status_at = max_sectors * (MOVE_ENTRIES + SWAP_ENTRIES) * ALIGN + _SWAP_SIZE_AT
        self._trailer_sectors = -(-self._status_at // flash.sector_bytes)
        # Swapping moves every sector up by one: the sector before the trailer stays free for that.
        self.capacity_bytes = (sectors - self._trailer_sectors - 1) * flash.sector_bytes

    # ---- content

    def read(self, at: int, size: int) -> bytes:
        """What stands at an offset in the slot."""
        return self._flash.read(self._at + at, size)

    def program(self, at: int, data: bytes) -> None:
        """Writes at an offset in the slot."""
        self._flash.program(self._at + at, data)

    def erase(self, at: int = 0, size: int | None = None) -> None:
        """Erases the sectors that these bytes touch, front to back; all of them by default."""
        end = self.size_bytes if size is None else at + size
        for sector_at in range(at - at % self.sector_bytes, end, self.sector_bytes):
            self._flash.erase(self._at + sector_at)

    @property
    def is_blank(self) -> bool:
        """Whether nothing was written to it."""
        return self._flash.is_blank(self._at, self.size_bytes)

    def image(self) -> Image | None:
        """The whole image in it, whose digest is right; else None."""
        size = self.image_bytes()
        try:
            return read_image(self.read(0, size)) if size else None
        except UpdateError:
            return None

    def image_bytes(self) -> int:
        """How many bytes the image has by its own account, its TLVs included; 0 where none can be."""
        try:
            covered = image_size(self.read(0, HEADER_BYTES))
        except UpdateError:
            return 0
        if covered + 4 > self.size_bytes:
            return 0
        _, tlvs = struct.unpack("<HH", self.read(covered, 4))
        return covered + tlvs if covered + tlvs <= self.size_bytes else 0

    # ---- trailer

    @property
    def has_magic(self) -> bool:
        """Whether its trailer is valid."""
        return self._field(_MAGIC_AT, len(MAGIC)) == MAGIC

    @property
    def trailer_is_blank(self) -> bool:
        """Whether none of its fields was written."""
        return self._field(_SWAP_SIZE_AT, _SWAP_SIZE_AT).count(ERASED) == _SWAP_SIZE_AT

    @property
    def image_ok(self) -> bool | None:
        """Whether the image was confirmed; None for anything but yes and not yet."""
        return self._flag(_IMAGE_OK_AT)

    @property
    def copy_done(self) -> bool | None:
        """Whether the swap that brought the image is complete."""
        return self._flag(_COPY_DONE_AT)

    @property
    def swap_noted(self) -> SwapType:
        """Which swap is under way, by the trailer's account."""
        noted = self._field(_SWAP_INFO_AT, 1)[0] & 0x0F
        return SwapType(noted) if noted in set(SwapType) else SwapType.NONE

    @property
    def swap_bytes(self) -> int:
        """How many bytes the swap that is under way covers."""
        return int.from_bytes(self._field(_SWAP_SIZE_AT, 4), "little")

    def write_magic(self) -> None:
        """Makes the trailer valid: the last thing to be written."""
        self._write(_MAGIC_AT, MAGIC)

    def write_image_ok(self) -> None:
        """Confirms the image."""
        self._write(_IMAGE_OK_AT, bytes([_SET]))

    def write_copy_done(self) -> None:
        """Notes that the swap is complete."""
        self._write(_COPY_DONE_AT, bytes([_SET]))

    def write_swap(self, kind: SwapType, number: int, size: int | None = None) -> None:
        """Notes a swap of image `number`, and how many bytes it covers."""
        self._write(_SWAP_INFO_AT, bytes([number << 4 | kind]))
        if size is not None:
            self._write(_SWAP_SIZE_AT, size.to_bytes(4, "little"))

    def clear_trailer(self) -> None:
        """Erases the trailer; its magic is spoilt first, so that no half of it can pass for a whole."""
        self._spoil()
        for behind in range(1, self._trailer_sectors + 1):
            self.erase(self.size_bytes - behind * self.sector_bytes, 1)

    def clear(self) -> None:
        """Erases everything, beginning with the magic and the image's header."""
        self._spoil()
        self.erase()

    # ---- swap status: first an entry for each move, then two for each swap

    def steps_done(self) -> tuple[int, int]:
        """How far a swap is: sectors moved, and halves of swaps done."""
        status = self.read(self.size_bytes - self._status_at, self._status_at - _SWAP_SIZE_AT)
        entries = -(-len(status.rstrip(bytes([ERASED]))) // ALIGN)
        moves = self._max_sectors * MOVE_ENTRIES
        return min(entries, moves), max(0, entries - moves)

    def note_move(self, sector: int) -> None:
        """The `sector`-th move (from 0) is done."""
        self._note(sector, 1)

    def note_swap(self, sector: int, half: int) -> None:
        """The first (0) or second (1) half of a sector's swap is done; sectors from 0."""
        self._note(self._max_sectors * MOVE_ENTRIES + sector * SWAP_ENTRIES + half, half + 1)

    def _spoil(self) -> None:
        if not self.trailer_is_blank:
            self.program(self.size_bytes - _MAGIC_AT, b"\0")

    def _note(self, entry: int, state: int) -> None:
        self.program(self.size_bytes - self._status_at + entry * ALIGN, bytes([state]).ljust(ALIGN, b"\xff"))

    def _field(self, from_end: int, size: int) -> bytes:
        return self.read(self.size_bytes - from_end, size)

    def _flag(self, from_end: int) -> bool | None:
        return {_SET: True, ERASED: False}.get(self._field(from_end, 1)[0])

    def _write(self, from_end: int, data: bytes) -> None:
        self.program(self.size_bytes - from_end, data.ljust(-(-len(data) // ALIGN) * ALIGN, b"\xff"))


class Pair(NamedTuple):
    """The two slots of image `number`: what runs stands in the primary one, what comes is written to the secondary."""

    number: int
    primary: Slot
    secondary: Slot

    def swap_type(self) -> SwapType:
        """What the trailers ask for (MCUboot, docs/design.md, "Image trailers"; the first state that fits)."""
        primary, secondary = self.primary, self.secondary
        if secondary.has_magic and secondary.image_ok is not None:
            return SwapType.PERM if secondary.image_ok else SwapType.TEST
        if primary.has_magic and primary.copy_done and primary.image_ok is False:
            return SwapType.REVERT
        return SwapType.NONE

    def is_interrupted(self) -> bool:
        """Whether a swap was cut off and has to be resumed."""
        primary = self.primary
        begun = primary.has_magic and primary.copy_done is False and primary.swap_noted is not SwapType.NONE
        return begun and not self.secondary.has_magic

    def is_settled(self) -> bool:
        """Whether the image that runs is there to stay, and no swap is being prepared."""
        return bool(self.primary.has_magic and self.primary.copy_done and self.primary.image_ok)

    def request(self, *, permanent: bool) -> None:
        """Asks for the image in the secondary slot: on trial, or for good."""
        if not self.secondary.trailer_is_blank:
            self.secondary.clear_trailer()  # a mark that was cut off
        self.secondary.write_magic()
        if permanent:
            self.secondary.write_image_ok()
        self.secondary.write_swap(SwapType.PERM if permanent else SwapType.TEST, self.number)

    def settle(self) -> None:
        """Makes the image that runs one that stays, as after a complete and confirmed swap."""
        self.primary.clear_trailer()
        self.primary.write_copy_done()
        self.primary.write_image_ok()
        self.primary.write_magic()


def make_pairs(flash: Flash, sectors: Sequence[int]) -> tuple[Pair, ...]:
    """A pair of slots of so many sectors for each image, one after the other from the flash's beginning."""
    pairs: list[Pair] = []
    first = 0
    for number, count in enumerate(sectors):
        slots = (Slot(flash, start, count, max(sectors)) for start in (first, first + count))
        pairs.append(Pair(number, *slots))
        first += 2 * count
    return tuple(pairs)
