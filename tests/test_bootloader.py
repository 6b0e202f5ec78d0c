"""The bootloader: whatever is cut off, the old image or the new one starts, and the work is finished afterwards."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from terminal_kit.errors import UpdateError
from terminal_kit.events import UpdateComponent
from terminal_kit.image import Image, UpdateFault, make_image
from terminal_kit.simulator.bootloader import boot
from terminal_kit.simulator.demo_key import DEMO_KEY
from terminal_kit.simulator.flash import Flash, PowerLoss
from terminal_kit.simulator.slots import Pair, SwapType, make_pairs

SECTOR_BYTES = 256
SECTORS = 8  # in a slot: the trailer has one, one stays free for the moves, six hold an image
EVERY_BYTE = bool(os.environ.get("TERMINAL_KIT_EVERY_BYTE"))


def image(version: str, body_bytes: int = 300, component: UpdateComponent = UpdateComponent.FIRMWARE) -> Image:
    body = (version.encode() * body_bytes)[:body_bytes]
    return make_image(body, component=component, version=version, key=DEMO_KEY)


OLD, NEW = image("1.0.0"), image("2.0.0", 600)
OLD_CONFIG = image("config_v1", 500, UpdateComponent.CONFIG)
NEW_CONFIG = image("config_v2", 200, UpdateComponent.CONFIG)


def judge(pair: Pair, candidate: Image) -> UpdateFault | None:
    """Signature and version, as a reader checks them."""
    try:
        candidate.check_signature(DEMO_KEY.public_key())
    except UpdateError:
        return "signature"
    return "downgrade" if candidate.version < pair.primary.image().version else None


class FromTheEnd(Flash):
    """A flash that erases sectors from their end: a cut leaves their beginning."""

    def erase(self, at: int) -> None:
        number = at // self.sector_bytes
        size = self._spend(self.sector_bytes)
        self.erased_bytes += size
        before = self._written.pop(number, None)
        if size < self.sector_bytes:
            if before is not None:
                self._written[number] = before[:-size] + b"\xff" * size if size else before
            raise PowerLoss


class Board:
    """A flash with pairs of slots, and the old images in them."""

    def __init__(self, *old: Image, flash: type[Flash] = Flash) -> None:
        self.flash = flash(SECTOR_BYTES)
        self.pairs = make_pairs(self.flash, [SECTORS] * len(old))
        for pair, present in zip(self.pairs, old, strict=True):
            pair.primary.program(0, present.data)
            pair.settle()

    @property
    def worked(self) -> int:
        return self.flash.erased_bytes + self.flash.programmed_bytes

    def hold(self, *new: Image | None) -> None:
        """Puts candidates into the secondary slots."""
        for pair, candidate in zip(self.pairs, new, strict=True):
            if candidate is not None:
                pair.secondary.program(0, candidate.data)

    def request(self, *, permanent: bool = False) -> None:
        for pair in self.pairs:
            pair.request(permanent=permanent)

    def boot(self) -> bool:
        return boot(self.pairs, judge)

    def runs(self) -> list[str]:
        return [pair.primary.image().version_text for pair in self.pairs]

    def kinds(self) -> list[SwapType]:
        return [pair.swap_type() for pair in self.pairs]


def test_an_image_is_started_on_trial_and_goes_back_unless_it_is_confirmed() -> None:
    board = Board(OLD)
    board.hold(NEW)
    board.request()
    assert board.boot()
    assert (board.runs(), board.kinds()) == (["2.0.0"], [SwapType.REVERT])
    assert board.pairs[0].secondary.image() == OLD
    assert board.boot()
    assert (board.runs(), board.kinds()) == (["1.0.0"], [SwapType.NONE])
    assert board.pairs[0].secondary.image() == NEW
    assert board.boot()
    assert board.runs() == ["1.0.0"]


def test_a_confirmed_image_stays() -> None:
    board = Board(OLD)
    board.hold(NEW)
    board.request()
    board.boot()
    board.pairs[0].primary.write_image_ok()
    for _ in range(3):
        assert board.boot()
        assert (board.runs(), board.kinds()) == (["2.0.0"], [SwapType.NONE])


def test_what_is_asked_for_for_good_needs_no_confirmation() -> None:
    board = Board(OLD)
    board.hold(NEW)
    board.request(permanent=True)
    assert board.kinds() == [SwapType.PERM]
    for _ in range(3):
        assert board.boot()
        assert (board.runs(), board.kinds()) == (["2.0.0"], [SwapType.NONE])


def operations(board: Board, act: Callable[[], object]) -> list[tuple[int, bool]]:
    """What `act` does to the flash: the size of each operation, and whether it touches a trailer."""
    flash, done = board.flash, []
    erase, program = flash.erase, flash.program

    def note(at: int, size: int) -> None:
        done.append((size, at // SECTOR_BYTES % SECTORS == SECTORS - 1))

    flash.erase = lambda at: (note(at, SECTOR_BYTES), erase(at))
    flash.program = lambda at, data: (note(at, len(data)), program(at, data))
    act()
    del flash.erase, flash.program
    return done


def cuts(done: list[tuple[int, bool]]) -> list[int]:
    """Where to cut: at every byte of the bookkeeping, and at both ends and in the middle of what copies images."""
    chosen: set[int] = set()
    start = 0
    for size, is_bookkeeping in done:
        whole = is_bookkeeping or EVERY_BYTE
        chosen |= set(range(start, start + size) if whole else (start, start + 1, start + size // 2, start + size - 1))
        start += size
    return sorted(chosen)


TRIAL, FOR_GOOD, REVERT = "trial", "for good", "revert"
LAST_WRITE = 8
"""The mark that a swap is complete: with its first byte written, it is."""


@pytest.mark.parametrize("kind", [TRIAL, FOR_GOOD, REVERT])
@pytest.mark.parametrize("count", [1, 2], ids=["one image", "a set of two"])
@pytest.mark.parametrize("flash", [Flash, FromTheEnd])
def test_a_swap_that_is_cut_off_is_finished_at_the_next_start(flash: type[Flash], count: int, kind: str) -> None:
    """U10: power cut at every byte of the bookkeeping."""
    board = Board(*(OLD, OLD_CONFIG)[:count], flash=flash)
    board.hold(*(NEW, NEW_CONFIG)[:count])
    board.request(permanent=kind is FOR_GOOD)
    if kind is REVERT:
        board.boot()
    old, new = ["1.0.0", "config_v1"][:count], ["2.0.0", "config_v2"][:count]
    before = board.flash.snapshot()
    done = operations(board, board.boot)
    total = sum(size for size, _ in done)
    assert board.runs() == (old if kind is REVERT else new)
    for cut in cuts(done):
        board.flash.restore(before)
        board.flash.cut_after(cut)
        with pytest.raises(PowerLoss):
            board.boot()
        board.flash.cut_after(None)
        assert board.boot(), cut
        is_over = kind is TRIAL and cut > total - LAST_WRITE  # the trial's only start was the one that failed
        assert board.runs() == (old if kind is REVERT or is_over else new), cut
        ends_in = SwapType.REVERT if kind is TRIAL and not is_over else SwapType.NONE
        assert board.kinds() == [ends_in] * count, cut
        # Nothing was lost: the other image is whole, too.
        assert sorted(pair.secondary.image().version_text for pair in board.pairs) == sorted(
            new if board.runs() == old else old
        )


@pytest.mark.parametrize("permanent", [False, True])
@pytest.mark.parametrize("flash", [Flash, FromTheEnd])
def test_a_request_that_is_cut_off_can_be_made_again(flash: type[Flash], permanent: bool) -> None:
    board = Board(OLD, OLD_CONFIG, flash=flash)
    board.hold(NEW, NEW_CONFIG)
    before = board.flash.snapshot()
    for cut in range(sum(size for size, _ in operations(board, lambda: board.request(permanent=permanent)))):
        board.flash.restore(before)
        board.flash.cut_after(cut)
        with pytest.raises(PowerLoss):
            board.request(permanent=permanent)
        board.flash.cut_after(None)
        assert board.boot()
        for pair in board.pairs:
            if pair.primary.image().version_text in ("1.0.0", "config_v1"):
                pair.request(permanent=True)
            else:
                pair.primary.write_image_ok()
        assert board.boot()
        assert board.runs() == ["2.0.0", "config_v2"], cut
        assert board.kinds() == [SwapType.NONE] * 2


def test_a_confirmation_is_there_or_not() -> None:
    board = Board(OLD)
    board.hold(NEW)
    board.request()
    board.boot()
    before = board.flash.snapshot()
    for cut in range(LAST_WRITE):
        board.flash.restore(before)
        board.flash.cut_after(cut)
        with pytest.raises(PowerLoss):
            board.pairs[0].primary.write_image_ok()
        board.flash.cut_after(None)
        assert board.boot()
        assert board.runs() == (["2.0.0"] if cut else ["1.0.0"])


@pytest.mark.parametrize(
    ("candidate", "why"),
    [
        (make_image(b"x" * 300, component=UpdateComponent.FIRMWARE, version="2.0.0", key=None), "unsigned"),
        (
            make_image(
                b"x" * 300,
                component=UpdateComponent.FIRMWARE,
                version="2.0.0",
                key=Ed25519PrivateKey.from_private_bytes(bytes(32)),
            ),
            "signed by another key",
        ),
        (image("0.9.0"), "older"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("permanent", [False, True])
def test_a_candidate_that_is_refused_is_erased_and_the_old_image_starts(
    candidate: Image, why: str, permanent: bool
) -> None:
    """U13: a wrong signature and a downgrade, with power cut at any byte of the refusal."""
    board = Board(OLD)
    board.hold(candidate)
    board.request(permanent=permanent)
    before = board.flash.snapshot()
    done = operations(board, board.boot)
    assert board.runs() == ["1.0.0"]
    assert board.pairs[0].secondary.is_blank
    for cut in cuts(done):
        board.flash.restore(before)
        board.flash.cut_after(cut)
        with pytest.raises(PowerLoss):
            board.boot()
        board.flash.cut_after(None)
        assert board.boot()
        assert (board.runs(), board.kinds()) == (["1.0.0"], [SwapType.NONE])


def test_a_damaged_candidate_is_not_started() -> None:
    board = Board(OLD)
    board.hold(NEW)
    board.pairs[0].secondary.program(100, b"\0")
    board.request()
    assert board.boot()
    assert (board.runs(), board.kinds()) == (["1.0.0"], [SwapType.NONE])


def test_an_image_that_a_tool_programmed_is_settled_at_its_first_start() -> None:
    board = Board(OLD)
    board.pairs[0].primary.clear_trailer()
    assert board.boot()
    assert board.pairs[0].is_settled()
    board.hold(image("0.9.0"))
    board.request()
    assert board.boot()
    assert board.runs() == ["1.0.0"]


def test_a_refused_candidate_does_not_stop_the_rest_of_its_set() -> None:
    board = Board(OLD, OLD_CONFIG)
    board.hold(NEW, image("config_v0", 300, UpdateComponent.CONFIG))
    board.request()
    assert board.boot()
    assert board.runs() == ["2.0.0", "config_v1"]


@given(st.lists(st.integers(0, 9_000), max_size=8), st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
def test_however_often_the_power_fails_it_starts_in_the_end(lasts: list[int], permanent: bool) -> None:
    """U10: cuts while cuts are recovered from; then the update is finished."""
    board = Board(OLD, OLD_CONFIG)
    board.hold(NEW, NEW_CONFIG)
    board.request(permanent=permanent)
    for cut in lasts:
        board.flash.cut_after(cut)
        try:
            board.boot()
        except PowerLoss:
            continue
        board.flash.cut_after(None)
        break
    board.flash.cut_after(None)
    assert board.boot()
    assert all(now in versions for now, versions in zip(board.runs(), HELD, strict=True))
    for pair, version in zip(board.pairs, ("2.0.0", "config_v2"), strict=True):
        if pair.primary.image().version_text != version:
            pair.request(permanent=True)
        elif pair.swap_type() is SwapType.REVERT:
            pair.primary.write_image_ok()
    assert board.boot()
    assert board.runs() == ["2.0.0", "config_v2"]


HELD = (("1.0.0", "2.0.0"), ("config_v1", "config_v2"))


# ---- imgtool: the outside truth


def imgtool(*arguments: object) -> str:
    command = [sys.executable, "-m", "imgtool.main", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "key.pem"
    path.write_bytes(DEMO_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


@pytest.mark.parametrize("confirm", [False, True])
def test_a_trailer_that_imgtool_made_is_understood(tmp_path, key_file, confirm: bool) -> None:
    """A padded image asks for itself: on trial, or confirmed for good."""
    body, signed = tmp_path / "body.bin", tmp_path / "signed.bin"
    body.write_bytes(bytes(range(256)) * 2)
    slot_bytes = SECTORS * SECTOR_BYTES
    options = ["--key", key_file, "--version", "2.0.0", "--align", 8, "--header-size", 32, "--pad-header"]
    options += ["--slot-size", slot_bytes, "--max-sectors", SECTORS, "--pad", *(["--confirm"] if confirm else [])]
    imgtool("sign", *options, body, signed)
    assert signed.stat().st_size == slot_bytes
    board = Board(OLD)
    board.pairs[0].secondary.program(0, signed.read_bytes())
    assert board.kinds() == [SwapType.PERM if confirm else SwapType.TEST]
    assert board.boot()
    assert str(board.pairs[0].primary.image().version) == "2.0.0"
    assert board.boot()
    assert str(board.pairs[0].primary.image().version) == ("2.0.0" if confirm else "1.0.0")


def test_what_was_swapped_in_passes_imgtool(tmp_path, key_file) -> None:
    board = Board(OLD)
    board.hold(NEW)
    board.request()
    board.boot()
    written = tmp_path / "primary.bin"
    written.write_bytes(board.pairs[0].primary.read(0, board.pairs[0].primary.image_bytes()))
    assert "2.0.0" in imgtool("verify", "--key", key_file, written)
