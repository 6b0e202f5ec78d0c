"""The bootloader: MCUboot's life of a pair of slots, by its algorithm "swap using move", resumable at every byte.

Modelled on MCUboot, docs/design.md, with two differences that make it safe on a flash which can fail at any byte, and
not only between operations: a magic is spoilt before its trailer is erased (`Slot.clear_trailer`), and a candidate
is judged only while the image that runs is settled: one whose swap had begun was judged before, and one that is being
reverted to ran before.
"""

from collections.abc import Callable, Sequence

from terminal_kit.image import Image, UpdateFault
from terminal_kit.simulator.slots import Pair, Slot, SwapType

Judge = Callable[[Pair, Image], UpdateFault | None]
"""What is wrong with the image in a pair's secondary slot, None if nothing is."""


def boot(pairs: Sequence[Pair], judge: Judge) -> bool:
    """Does what the trailers ask for; gives whether every image is there to be started. Raises `PowerLoss`.

    All swaps are finished before the application starts. Images that were swapped before a power cut are told from
    those whose trial has failed by another image that was still to be swapped (MCUboot: boot_review_image_swap_types).
    """
    wanted: list[SwapType] = []
    for pair in pairs:
        if interrupted := pair.is_interrupted():
            _swap(pair, pair.primary.swap_noted, pair.primary.swap_bytes)
        kind = SwapType.NONE if interrupted else _validated(pair, judge)
        if interrupted or kind in (SwapType.TEST, SwapType.PERM):
            wanted = [SwapType.NONE if before is SwapType.REVERT else before for before in wanted]
        wanted.append(kind)
    for pair, kind in zip(pairs, wanted, strict=True):
        if kind is not SwapType.NONE:
            _begin(pair, kind)
    return all(pair.primary.image() is not None for pair in pairs)


def _validated(pair: Pair, judge: Judge) -> SwapType:
    """What to do with a pair after its candidate was judged; one that is refused is erased."""
    kind = pair.swap_type()
    if kind is not SwapType.NONE:
        image = pair.secondary.image()
        is_new = kind is not SwapType.REVERT and pair.is_settled()
        if image is not None and not (is_new and judge(pair, image)):
            return kind
        pair.secondary.clear()
        if kind is SwapType.REVERT:
            pair.primary.write_image_ok()  # there is nothing to go back to
    if not pair.primary.has_magic:
        pair.settle()  # as after its image was programmed by a tool
    return SwapType.NONE


def _begin(pair: Pair, kind: SwapType) -> None:
    """Prepares the trailers and swaps. A cut before the primary trailer is valid again leads here once more."""
    primary, secondary = pair.primary, pair.secondary
    size = max(primary.image_bytes(), secondary.image_bytes())
    if kind is SwapType.REVERT:
        # The primary trailer alone asks for a revert, and it is about to be erased: the secondary asks for it instead.
        secondary.clear_trailer()
        secondary.write_image_ok()
        secondary.write_magic()
    primary.clear_trailer()
    primary.write_swap(kind, pair.number, size)
    primary.write_magic()
    _swap(pair, kind, size)


def _swap(pair: Pair, kind: SwapType, size: int) -> None:
    """Swaps so many bytes, from where the swap status stands: moves the old image up by a sector, then swaps each."""
    primary, secondary = pair.primary, pair.secondary
    sector_bytes = primary.sector_bytes
    sectors = -(-size // sector_bytes)
    moved, halves = primary.steps_done()
    if not secondary.trailer_is_blank:
        secondary.clear_trailer()
    for step in range(moved, sectors):
        to = sectors - step
        _copy(primary, to - 1, primary, to)
        primary.note_move(step)
    for step in range(halves, 2 * sectors):
        sector, half = divmod(step, 2)
        if half == 0:
            _copy(secondary, sector, primary, sector)
        else:
            _copy(primary, sector + 1, secondary, sector)
        primary.note_swap(sector, half)
    if kind is not SwapType.TEST:
        primary.write_image_ok()
    primary.write_copy_done()


def _copy(source: Slot, sector: int, target: Slot, to: int) -> None:
    """Copies one sector over another."""
    size = source.sector_bytes
    target.erase(to * size, 1)
    target.program(to * size, source.read(sector * size, size))
