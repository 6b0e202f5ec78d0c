"""The keys that sign feeds, and the signature of a manifest, `feed.json.sig` (Ed25519).

One key signs the manifest and the images: an image's signature covers a digest of 32 bytes, which no manifest is, so
neither can pass for the other. A key's id is the SHA-256 of its public half (DER), as MCUboot writes it into images.
"""

import hashlib
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from pydantic import Base64Bytes, BaseModel, ValidationError

from terminal_kit.errors import InvalidParameterError, ManifestError
from terminal_kit.updates.manifest import SIGNATURE, Sha256

MAX_SIGNATURE_BYTES = 4096
"""A signature file has about 200."""

MAX_KEY_BYTES = 16 << 10
"""A PEM file of one key has 120; a wrong path may name something without end."""

_SHOWN = 16
"""Digits of a key's id that people are shown: enough to tell keys apart."""


def key_id(key: Ed25519PublicKey) -> str:
    """The id of a key, 64 hexadecimal digits."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def shown_id(key: str) -> str:
    """The beginning of a key's id, for people."""
    return key[:_SHOWN]


def public_pem(key: Ed25519PublicKey) -> str:
    """The public half as text."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def private_pem(key: Ed25519PrivateKey) -> str:
    """The whole key as text, not encrypted, as `imgtool sign -k` takes it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def is_private(path: Path) -> bool:
    """Whether a PEM file holds a private key. Raises `InvalidParameterError` where it cannot be read."""
    return b"PRIVATE KEY" in _read(path)


def read_public_key(path: Path) -> Ed25519PublicKey:
    """A public key, or the public half of a private one. Raises `InvalidParameterError`."""
    if is_private(path):
        return read_private_key(path).public_key()
    try:
        key = load_pem_public_key(_read(path))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _unfit(path) from error
    if not isinstance(key, Ed25519PublicKey):
        raise _unfit(path)
    return key


def read_private_key(path: Path) -> Ed25519PrivateKey:
    """A private key. Raises `InvalidParameterError`."""
    try:
        key = load_pem_private_key(_read(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:  # TypeError: it needs a password
        raise _unfit(path) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _unfit(path)
    return key


class Signature(NamedTuple):
    """Who signed a manifest, and the signature over its exact bytes."""

    key_id: str
    value: bytes

    def check(self, manifest: bytes, key: Ed25519PublicKey) -> None:
        """Raises `ManifestError` where the manifest is not what was signed, or another key signed it (U13)."""
        if self.key_id != key_id(key):
            raise _refused(
                f"it is signed by the key {shown_id(self.key_id)} and not by {shown_id(key_id(key))}",
                hint="Check the feed's address, and ask its publisher which key is the right one.",
            )
        try:
            key.verify(self.value, manifest)
        except InvalidSignature as error:
            raise _refused("the manifest is not what was signed") from error


class _File(BaseModel):
    key_id: Sha256
    signature: Base64Bytes


def sign(manifest: bytes, key: Ed25519PrivateKey) -> bytes:
    """The bytes of `feed.json.sig`."""
    signed = _File.model_construct(key_id=key_id(key.public_key()), signature=key.sign(manifest))
    return signed.model_dump_json(indent=1).encode() + b"\n"


def read_signature(text: bytes | None) -> Signature:
    """The record of `feed.json.sig`. Raises `ManifestError` where there is none, or none that can be read (U13)."""
    if text is None:
        raise ManifestError(
            f"{SIGNATURE}: the manifest is not signed", where=SIGNATURE, stage="checking", fault="unsigned"
        )
    try:
        signed = _File.model_validate_json(text)
    except ValidationError as error:
        raise _refused("it is no signature") from error
    return Signature(signed.key_id, signed.signature)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_KEY_BYTES + 1)
    except OSError as error:
        raise InvalidParameterError(f"{path} cannot be read: {error.strerror}", parameter="key", value=path) from error
    if len(text) > MAX_KEY_BYTES:
        raise _unfit(path)
    return text


def _unfit(path: Path) -> InvalidParameterError:
    return InvalidParameterError(
        f"{path} is no Ed25519 key",
        parameter="key",
        value=path,
        hint="Pass a PEM file without a password; `terminal-kit feed init` makes one, or imgtool keygen -t ed25519.",
    )


def _refused(what: str, hint: str | None = None) -> ManifestError:
    return ManifestError(f"{SIGNATURE}: {what}", where=SIGNATURE, stage="checking", fault="signature", hint=hint)
