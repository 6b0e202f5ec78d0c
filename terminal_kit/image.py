"""MCUboot images: bytes ↔ record, checking and making them.

Layout: header (32 bytes, little-endian), body, protected TLVs, TLVs (MCUboot, docs/design.md, "Image format"; its tool
`imgtool` is the outside truth). The SHA-256 covers everything before the unprotected TLVs; the Ed25519 signature covers
that digest. Three protected TLVs of the vendor's range (0x00A0 and up; `imgtool sign --custom-tlv`) say what a reader
must know before it lets an image in: the component's version in full, the device types, and the component itself.
"""

import hashlib
import re
import struct
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from terminal_kit.errors import UpdateError
from terminal_kit.events import UpdateComponent

UpdateFault = Literal[
    "malformed", "unsigned", "signature", "digest", "downgrade", "device_type", "component", "not_installed"
]
"""What is wrong with an image (U13); `not_installed`: the reader started its previous software again."""

MAGIC, HEADER_BYTES = 0x96F3B83D, 32
_HEADER = struct.Struct("<IIHHIIBBHII")
_INFO = struct.Struct("<HH")
_INFO_MAGIC, _PROTECTED_MAGIC = 0x6907, 0x6908
_KEY_HASH, _SHA256, _ED25519 = 0x01, 0x10, 0x24
_VERSION_TEXT, _DEVICE_TYPES, _COMPONENT = 0xA0, 0xA1, 0xA2

IMAGE_NUMBERS = {
    UpdateComponent.FIRMWARE: 0,
    UpdateComponent.CONFIG: 1,
    UpdateComponent.KEYS: 2,
    UpdateComponent.INCREMENTAL: 3,
}
"""Component ↔ the number of its pair of slots, as SMP's image group counts them."""


class ImageVersion(NamedTuple):
    """MCUboot's version; compared field by field."""

    major: int
    minor: int = 0
    revision: int = 0
    build: int = 0

    @classmethod
    def of_text(cls, text: str) -> "ImageVersion":
        """The numbers in a component's version, the last four of more: `2.01.01.00` is 2.1.1+0."""
        numbers = [int(number) for number in re.findall(r"\d+", text)][-4:] or [0]
        limits = (0xFF, 0xFF, 0xFFFF, 0xFFFFFFFF)
        # A number too large for its field (a key profile, say) is a build number.
        if any(number > limit for number, limit in zip(numbers, limits, strict=False)):
            return cls(0, 0, 0, numbers[-1] & 0xFFFFFFFF)
        return cls(*numbers)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.revision}" + (f".{self.build}" if self.build else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A well-formed image whose digest is right. `data` is the whole of it; `digest` the SHA-256 in its TLVs.

    `version_text` is the component's version in full, empty where the image does not tell; so are `device_types` and
    `component`. `signature` is None for an unsigned image.
    """

    data: bytes = field(repr=False)
    version: ImageVersion
    digest: bytes
    signature: bytes | None = None
    version_text: str = ""
    device_types: tuple[str, ...] = ()
    component: UpdateComponent | None = None

    @property
    def shown_version(self) -> str:
        """The version in full, else MCUboot's."""
        return self.version_text or str(self.version)

    def check_signature(self, key: Ed25519PublicKey) -> None:
        """Raises `UpdateError` where the image is unsigned or signed by another key (U13)."""
        if self.signature is None:
            raise UpdateError("the image is not signed", fault="unsigned", stage="checking")
        try:
            key.verify(self.signature, self.digest)
        except InvalidSignature as error:
            raise UpdateError(
                "the image is signed by another key",
                fault="signature",
                stage="checking",
                hint="Use an image that was signed with the key which the reader or you trust.",
            ) from error


def image_size(head: bytes) -> int:
    """Bytes of header, body and protected TLVs, from the first 32 bytes. Raises `UpdateError` (malformed)."""
    if len(head) < HEADER_BYTES:
        raise _malformed(f"{len(head)} bytes are no header")
    magic, _, header_bytes, protected_bytes, body_bytes, *_ = _HEADER.unpack(head[:HEADER_BYTES])
    if magic != MAGIC or header_bytes < HEADER_BYTES:
        raise _malformed(f"it begins with {magic:#010x} and not with MCUboot's mark")
    return header_bytes + body_bytes + protected_bytes


def read_image(data: bytes) -> Image:
    """The record of an image. Trailing padding is left out of it.

    Raises `UpdateError` with the fault: `malformed`, or `digest` where the content is not what its SHA-256 says.
    """
    covered = image_size(data)
    if len(data) < covered + _INFO.size:
        raise _malformed(f"it should have more than {covered} bytes and has {len(data)}")
    _, _, _, protected_bytes, _, _, major, minor, revision, build, _ = _HEADER.unpack(data[:HEADER_BYTES])
    protected: dict[int, bytes] = {}
    if protected_bytes:
        protected, _end = _read_tlvs(data, covered - protected_bytes, _PROTECTED_MAGIC)
    plain, end = _read_tlvs(data, covered, _INFO_MAGIC)
    digest = plain.get(_SHA256)
    if digest is None:
        raise _malformed("it has no SHA-256")
    if hashlib.sha256(data[:covered]).digest() != digest:
        raise UpdateError("the image is not what its SHA-256 says", fault="digest", stage="checking")
    component = protected.get(_COMPONENT, b"").decode("ascii", "replace").upper()
    types = protected.get(_DEVICE_TYPES, b"").decode("utf-8", "replace")
    return Image(
        data=bytes(data[:end]),
        version=ImageVersion(major, minor, revision, build),
        digest=digest,
        signature=plain.get(_ED25519),
        version_text=protected.get(_VERSION_TEXT, b"").decode("utf-8", "replace"),
        device_types=tuple(name for name in types.split(",") if name),
        component=UpdateComponent.__members__.get(component),
    )


def make_image(
    body: bytes,
    *,
    component: UpdateComponent,
    version: str,
    device_types: tuple[str, ...] = (),
    key: Ed25519PrivateKey | None,
    numbers: ImageVersion | None = None,
) -> Image:
    """An image around `body`, as `imgtool sign` makes it; unsigned without a `key`."""
    protected = _tlvs(
        _PROTECTED_MAGIC,
        {
            _VERSION_TEXT: version.encode(),
            _DEVICE_TYPES: ",".join(device_types).encode(),
            _COMPONENT: (component.name or "").lower().encode(),
        },
    )
    number = numbers or ImageVersion.of_text(version)
    header = _HEADER.pack(MAGIC, 0, HEADER_BYTES, len(protected), len(body), 0, *number, 0)
    covered = header + body + protected
    digest = hashlib.sha256(covered).digest()
    plain = {_SHA256: digest}
    if key is not None:
        public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        plain |= {_KEY_HASH: hashlib.sha256(public).digest(), _ED25519: key.sign(digest)}
    return read_image(covered + _tlvs(_INFO_MAGIC, plain))


def is_older(version: str, than: str) -> bool:
    """Whether a component's version is older than another of the same track.

    Versions of one track differ in their numbers alone: `SZZZ_Prod_US_v11` is older than `SZZZ_Prod_US_v12`, but
    another region's configuration is another track, and no downgrade.
    """
    tracks = [re.sub(r"\d+", "#", text) for text in (version, than)]
    numbers = [[int(number) for number in re.findall(r"\d+", text)] for text in (version, than)]
    return tracks[0] == tracks[1] and numbers[0] < numbers[1]


def _tlvs(magic: int, entries: dict[int, bytes]) -> bytes:
    body = b"".join(_INFO.pack(kind, len(value)) + value for kind, value in entries.items())
    return _INFO.pack(magic, _INFO.size + len(body)) + body


def _read_tlvs(data: bytes, start: int, magic: int) -> tuple[dict[int, bytes], int]:
    found, total = _INFO.unpack(data[start : start + _INFO.size])
    end, at = start + total, start + _INFO.size
    if found != magic or end > len(data):
        raise _malformed(f"its TLVs at byte {start} are broken")
    entries: dict[int, bytes] = {}
    while at < end:
        if at + _INFO.size > end:
            raise _malformed(f"its TLV at byte {at} is cut off")
        kind, length = _INFO.unpack(data[at : at + _INFO.size])
        at += _INFO.size
        if at + length > end:
            raise _malformed(f"its TLV at byte {at} is cut off")
        entries[kind] = bytes(data[at : at + length])
        at += length
    return entries, end


def _malformed(why: str) -> UpdateError:
    return UpdateError(
        f"this is no MCUboot image: {why}",
        fault="malformed",
        stage="checking",
        hint="Make it with imgtool sign, or take it from a feed.",
    )
