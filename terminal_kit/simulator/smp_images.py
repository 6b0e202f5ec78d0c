"""The image group of an SMP server, as Zephyr's img_mgmt answers it: state, upload, erase.

Zephyr, "Application/software image management group"; built as for several images, any of which may be confirmed
(MCUMGR_GRP_IMG_ALLOW_CONFIRM_NON_ACTIVE_IMAGE_ANY), with the check of what arrived (IMG_ENABLE_IMAGE_CHECK) and short
lists (MCUMGR_GRP_IMG_FRUGAL_LIST). Unlike Zephyr it lists whole images only, so that a damaged one is sent again.
"""

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass

from smp.error import MGMT_ERR
from smp.header import OP, CommandId
from smp.image_management import IMG_MGMT_ERR

from terminal_kit.errors import UpdateError
from terminal_kit.image import HEADER_BYTES, image_size
from terminal_kit.simulator.slots import Pair, Slot, SwapType
from terminal_kit.simulator.smp_server import Body, SmpRefusal, field
from terminal_kit.simulator.software import Software

SHA_BYTES = 32


@dataclass(slots=True)
class _Upload:
    """An upload under way. It is kept in memory: a lost link does not end it, a restart does."""

    slot: Slot
    size: int
    sha: bytes
    offset: int = 0

    def is_whole(self) -> bool:
        """Whether what stands in the slot is what was announced."""
        return hashlib.sha256(self.slot.read(0, self.size)).digest() == self.sha


class ImageGroup:
    """Serves the images of a reader. `disturb(data)` is what happens to a chunk on its way into the flash."""

    def __init__(self, software: Software, disturb: Callable[[bytes], bytes]) -> None:
        self._software = software
        self._disturb = disturb
        self._upload: _Upload | None = None

    @property
    def is_uploading(self) -> bool:
        """Whether an upload has begun and not ended."""
        return self._upload is not None

    def restart(self) -> None:
        """Forgets the upload under way."""
        self._upload = None

    def handle(self, op: OP, command: int, body: Body) -> Body:
        """Answers a request. Raises `SmpRefusal`, `PowerLoss`."""
        commands = CommandId.ImageManagement
        match (op, command):
            case (OP.READ, commands.STATE):
                return self._state()
            case (OP.WRITE, commands.STATE):
                self._mark(field(body, "hash", bytes, b""), confirm=field(body, "confirm", bool, False))
                return self._state()
            case (OP.WRITE, commands.UPLOAD):
                try:
                    return self._take(body)
                except SmpRefusal:
                    self._upload = None
                    raise
            case (OP.WRITE, commands.ERASE):
                return self._erase(field(body, "slot", int, 1))
            case _:
                raise SmpRefusal(MGMT_ERR.ENOTSUP)

    # ---- state

    def _state(self) -> Body:
        images = [entry for pair in self._software.pairs for entry in _entries(pair)]
        return {"images": images}

    def _mark(self, digest: bytes, *, confirm: bool) -> None:
        """Tests or confirms the image with this digest; the one that runs where none is named."""
        if not digest and confirm:
            pair, slot = self._software.pairs[0], self._software.pairs[0].primary
        elif len(digest) != SHA_BYTES:
            raise SmpRefusal(IMG_MGMT_ERR.INVALID_HASH)
        else:
            pair, slot = self._find(digest)
        kind = pair.swap_type()
        if slot is pair.primary:
            if not confirm:
                raise SmpRefusal(IMG_MGMT_ERR.IMAGE_SETTING_TEST_TO_ACTIVE_DENIED)
            if kind in (SwapType.TEST, SwapType.PERM):
                raise SmpRefusal(IMG_MGMT_ERR.IMAGE_ALREADY_PENDING)
            if kind is SwapType.REVERT:
                slot.write_image_ok()
            return
        if (kind, confirm) in ((SwapType.TEST, False), (SwapType.PERM, True), (SwapType.REVERT, True)):
            return
        if kind is not SwapType.NONE:
            raise SmpRefusal(IMG_MGMT_ERR.IMAGE_ALREADY_PENDING)
        image = slot.image()
        if image is None or self._software.misfit(pair, image):
            raise SmpRefusal(MGMT_ERR.EACCESSDENIED)  # as an application's own check answers
        pair.request(permanent=confirm)

    def _find(self, digest: bytes) -> tuple[Pair, Slot]:
        for pair in self._software.pairs:
            for slot in (pair.primary, pair.secondary):
                image = slot.image()
                if image is not None and image.digest == digest:
                    return pair, slot
        raise SmpRefusal(IMG_MGMT_ERR.HASH_NOT_FOUND)

    # ---- upload and erase

    def _take(self, body: Body) -> Body:
        offset, data = field(body, "off", int, None), field(body, "data", bytes, b"")
        if offset is None:
            raise SmpRefusal(IMG_MGMT_ERR.INVALID_OFFSET)
        self._upload = upload = self._open(body, data) if offset == 0 else self._upload
        if upload is None:
            return {"off": 0}
        if offset == upload.offset:
            if offset + len(data) > upload.size:
                raise SmpRefusal(IMG_MGMT_ERR.INVALID_IMAGE_DATA_OVERRUN)
            upload.slot.program(offset, self._disturb(data))
            upload.offset += len(data)
        if upload.offset < upload.size:
            return {"off": upload.offset}
        self._upload = None
        return {"off": upload.size} | ({"match": upload.is_whole()} if upload.sha else {})

    def _open(self, body: Body, data: bytes) -> _Upload:
        """The upload that a first chunk names: the one under way, or a new one with its slot erased."""
        number, size = field(body, "image", int, 0), field(body, "len", int, None)
        sha = field(body, "sha", bytes, b"")
        if len(data) < HEADER_BYTES:
            raise SmpRefusal(IMG_MGMT_ERR.INVALID_IMAGE_HEADER)
        if size is None:
            raise SmpRefusal(IMG_MGMT_ERR.INVALID_LENGTH)
        try:
            needed = image_size(data)
        except UpdateError as error:
            raise SmpRefusal(IMG_MGMT_ERR.INVALID_IMAGE_HEADER_MAGIC) from error
        if len(sha) not in (0, SHA_BYTES):
            raise SmpRefusal(IMG_MGMT_ERR.INVALID_HASH)
        if sha and self._upload is not None and self._upload.sha == sha:
            return self._upload
        pairs = self._software.pairs[number : number + 1]
        if number < 0 or not pairs or _in_use(pair := pairs[0]):
            raise SmpRefusal(IMG_MGMT_ERR.NO_FREE_SLOT)
        slot = pair.secondary
        if size > slot.size_bytes or needed > slot.capacity_bytes:
            raise SmpRefusal(IMG_MGMT_ERR.INVALID_IMAGE_TOO_LARGE)
        if field(body, "upgrade", bool, False) and not _is_newer(pair, data):
            raise SmpRefusal(IMG_MGMT_ERR.CURRENT_VERSION_IS_NEWER)
        self._upload = None
        upload = _Upload(slot, size, sha)
        if sha and upload.is_whole():
            upload.offset = size  # it is all there
        elif not slot.is_blank:
            slot.erase(0, size)
            slot.clear_trailer()
        return upload

    def _erase(self, number: int) -> Body:
        """Erases a slot, counted over all images."""
        image, which = divmod(number, 2)
        if image not in range(len(self._software.pairs)):
            raise SmpRefusal(IMG_MGMT_ERR.INVALID_SLOT)
        pair = self._software.pairs[image]
        if which == 0 or _in_use(pair):
            raise SmpRefusal(IMG_MGMT_ERR.NO_FREE_SLOT)
        if not pair.secondary.is_blank:
            pair.secondary.clear()
        self._upload = None
        return {}


def _in_use(pair: Pair) -> bool:
    """Whether the secondary slot is needed at the next start."""
    return pair.swap_type() is not SwapType.NONE


def _is_newer(pair: Pair, data: bytes) -> bool:
    """Whether the image that begins so is newer than the one that runs, by its first three numbers."""
    present = pair.primary.image()
    return present is None or struct.unpack("<BBH", data[20:24]) > present.version[:3]


def _entries(pair: Pair) -> list[Body]:
    """What the slots of an image hold; flags that are not set are left out."""
    kind = pair.swap_type()
    entries: list[Body] = []
    for number, slot in enumerate((pair.primary, pair.secondary)):
        image = slot.image()
        if image is None:
            continue
        flags = {
            "bootable": True,
            "pending": number == 1 and kind in (SwapType.TEST, SwapType.PERM),
            "confirmed": (kind is SwapType.REVERT) == (number == 1),
            "active": number == 0,
            "permanent": number == 1 and kind is SwapType.PERM,
        }
        entry: Body = {"image": pair.number, "slot": number, "version": str(image.version), "hash": image.digest}
        entries.append(entry | {name: True for name, is_set in flags.items() if is_set})
    return entries
