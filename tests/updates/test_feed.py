"""A feed as a terminal sees it: what is refused, what stays in force, what is fetched."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from feeds import BAR, DAY, MINUTE, NOW, WISEPAD, Folder, a_reader, a_release, at, feed_of, fields_of, found, served

from terminal_kit.errors import (
    DataError,
    InvalidParameterError,
    ManifestError,
    UpdateServerError,
)
from terminal_kit.updates import feed as feed_module
from terminal_kit.updates import keys
from terminal_kit.updates.manifest import MAX_MANIFEST_BYTES
from terminal_kit.updates.store import FeedStore, Seen

NEWER = "2.03.00.00-SZZZ_Prod_US_v14-481003"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrongly signed here stays so."""
    monkeypatch.setattr(feed_module, "AGAIN_S", 0.0)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "feed")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


async def test_a_feed_says_what_is_due(folder: Folder, state: Path) -> None:
    folder.put(a_release(device_types=["stripe_m2"]))
    feed = feed_of(folder, state)
    assert await found(feed) == "r1"
    assert await found(feed, serial=WISEPAD) is None
    assert feed.fault is None


# ---- keys


async def test_no_key_is_taken_from_the_feed(folder: Folder, state: Path) -> None:
    """No trust on first use, however good the signature is."""
    folder.put(a_release())
    with pytest.raises(ManifestError, match="do not trust") as caught:
        await found(feed_of(folder, state, key=None))
    assert caught.value.where == "feed.json.sig"
    assert "`--feed-key`" in caught.value.hint
    assert "`--key` to `feed check`" in caught.value.hint


async def test_another_key_than_the_named_one_is_named(folder: Folder, state: Path) -> None:
    folder.put(a_release())
    other = Ed25519PrivateKey.generate().public_key()
    with pytest.raises(ManifestError, match="it is signed by the key") as caught:
        await found(feed_of(folder, state, key=other))
    for key in (folder.key.public_key(), other):
        assert keys.shown_id(keys.key_id(key)) in str(caught.value)


async def test_a_feed_made_on_this_machine_is_known_by_its_key(folder: Folder, state: Path) -> None:
    folder.put(a_release())
    await asyncio.to_thread(FeedStore(state).keep_key, folder.key)
    assert await found(feed_of(folder, state, key=None)) == "r1"


async def test_a_key_may_be_a_file(folder: Folder, state: Path, tmp_path: Path) -> None:
    folder.put(a_release())
    public, private = tmp_path / "public.pem", tmp_path / "private.pem"
    public.write_text(keys.public_pem(folder.key.public_key()))
    private.write_text(keys.private_pem(folder.key))
    assert await found(feed_of(folder, state, key=public)) == "r1"
    assert await found(feed_of(folder, state, key=str(private))) == "r1"
    for text in ("", "-----BEGIN PUBLIC KEY-----", "-----BEGIN PRIVATE KEY-----"):
        public.write_text(text)
        with pytest.raises(InvalidParameterError, match="no Ed25519 key"):
            await found(feed_of(folder, state, key=public))
    with pytest.raises(InvalidParameterError, match="cannot be read"):
        await found(feed_of(folder, state, key=tmp_path / "none.pem"))


async def test_a_key_that_was_named_once_is_named_each_time(folder: Folder, state: Path) -> None:
    """What is remembered of the feed is not at fault."""
    folder.put(a_release())
    assert await found(feed_of(folder, state)) == "r1"
    with pytest.raises(ManifestError, match="do not trust"):
        await found(feed_of(folder, state, key=None))


async def test_another_own_key_does_not_take_over_a_feed(folder: Folder, state: Path) -> None:
    """Whoever named no key trusts the one that the feed had; a named key begins anew, with any serial."""
    mine, other = folder.key, Ed25519PrivateKey.generate()
    for key in (mine, other):
        await asyncio.to_thread(FeedStore(state).keep_key, key)
    folder.put(a_release("r1"), serial=7)
    feed = feed_of(folder, state, key=None)
    assert await found(feed) == "r1"
    folder.key = other
    folder.put(a_release("r2"), serial=8)
    for known in (feed, feed_of(folder, state, key=None)):
        assert await found(known, NOW + MINUTE) == "r1"
        assert known.fault.where == "feed.json.sig"
    folder.put(a_release("r2"), serial=1)
    assert await found(feed_of(folder, state)) == "r2"


# ---- what is refused


def unsigned(folder: Folder) -> None:
    folder.put(a_release("r2"), serial=2)
    (folder.path / "feed.json.sig").unlink()


def signed_by_another(folder: Folder) -> None:
    folder.key = Ed25519PrivateKey.generate()
    folder.put(a_release("r2"), serial=2)


def signed_otherwise(folder: Folder) -> None:
    folder.put(a_release("r2"), serial=2)
    folder.put(a_release("r2"), serial=3, sign=False)


def forged(folder: Folder) -> None:
    """Another key that claims to be the right one."""
    right, folder.key = folder.key, Ed25519PrivateKey.generate()
    folder.put(a_release("r2"), serial=2)
    signature = folder.path / "feed.json.sig"
    signature.write_text(json.dumps(json.loads(signature.read_text()) | {"key_id": keys.key_id(right.public_key())}))


def no_signature(folder: Folder) -> None:
    folder.put(a_release("r2"), serial=2)
    (folder.path / "feed.json.sig").write_bytes(b"\x00")


def malformed(folder: Folder) -> None:
    folder.put(a_release("r2", share=2), serial=2)


def expired(folder: Folder) -> None:
    folder.put(a_release("r2"), serial=3, issued=at(-9), expires=at(0))


def older(folder: Folder) -> None:
    folder.put(a_release("r2"), serial=1)


def same_serial(folder: Folder) -> None:
    folder.put(a_release("r2"), serial=2)


def too_large(folder: Folder) -> None:
    (folder.path / "feed.json").write_bytes(b" " * (MAX_MANIFEST_BYTES + 1))


REFUSED = [
    (unsigned, "feed.json.sig", "unsigned"),
    (signed_by_another, "feed.json.sig", "signature"),
    (signed_otherwise, "feed.json.sig", "signature"),
    (forged, "feed.json.sig", "signature"),
    (no_signature, "feed.json.sig", "signature"),
    (malformed, "releases[0].share", "malformed"),
    (expired, "expires", ""),
    (too_large, "feed.json", "malformed"),
]


@pytest.mark.parametrize(("spoil", "where", "fault"), REFUSED, ids=[spoil.__name__ for spoil, *_ in REFUSED])
async def test_a_refused_manifest_is_no_update_at_all(
    spoil: Any, where: str, fault: str, folder: Folder, state: Path
) -> None:
    """U13."""
    feed = feed_of(folder, state)
    spoil(folder)
    with pytest.raises(ManifestError) as caught:
        await found(feed)
    assert (caught.value.where, caught.value.fault) == (where, fault)
    assert feed.fault is caught.value


@pytest.mark.parametrize(
    ("spoil", "where"),
    [*((spoil, where) for spoil, where, _ in REFUSED), (older, "serial"), (same_serial, "serial")],
    ids=lambda value: getattr(value, "__name__", None),
)
async def test_the_last_good_manifest_stays_in_force(spoil: Any, where: str, folder: Folder, state: Path) -> None:
    """U13: in this run and in the next one; and when the feed is mended it counts again."""
    right = folder.key
    folder.put(a_release("r1"), serial=2)
    feed = feed_of(folder, state, key=right.public_key())
    assert await found(feed) == "r1"
    spoil(folder)
    for known in (feed, feed_of(folder, state, key=right.public_key())):
        assert await found(known, NOW + MINUTE) == "r1"
        assert isinstance(known.fault, ManifestError)
        assert known.fault.where == where
    folder.key = right
    folder.put(a_release("r3"), serial=3)
    assert await found(feed, NOW + 2 * MINUTE) == "r3"
    assert feed.fault is None


async def test_a_manifest_in_force_that_expires_stays_and_says_so(folder: Folder, state: Path) -> None:
    """A publisher who forgot to sign again stops no shop."""
    folder.put(a_release(), expires=at(1))
    feed = feed_of(folder, state)
    assert await found(feed) == "r1"
    assert await found(feed, NOW + 2 * DAY) == "r1"
    assert feed.fault.where == "expires"


async def test_an_unreachable_feed_is_the_internet_that_is_missing(folder: Folder, state: Path) -> None:
    """U13: told as the server's fault; what is known from before goes on."""
    feed = feed_of(folder, state)
    with pytest.raises(UpdateServerError, match=r"there is no feed\.json"):
        await found(feed)
    folder.put(a_release())
    assert await found(feed) == "r1", "with nothing to go by it does not wait for a minute"
    (folder.path / "feed.json").unlink()
    assert await found(feed, NOW + MINUTE) == "r1"
    assert type(feed.fault) is UpdateServerError


async def test_it_is_read_once_a_minute_or_when_asked(folder: Folder, state: Path) -> None:
    folder.put(a_release("r1"), serial=1)
    with served(folder.path) as server:
        feed = feed_of(folder, state, address=server.url)
        await asyncio.gather(*(found(feed, NOW + step) for step in (0, MINUTE - 1, 5)))
        assert server.asked == ["/feed.json", "/feed.json.sig"]
        folder.put(a_release("r2"), serial=2)
        assert await found(feed, NOW + 5) == "r1"
        assert (await feed.refresh(NOW + 6)).serial == 2
        assert await found(feed, NOW + 7) == "r2"
        assert len(server.asked) == 4
        await found(feed, NOW - DAY)
        assert len(server.asked) == 6, "a clock that went back"


async def test_a_broken_state_is_told_and_kept(folder: Folder, state: Path) -> None:
    """Nobody may lose the serials that were seen without knowing."""
    folder.put(a_release())
    assert await found(feed_of(folder, state)) == "r1"
    (seen,) = (state / "seen").iterdir()
    for text in ("{", "[]", '{"manifest": 1}'):
        seen.write_text(text)
        with pytest.raises(UpdateServerError, match="last manifest") as caught:
            await found(feed_of(folder, state))
        assert "Move the file away" in caught.value.hint
        assert seen.read_text() == text
    seen.write_text('{"manifest": "{}", "signature": ""}')
    with pytest.raises(UpdateServerError) as caught:
        await found(feed_of(folder, state))
    assert type(caught.value) is UpdateServerError, "the feed is good"
    assert str(seen) in str(caught.value)


async def test_a_broken_serial_is_told(folder: Folder, state: Path) -> None:
    folder.put(a_release())
    assert await found(feed_of(folder, state)) == "r1"
    (serial,) = (state / "serials").iterdir()
    serial.write_text("many")
    feed = feed_of(folder, state)
    assert await found(feed) == "r1"
    assert str(serial) in str(feed.fault)


async def test_what_a_newer_kit_kept_is_set_aside(folder: Folder, state: Path) -> None:
    """Both kits use one feed; the serial that the newer one has seen counts here too."""
    text = json.dumps(fields_of(a_release(), serial=4) | {"schema": 2, "more": 1}).encode()
    store, address = FeedStore(state), str(folder.path.resolve())
    folder.put(a_release("r1"), serial=5)
    await asyncio.to_thread(store.keep_seen, address, Seen(text, keys.sign(text, folder.key)))
    feed = feed_of(folder, state)
    assert await found(feed) == "r1"
    assert feed.fault is None
    await asyncio.to_thread(store.keep_seen, address, Seen(text, keys.sign(text, folder.key)))
    await asyncio.to_thread(store.keep_serial, keys.key_id(folder.key.public_key()), 6)
    with pytest.raises(ManifestError, match="5 is older than 6"):
        await found(feed_of(folder, state))


async def test_no_older_manifest_is_brought_back_at_another_address(
    folder: Folder, state: Path, tmp_path: Path
) -> None:
    folder.put(a_release("r2"), serial=5)
    assert await found(feed_of(folder, state)) == "r2"
    mirror = Folder(tmp_path / "mirror")
    mirror.key = folder.key
    mirror.put(a_release("r1"), serial=4)
    with pytest.raises(ManifestError, match="4 is older than 5") as caught:
        await found(feed_of(mirror, state))
    assert caught.value.where == "serial"
    mirror.put(a_release("r2"), serial=5)
    assert await found(feed_of(mirror, state)) == "r2"


async def test_without_room_for_its_state_it_goes_on(folder: Folder, state: Path) -> None:
    folder.put(a_release(components=[folder.image()]))
    await asyncio.to_thread(state.write_text, "no folder")
    feed = feed_of(folder, state)
    update = await feed.find(a_reader(), BAR, NOW)
    assert isinstance(feed.fault, DataError)
    assert len(await feed.fetch(update)) == 1
