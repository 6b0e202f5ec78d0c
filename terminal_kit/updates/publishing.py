"""Making a feed and steering it: what `terminal-kit feed` does to a folder.

Every change raises the serial and signs the manifest at once, where this machine has the key. Where it has not, the
folder holds the new manifest beside the old signature, which everybody refuses until `sign` was called.
"""

import json
import sqlite3
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from terminal_kit.errors import DataError, InvalidParameterError, ManifestError
from terminal_kit.memory import write_atomically
from terminal_kit.updates import keys
from terminal_kit.updates.checking import check_image, refuse
from terminal_kit.updates.drafting import Draft, ImageFile, chosen_time, read_piece, release_of
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

RENEWED_US = 7 * 24 * 3600 * 1_000_000
"""The least life of a manifest that had expired: its last one may have been short, where it was changed at its end."""

LOCK, LOCK_S = ".feed.lock", 10.0
"""The file that whoever changes a feed holds, and how long another waits for it: a change takes less than a second."""


class Publication:
    """A feed's folder, its manifest, and the key that signs it.

    The key is this feed's in `store`, or a PEM file's; with a public one, or none, changes stay unsigned. Each change
    begins with the feed as it stands in the folder by then, and nobody else changes it meanwhile.
    """

    def __init__(self, folder: Path, store: FeedStore, *, key: Path | None = None) -> None:
        """Raises `InvalidParameterError` where there is no feed, `ManifestError` where it is malformed."""
        self.folder = folder
        self._store = store
        self._key = key
        self._load()

    @classmethod
    def init(cls, folder: Path, store: FeedStore, now_us: int, *, key: Path | None = None) -> "Publication":
        """A new feed without releases, signed by a new key, whose halves are kept in `store`, or by one that one has.

        Of a key that is given only the public half is kept; the serial then begins above those seen under it. Raises
        `InvalidParameterError` where the folder holds a feed already, and `DataError` where it cannot be written.
        """
        private = Ed25519PrivateKey.generate() if key is None else keys.read_private_key(key)
        with closing(_locked(folder)):
            if (folder / MANIFEST).exists():
                hint = "Add releases to it, or take another folder."
                raise _wrong("folder", f"{folder} holds a feed already", hint)
            if key is None:
                store.keep_key(private)
            else:
                store.keep_public_key(private.public_key())
            store.forget_seen(files_at(folder).identity())  # of a feed that was here before
            serial = store.serial(keys.key_id(private.public_key())) + 1
            fields: dict[str, Any] = {"schema": 1, "serial": serial, "issued": time_text(now_us), "releases": []}
            _write(folder, _manifest(fields), private)
        return cls(folder, store, key=key)

    @property
    def key_id(self) -> str:
        """The id of the feed's key; empty where neither a signature nor a key tells."""
        if self._signature is not None:
            return self._signature.key_id
        return "" if self._public is None else keys.key_id(self._public)

    @property
    def is_signed(self) -> bool:
        """Whether the manifest is what was signed, as far as can be told here."""
        if self._public is None or self._signature is None:
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
        with self._changing():
            return self._add(draft, files, now_us, raw=raw)

    def _add(self, draft: Draft, files: Sequence[ImageFile], now_us: int, *, raw: bool) -> Release:
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

        It is refused everywhere from `expires_us` on, if given; else as before. A signature that was lost is made
        anew, by the key that was passed, or by the only one in `store`. Raises `InvalidParameterError` where there is
        no private key, and what an unfit image raises: nobody could use what would be signed.
        """
        with self._changing():
            self._sign(now_us, expires_us)

    def _sign(self, now_us: int, expires_us: int | None) -> None:
        if self._private is None or self._public is None:
            raise self._no_key()
        for index, release in enumerate(self.manifest.releases):
            for place, component in enumerate(() if release.withdrawn else release.components):
                where = f"releases[{index}].components[{place}]"
                data = _read(self.folder / component.file)
                if data is None:
                    refuse(f"{where}.file", f"the feed has no {component.file}")
                check_image(data, component, release, self._public, where)
        changes = {} if expires_us is None else {"expires": chosen_time(expires_us)}
        self._publish(self._next(now_us, **changes))

    def _steer(self, release_id: str, now_us: int, **changes: Any) -> Release:
        with self._changing():
            return self._change(release_id, now_us, changes)

    def _change(self, release_id: str, now_us: int, changes: dict[str, Any]) -> Release:
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
        """The next manifest; one that has expired gets a new end. Raises `ManifestError`."""
        now = self.manifest
        fields = json.loads(write_manifest(now)) | {"serial": now.serial + 1, "issued": time_text(now_us)}
        if now.expires is not None and now.expires <= now_us:
            fields["expires"] = time_text(now_us + max(now.expires - now.issued, RENEWED_US))
        return _manifest(fields | changes)

    @contextmanager
    def _changing(self) -> Generator[None]:
        with closing(_locked(self.folder)):
            self._load()  # somebody may have changed it since
            yield

    def _publish(self, manifest: Manifest) -> None:
        _write(self.folder, manifest, self._private)
        self._load()

    def _load(self) -> None:
        text = _read(self.folder / MANIFEST)
        if text is None:
            raise _wrong("folder", f"there is no feed in {self.folder}", "Make one with `terminal-kit feed init`.")
        self.manifest = read_manifest(text)
        self._text = text
        signature = _read(self.folder / SIGNATURE)
        self._signature = None if signature is None else keys.read_signature(signature)
        self._private, self._public = _keys(self._store, self._key, self._signature and self._signature.key_id)

    def _check_unchanged(self) -> None:
        """A manifest that was changed by hand is not signed in passing."""
        if self._signature is None:
            hint = "Run `terminal-kit feed sign`, with --key FILE where several keys were made here."
            refuse(SIGNATURE, "the manifest is not signed", "unsigned", hint=hint)
        if self._private is not None and not self.is_signed:
            raise ManifestError(
                f"{MANIFEST} is not what was signed",
                where=SIGNATURE,
                fault="signature",
                hint="Look at what was changed in it, then run `terminal-kit feed sign`.",
            )

    def _no_key(self) -> InvalidParameterError:
        hint = "Run this where the feed was made, or pass the key's PEM file (--key)."
        which = f"{keys.shown_id(self.key_id)} is not here" if self.key_id else "cannot be told without its signature"
        return _wrong("key", f"the feed's key {which}", hint)


def _locked(folder: Path) -> sqlite3.Connection:
    """Whoever holds it changes the feed in a folder alone, until it is closed. Raises `DataError`.

    SQLite locks a file alike on every system, and the system takes the lock from a program that dies.
    """
    path, lock = folder / LOCK, None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = sqlite3.connect(path, timeout=LOCK_S, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        with suppress(PermissionError):  # another user's: whoever may write in the folder may lock it
            path.chmod(folder.stat().st_mode & 0o666)
    except (sqlite3.Error, OSError) as error:
        if lock is not None:
            lock.close()
        hint = "Wait until whoever changes it has done so, and check that you may write there."
        raise DataError(f"the feed in {folder} cannot be locked: {error}", path=str(path), hint=hint) from error
    return lock


def _keys(
    store: FeedStore, path: Path | None, key_id: str | None
) -> tuple[Ed25519PrivateKey | None, Ed25519PublicKey | None]:
    """The feed's key, as far as it is here; the only one in `store` where no signature tells its id.

    Raises `InvalidParameterError` where the file holds another.
    """
    if path is None:
        if key_id is None:
            only = store.public_keys()
            key_id = keys.key_id(only[0]) if len(only) == 1 else ""
        return store.private_key(key_id), store.public_key(key_id)
    public = keys.read_public_key(path)
    if key_id is not None and keys.key_id(public) != key_id:
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
