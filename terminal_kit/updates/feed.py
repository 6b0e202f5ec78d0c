"""A feed of updates as a terminal sees it: refreshed, checked, remembered, and asked what is due (U13)."""

import asyncio
import json
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from terminal_kit.errors import DataError, ManifestError, TerminalError, UpdateNotAvailableError, UpdateServerError
from terminal_kit.image import Image
from terminal_kit.reader import Reader, SoftwareUpdate
from terminal_kit.updates import keys
from terminal_kit.updates.checking import check_image, refuse
from terminal_kit.updates.choosing import choose
from terminal_kit.updates.fetching import LoneThread, files_at, image_limit_s
from terminal_kit.updates.manifest import (
    MANIFEST,
    MAX_MANIFEST_BYTES,
    SIGNATURE,
    Manifest,
    read_manifest,
    time_text,
)
from terminal_kit.updates.store import FeedStore, Seen

T = TypeVar("T")

REFRESH_US = 60 * 1_000_000
"""A manifest is read again after a minute: a shop's readers that connect together ask once."""

LOOK_S = 10.0
"""Real seconds for a look at a feed: well below the 40 s of a connection, or the reader would be blamed for it."""

AGAIN_S = 0.2
"""A publisher replaces the manifest and then its signature: whoever came in between looks again after so long."""


class _Good(NamedTuple):
    """A manifest in force, and the key that signed it."""

    manifest: Manifest
    text: bytes
    key: Ed25519PublicKey


class Feed:
    """An `UpdateSource`: the signed releases in a folder, or at an http(s) address.

    `key` is the publisher's public key, or the path of its PEM file. Without it only feeds are trusted whose key was
    made by this user on this machine (`terminal-kit feed init`): no key is taken from the feed itself. `state` is the
    folder of what is kept between runs, by default the user's. A manifest that is malformed, unsigned, wrongly signed,
    expired or older than the last one is refused; the last good one stays in force, even beyond its own end, and
    `fault` tells what is wrong. To be used on one event loop.
    """

    def __init__(
        self, address: str | Path, *, key: Ed25519PublicKey | str | Path | None = None, state: Path | None = None
    ) -> None:
        """Raises `InvalidParameterError` for an address that cannot be one; nothing is read yet."""
        self._files = files_at(address)
        self._key = key
        self._store = FeedStore(state)
        self._good: _Good | None = None
        self._looked_us: int | None = None
        self._looks = 0
        self._turn = asyncio.Lock()
        self.fault: TerminalError | None = None

    @property
    def address(self) -> str:
        """The folder or address, without a password."""
        return self._files.shown

    def trusted_keys(self) -> tuple[Ed25519PublicKey, ...]:
        """The key that was given, else those made here. Raises `InvalidParameterError` where a file holds none."""
        given = self._given_key()
        return self._store.public_keys() if given is None else (given,)

    async def find(self, reader: Reader, location_id: str, now_us: int) -> SoftwareUpdate | None:
        """The newest update that this reader can take at a location, or None. `now_us`: UTC, microseconds.

        Reads the manifest first where the last look is a minute old or found nothing to go by. Raises as `refresh`.
        """
        looks = self._looks
        async with self._turn:
            fresh = self._looked_us is not None and 0 <= now_us - self._looked_us < REFRESH_US
            if looks == self._looks and (self._good is None or not fresh):  # nobody looked while this one waited
                await self._look(now_us)
            good = self._in_force()
        return choose(good.manifest, reader, location_id, now_us)

    async def refresh(self, now_us: int) -> Manifest:
        """Reads the manifest now, and gives the one in force.

        Where the new one is refused or cannot be had, `fault` says why. It is raised where no good one is known:
        `ManifestError`, whose `where` is the place of the fault, or `UpdateServerError`. A file that holds no key
        raises `InvalidParameterError`.
        """
        async with self._turn:
            await self._look(now_us)
            return self._in_force().manifest

    async def fetch(self, update: SoftwareUpdate) -> tuple[Image, ...]:
        """The images of an update, in the order of its parts; those that were fetched before need no internet.

        Raises `UpdateServerError` where one cannot be had, `ManifestError` where a file is not the one that the
        manifest names, `UpdateError` with its fault where the image is unfit (U13), and `UpdateNotAvailableError` where
        the release is no longer offered.
        """
        async with self._turn:
            good = self._good or await self._in_thread(lambda _stop: self._remembered())
        if good is None:
            raise UpdateServerError(f"nothing is known of the feed at {self.address}", stage="checking")
        index, release = good.manifest.find(update.release_id) or (0, None)
        if release is None or release.paused or release.withdrawn:
            raise UpdateNotAvailableError(f"the release {update.release_id} is no longer offered", stage="checking")
        parts = {component.part(): place for place, component in enumerate(release.components)}
        if not parts.keys() >= set(update.parts):
            raise UpdateNotAvailableError(f"the release {update.release_id} has changed", stage="checking")
        return tuple([await self._fetch(good, index, parts[part], anew=False) for part in update.parts])

    async def check(self, now_us: int) -> Manifest:
        """Reads all of it, images too, and raises the first fault, as `refresh` and `fetch` do."""
        manifest = await self.refresh(now_us)
        if self.fault is not None:
            raise self.fault
        good = self._in_force()
        for index, release in enumerate(manifest.releases):
            for place in range(0 if release.withdrawn else len(release.components)):
                await self._fetch(good, index, place, anew=True)
        return manifest

    def _in_force(self) -> _Good:
        if self._good is None:
            raise self.fault or UpdateServerError(f"nothing is known of the feed at {self.address}")
        return self._good

    async def _look(self, now_us: int) -> None:
        try:
            self._good = self._good or await self._in_thread(lambda _stop: self._remembered())
            self._good, self.fault = await self._in_thread(partial(self._read, self._good, now_us))
        except UpdateServerError as error:
            self.fault = error
        self._looked_us = now_us
        self._looks += 1

    async def _fetch(self, good: _Good, index: int, place: int, *, anew: bool) -> Image:
        size_bytes = good.manifest.releases[index].components[place].size_bytes
        return await self._in_thread(partial(self._image, good, index, place, anew=anew), image_limit_s(size_bytes))

    async def _in_thread(self, work: Callable[[threading.Event], T], limit_s: float | None = None) -> T:
        """`work`'s result. It is asked to stop when nobody waits for it any more.

        Raises `UpdateServerError` after `limit_s` real seconds, by default `LOOK_S`, whatever holds the work up.
        """
        stop, limit_s = threading.Event(), limit_s or LOOK_S
        late = UpdateServerError(f"the feed at {self.address} is too slow: more than {limit_s:g} s", stage="checking")
        try:
            return await asyncio.get_running_loop().run_in_executor(LoneThread(limit_s, late), work, stop)
        finally:
            stop.set()

    # ---- what follows runs in a thread, and changes nothing here

    def _read(
        self, good: _Good | None, now_us: int, stop: threading.Event
    ) -> tuple[_Good | None, TerminalError | None]:
        try:
            try:
                found, signature = self._read_both(good, stop)
            except ManifestError as error:
                if error.where != SIGNATURE:
                    raise
                stop.wait(AGAIN_S)
                found, signature = self._read_both(good, stop)
            self._check_order(found, good)
            if found.manifest.expires is not None and found.manifest.expires <= now_us:
                until = time_text(found.manifest.expires)
                hint = "Its publisher signs it anew: `terminal-kit feed sign --expires-in 90d`."
                refuse("expires", f"the manifest has expired on {until}", hint=hint)
        except UpdateServerError as error:
            return good, error
        try:
            if good is None or found.text != good.text:
                self._store.keep_seen(self._files.identity(), Seen(found.text, signature))
            self._store.keep_serial(keys.key_id(found.key), found.manifest.serial)
        except DataError as error:
            return found, error  # good for now, but a later run will not know of it
        return found, None

    def _read_both(self, good: _Good | None, stop: threading.Event) -> tuple[_Good, bytes]:
        """The manifest and its signature."""
        text = self._files.read(MANIFEST, MAX_MANIFEST_BYTES, stop)
        if text is None:
            raise UpdateServerError(f"there is no {MANIFEST} at {self.address}", stage="checking")
        if len(text) > MAX_MANIFEST_BYTES:
            refuse(MANIFEST, f"it has more than the {MAX_MANIFEST_BYTES} bytes that it may have", "malformed")
        signature = self._files.read(SIGNATURE, keys.MAX_SIGNATURE_BYTES, stop)
        return self._accept(text, signature, good), signature or b""

    def _remembered(self) -> _Good | None:
        """The last good manifest of an earlier run. Raises `UpdateServerError`, which names its file, if it is broken.

        One that a newer kit kept is none; its serial counts all the same (`FeedStore.serial`).
        """
        path = self._store.seen_path(self._files.identity())
        hint = "Move the file away; the kit then forgets which manifest of this feed was the last good one."
        seen = None
        try:
            seen = self._store.seen(self._files.identity())
            if seen is None:
                return None
            signature = keys.read_signature(seen.signature)
            key = self._given_key() or self._store.public_key(signature.key_id)
            if key is None or keys.key_id(key) != signature.key_id:
                return None  # whoever names another key means another feed, and whoever names none may not trust it
            return self._accept(seen.manifest, seen.signature, None)
        except DataError as error:
            raise UpdateServerError(str(error), stage="checking", hint=error.hint) from error
        except ManifestError as error:
            if seen is not None and error.where != SIGNATURE and _is_newer(seen.manifest):
                return None
            raise UpdateServerError(f"{path} is damaged: {error}", stage="checking", hint=hint) from error

    def _accept(self, text: bytes, signature: bytes | None, good: _Good | None) -> _Good:
        signed = keys.read_signature(signature)
        key = self._given_key() or self._known_key(signed, good)
        signed.check(text, key)
        return _Good(read_manifest(text), text, key)

    def _given_key(self) -> Ed25519PublicKey | None:
        return keys.read_public_key(Path(self._key)) if isinstance(self._key, str | Path) else self._key

    def _known_key(self, signed: keys.Signature, good: _Good | None) -> Ed25519PublicKey:
        key = self._store.public_key(signed.key_id)
        if key is None or (good is not None and keys.key_id(good.key) != signed.key_id):
            raise ManifestError(
                f"{SIGNATURE}: it is signed by the key {keys.shown_id(signed.key_id)}, which you do not trust",
                where=SIGNATURE,
                stage="checking",
                fault="signature",
                hint="Ask its publisher for the public key, and pass it: `--feed-key`, or `--key` to `feed check`.",
            )
        return key

    def _image(self, good: _Good, release_place: int, place: int, stop: threading.Event, *, anew: bool) -> Image:
        release = good.manifest.releases[release_place]
        component = release.components[place]
        where = f"releases[{release_place}].components[{place}]"
        data = None if anew else self._store.image(component.sha256)
        if data is None:
            data = self._files.read(component.file, component.size_bytes, stop)
        if data is None:
            refuse(f"{where}.file", f"the feed has no {component.file}")
        image = check_image(data, component, release, good.key, where)
        self._store.keep_image(data)
        return image

    def _check_order(self, found: _Good, good: _Good | None) -> None:
        """Nobody may bring back an older manifest, which may have lacked a correction, at another address either."""
        serial, key_id = found.manifest.serial, keys.key_id(found.key)
        known = good if good is not None and keys.key_id(good.key) == key_id else None
        try:
            seen = max(self._store.serial(key_id), known.manifest.serial if known else 0)
        except DataError as error:
            raise UpdateServerError(str(error), stage="checking", hint=error.hint) from error
        if serial < seen:
            refuse("serial", f"{serial} is older than {seen}, which was seen before")
        if known and serial == known.manifest.serial and found.text != known.text:
            refuse("serial", f"{serial} was seen before with another content")


def _is_newer(text: bytes) -> bool:
    """Whether a manifest is of a schema that this kit does not know."""
    with suppress(ValueError, TypeError, KeyError):
        return json.loads(text)["schema"] > 1
    return False
