"""What is kept of feeds between runs: keys made here, the last good manifest of each feed, images (U13).

A folder beside the kit's other state, apart for each trainee: `keys/` (the private halves readable by their owner
alone), `seen/`, `serials/` and `images/`.
"""

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, cast

import platformdirs
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from terminal_kit.errors import DataError
from terminal_kit.memory import APP, write_atomically
from terminal_kit.updates import keys

KEPT_IMAGES = 24
"""Several releases for every device type: an update that was cut off needs no internet to go on."""


class Seen(NamedTuple):
    """The last good manifest of a feed: the bytes, and the signature that they came with."""

    manifest: bytes
    signature: bytes


class FeedStore:
    """One user's, or trainee's, folder. Nothing of it is held in memory, so several programs may share it."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = platformdirs.user_data_path(APP) / "feeds" if folder is None else folder

    # ---- keys that were made here

    def keep_key(self, key: Ed25519PrivateKey) -> None:
        """Keeps both halves of a key. Raises `DataError`."""
        private, _ = self.key_paths(keys.key_id(key.public_key()))
        write_atomically(private, keys.private_pem(key))  # readable by its owner alone, as all that is written so
        self.keep_public_key(key.public_key())

    def keep_public_key(self, key: Ed25519PublicKey) -> None:
        """Keeps a key to trust, whose private half stays where it is. Raises `DataError`."""
        _, public = self.key_paths(keys.key_id(key))
        write_atomically(public, keys.public_pem(key))

    def public_key(self, key_id: str) -> Ed25519PublicKey | None:
        """The key with this id, if it was made here. Raises `InvalidParameterError` where its file is broken."""
        _, public = self.key_paths(key_id)
        return keys.read_public_key(public) if public.exists() else None

    def public_keys(self) -> tuple[Ed25519PublicKey, ...]:
        """All that were made here. Raises as `public_key`."""
        return tuple(keys.read_public_key(path) for path in sorted((self.folder / "keys").glob("*.pub.pem")))

    def private_key(self, key_id: str) -> Ed25519PrivateKey | None:
        """The same, to sign with."""
        private, _ = self.key_paths(key_id)
        return keys.read_private_key(private) if private.exists() else None

    def key_paths(self, key_id: str) -> tuple[Path, Path]:
        """Where the private and the public half of a key are, or would be."""
        return self.folder / "keys" / f"{key_id}.pem", self.folder / "keys" / f"{key_id}.pub.pem"

    # ---- manifests

    def seen(self, address: str) -> Seen | None:
        """The last good manifest of a feed. Raises `DataError` where the file is broken."""
        path = self.seen_path(address)
        if not path.exists():
            return None
        try:
            kept = cast("dict[str, Any]", json.loads(path.read_text("utf-8")))
            return Seen(kept["manifest"].encode(), kept["signature"].encode())
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise _broken(path, "a feed's last manifest") from error

    def keep_seen(self, address: str, seen: Seen) -> None:
        """Keeps the last good manifest of a feed. Raises `DataError`."""
        kept = {"address": address, "manifest": seen.manifest.decode(), "signature": seen.signature.decode()}
        write_atomically(self.seen_path(address), json.dumps(kept, indent=1))

    def forget_seen(self, address: str) -> None:
        """Forgets a feed: another one begins at its address."""
        with suppress(OSError):
            self.seen_path(address).unlink(missing_ok=True)

    def serial(self, key_id: str) -> int:
        """The highest serial that was seen under a key, at whatever address; 0 for none. Raises as `seen`."""
        path = self.folder / "serials" / key_id
        try:
            return int(path.read_text("ascii"))
        except (FileNotFoundError, NotADirectoryError):
            return 0
        except (OSError, ValueError) as error:
            raise _broken(path, "the last serial of a key") from error

    def keep_serial(self, key_id: str, serial: int) -> None:
        """Keeps the highest serial of a key. Raises `DataError`."""
        if serial > self.serial(key_id):
            write_atomically(self.folder / "serials" / key_id, str(serial))

    # ---- images

    def image(self, sha256: str) -> bytes | None:
        """An image that was kept. One that was damaged since is none."""
        with suppress(OSError):
            data = (self.folder / "images" / sha256).read_bytes()
            return data if hashlib.sha256(data).hexdigest() == sha256 else None
        return None

    def keep_image(self, data: bytes) -> None:
        """Keeps an image, and drops the oldest of too many. A full disk keeps nobody from an update."""
        folder = self.folder / "images"
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / hashlib.sha256(data).hexdigest()).write_bytes(data)
            for old in sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)[:-KEPT_IMAGES]:
                old.unlink(missing_ok=True)

    def seen_path(self, address: str) -> Path:
        """Where the last good manifest of a feed is, or would be."""
        return self.folder / "seen" / f"{hashlib.sha256(address.encode('utf-8', 'replace')).hexdigest()}.json"


def _broken(path: Path, what: str) -> DataError:
    return DataError(
        f"{path} does not hold {what}",
        path=str(path),
        hint="Move the file away; the kit then forgets which serials of this feed it has seen.",
    )
