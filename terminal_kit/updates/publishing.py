"""Making a feed and steering it: what `terminal-kit feed` does to a folder.

Every change raises the serial and signs the manifest at once, where this machine has the key. Where it has not, the
folder holds the new manifest beside the old signature, which everybody refuses until `sign` was called.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from terminal_kit.errors import DataError, InvalidParameterError, ManifestError
from terminal_kit.memory import write_atomically
from terminal_kit.updates import keys
from terminal_kit.updates.checking import check_image, refuse
from terminal_kit.updates.drafting import Draft, ImageFile, read_piece, release_of
from terminal_kit.updates.fetching import files_at
from terminal_kit.updates.manifest import (
    MANIFEST,
    SIGNATURE,
    Manifest,
    Release,
    read_manifest,
    time_text,
    write_manifest,
)
from terminal_kit.updates.store import FeedStore


class Publication:
    """A feed's folder, its manifest, and the key that signs it.

    The key is this feed's in `store`, or a PEM file's; with a public one, or none, changes stay unsigned.
    """

    def __init__(self, folder: Path, store: FeedStore, *, key: Path | None = None) -> None:
        """Raises `DataError` where there is no feed, `ManifestError` where it is malformed or never was signed."""
        self.folder = folder
        self._load()
        self._private, self._public = _keys(store, key, self.key_id)

    @classmethod
    def init(cls, folder: Path, store: FeedStore, now_us: int) -> "Publication":
        """A new feed without releases, signed by a new key, whose halves are kept in `store`.

        Raises `DataError` where the folder cannot be written, or holds a feed already.
        """
        if (folder / MANIFEST).exists():
            hint = "Add releases to it, or take another folder."
            raise DataError(f"{folder} holds a feed already", path=str(folder), hint=hint)
        key = Ed25519PrivateKey.generate()
        store.keep_key(key)
        store.forget_seen(files_at(folder).identity())  # of a feed that was here before
        _write(folder, _manifest({"schema": 1, "serial": 1, "issued": time_text(now_us), "releases": []}), key)
        return cls(folder, store)

    @property
    def key_id(self) -> str:
        """The id of the feed's key."""
        return self._signature.key_id

    @property
    def is_signed(self) -> bool:
        """Whether the manifest is what was signed, as far as can be told here."""
        if self._public is None:
            return False
        try:
            self._signature.check(self._text, self._public)
        except ManifestError:
            return False
        else:
            return True

    def add(self, draft: Draft, files: Sequence[ImageFile], now_us: int, *, raw: bool = False) -> Release:
        """Releases images, copied into the feed. `raw` files are wrapped and signed, others must be signed already.

        Raises `InvalidParameterError` for a draft that cannot be, `UpdateError` with its fault for an unfit image.
        """
        self._check_unchanged()
        if self._public is None or (raw and self._private is None):
            raise self._no_key()
        if self.manifest.find(draft.id):
            hint = "Take another: the id of a release is never used again, not even of one that was withdrawn."
            raise _wrong("id", f"the feed has a release {draft.id} already", hint)
        pieces = [read_piece(file, draft, self._private if raw else None) for file in files]
        try:
            manifest = self._next(now_us, releases=[*self._releases(), release_of(draft, pieces)])
        except ManifestError as error:
            raise _wrong(error.where, str(error), "Nothing was changed; correct the option.") from error
        index = len(manifest.releases) - 1
        release = manifest.releases[index]
        for place, (component, piece) in enumerate(zip(release.components, pieces, strict=True)):
            check_image(piece.image.data, component, release, self._public, f"releases[{index}].components[{place}]")
        for component, piece in zip(release.components, pieces, strict=True):
            _write_image(self.folder / component.file, piece.image.data)
        self._publish(manifest)
        return release

    def stage(self, release_id: str, share: float, now_us: int) -> Release:
        """Sets the share of readers, 0…1, that get a release. Gives the release as it was, as the next three do.

        Raising a share only adds readers. Lowering it takes nothing from those that have installed the release.
        """
        return self._steer(release_id, now_us, share=share)

    def pause(self, release_id: str, now_us: int) -> Release:
        """Offers a release to nobody, until it is resumed."""
        return self._steer(release_id, now_us, paused=True)

    def resume(self, release_id: str, now_us: int) -> Release:
        """Offers a release again."""
        return self._steer(release_id, now_us, paused=False)

    def withdraw(self, release_id: str, now_us: int) -> Release:
        """Offers a release never again. It stays in the manifest, so that its id cannot come to mean another."""
        return self._steer(release_id, now_us, withdrawn=True)

    def sign(self, now_us: int, *, expires_us: int | None = None) -> None:
        """Signs the manifest as it is in the folder, also if it was changed by hand, with a new serial.

        It is refused everywhere from `expires_us` on, if given; else as before. Raises `InvalidParameterError` where
        there is no private key, and what an unfit image raises: nobody could use what would be signed.
        """
        if self._private is None or self._public is None:
            raise self._no_key()
        for index, release in enumerate(self.manifest.releases):
            for place, component in enumerate(() if release.withdrawn else release.components):
                where = f"releases[{index}].components[{place}]"
                data = _read(self.folder / component.file)
                if data is None:
                    refuse(f"{where}.file", f"the feed has no {component.file}")
                check_image(data, component, release, self._public, where)
        changes = {} if expires_us is None else {"expires": time_text(expires_us)}
        self._publish(self._next(now_us, **changes))

    def _steer(self, release_id: str, now_us: int, **changes: Any) -> Release:
        self._check_unchanged()
        found = self.manifest.find(release_id)
        if found is None:
            known = ", ".join(release.id for release in self.manifest.releases) or "none yet"
            raise _wrong("release", f"the feed has no release {release_id}", f"It has: {known}.")
        index, before = found
        if before.withdrawn and "withdrawn" not in changes:
            raise _wrong("release", f"{release_id} was withdrawn, for ever", "Add the images as another release.")
        if before.model_copy(update=changes) != before:
            releases = self._releases()
            releases[index] |= changes
            self._publish(self._next(now_us, releases=releases))
        return before

    def _releases(self) -> list[dict[str, Any]]:
        return json.loads(write_manifest(self.manifest))["releases"]

    def _next(self, now_us: int, **changes: Any) -> Manifest:
        """The next manifest. Raises `ManifestError` where it cannot be one."""
        fields = json.loads(write_manifest(self.manifest))
        return _manifest(fields | {"serial": self.manifest.serial + 1, "issued": time_text(now_us)} | changes)

    def _publish(self, manifest: Manifest) -> None:
        _write(self.folder, manifest, self._private)
        self._load()

    def _load(self) -> None:
        text = _read(self.folder / MANIFEST)
        if text is None:
            hint = "Make one with `terminal-kit feed init`."
            raise DataError(f"there is no feed in {self.folder}", path=str(self.folder), hint=hint)
        self.manifest = read_manifest(text)
        self._text = text
        self._signature = keys.read_signature(_read(self.folder / SIGNATURE))

    def _check_unchanged(self) -> None:
        """A manifest that was changed by hand is not signed in passing."""
        if self._private is not None and not self.is_signed:
            raise ManifestError(
                f"{MANIFEST} is not what was signed",
                where=SIGNATURE,
                fault="signature",
                hint="Look at what was changed in it, then run `terminal-kit feed sign`.",
            )

    def _no_key(self) -> InvalidParameterError:
        hint = "Run this where the feed was made, or pass the key's PEM file (--key)."
        return _wrong("key", f"the feed's key {keys.shown_id(self.key_id)} is not here", hint)


def _keys(store: FeedStore, path: Path | None, key_id: str) -> tuple[Ed25519PrivateKey | None, Ed25519PublicKey | None]:
    """The feed's key, as far as it is here. Raises `InvalidParameterError` where the file holds another."""
    if path is None:
        return store.private_key(key_id), store.public_key(key_id)
    public = keys.read_public_key(path)
    if keys.key_id(public) != key_id:
        what = f"{path} is the key {keys.shown_id(keys.key_id(public))}, and the feed's is {keys.shown_id(key_id)}"
        raise _wrong("key", what, "Only the feed's own key can sign it.")
    return (keys.read_private_key(path) if keys.is_private(path) else None), public


def _manifest(fields: dict[str, Any]) -> Manifest:
    return read_manifest(json.dumps(fields).encode())


def _write(folder: Path, manifest: Manifest, key: Ed25519PrivateKey | None) -> None:
    """Writes a manifest, and its signature where there is a key. Raises `DataError`."""
    _write_public(folder / MANIFEST, write_manifest(manifest))
    if key is not None:
        # Over the bytes as they stand in the file, which on some systems are not those that were written.
        _write_public(folder / SIGNATURE, keys.sign((folder / MANIFEST).read_bytes(), key))


def _write_public(path: Path, text: bytes) -> None:
    write_atomically(path, text.decode())
    path.chmod(0o644)  # what is written atomically is for its owner alone; a web server is another user


def _write_image(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}", path=str(path)) from error


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", path=str(path)) from error


def _wrong(parameter: str, what: str, hint: str) -> InvalidParameterError:
    return InvalidParameterError(what, parameter=parameter, hint=hint)
