"""Steering a feed beside others, after its end, without its signature, and with a key that one has."""

import asyncio
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from feeds import DAY, NEW, NOW

from terminal_kit.errors import DataError, InvalidParameterError, ManifestError, UpdateError
from terminal_kit.updates import keys, publishing
from terminal_kit.updates.drafting import Draft, ImageFile
from terminal_kit.updates.feed import Feed
from terminal_kit.updates.manifest import ANY, Manifest
from terminal_kit.updates.publishing import LOCK, RENEWED_US, Publication
from terminal_kit.updates.store import FeedStore


@pytest.fixture
def store(tmp_path: Path) -> FeedStore:
    return FeedStore(tmp_path / "state")


@pytest.fixture
def feed(tmp_path: Path, store: FeedStore) -> Publication:
    """A feed with a release."""
    made = Publication.init(tmp_path / "feed", store, NOW - DAY)
    add(made, "r1", tmp_path)
    return made


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A key that was made elsewhere."""
    path = tmp_path / "own.pem"
    path.write_text(keys.private_pem(Ed25519PrivateKey.generate()))
    return path


def add(feed: Publication, name: str, folder: Path, data: bytes = b"app") -> None:
    app = folder / "app.bin"
    app.write_bytes(data)
    feed.add(Draft(id=name, version=NEW, released_at={ANY: NOW - DAY}), [ImageFile(app)], NOW - DAY, raw=True)


def checked(feed: Publication, store: FeedStore, now_us: int = NOW) -> Manifest:
    return asyncio.run(Feed(feed.folder, state=store.folder).check(now_us))


# ---- beside others


def test_a_change_begins_with_the_feed_as_it_is(feed: Publication, store: FeedStore) -> None:
    """Somebody has withdrawn the release since this one looked."""
    other = Publication(feed.folder, store)
    feed.withdraw("r1", NOW)
    with pytest.raises(InvalidParameterError, match="for ever"):
        other.stage("r1", 0.5, NOW)
    assert checked(feed, store).releases[0].withdrawn


def test_no_change_is_lost_among_several_at_once(feed: Publication, store: FeedStore, tmp_path: Path) -> None:
    for number in range(2, 5):
        add(feed, f"r{number}", tmp_path)
    before, failed = feed.manifest.serial, list[BaseException]()

    def steer(name: str) -> None:
        try:
            mine = Publication(feed.folder, store)
            for number in range(1, 9):
                mine.stage(name, number / 10, NOW)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=steer, args=(f"r{number}",)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    manifest = checked(feed, store)
    assert manifest.serial == before + 4 * 8
    assert {release.share for release in manifest.releases} == {0.8}


def test_who_waits_too_long_is_told(feed: Publication, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "LOCK_S", 0.1)
    with closing(publishing._locked(feed.folder)), pytest.raises(DataError, match="cannot be locked") as caught:
        feed.pause("r1", NOW)
    assert caught.value.path == str(feed.folder / LOCK)
    feed.pause("r1", NOW)
    assert feed.manifest.releases[0].paused


def test_who_died_while_changing_it_holds_nobody_up(feed: Publication) -> None:
    program = (
        "import os, sys\nfrom pathlib import Path\nfrom terminal_kit.updates import publishing\n"
        "held = publishing._locked(Path(sys.argv[1]))\nos._exit(9)\n"
    )
    died = subprocess.run([sys.executable, "-c", program, str(feed.folder)], check=False)
    assert died.returncode == 9
    feed.pause("r1", NOW)
    assert feed.is_signed


@pytest.mark.skipif(sys.platform == "win32", reason="modes mean something else there")
def test_whoever_may_write_the_folder_may_lock_it(feed: Publication) -> None:
    feed.folder.chmod(0o775)
    feed.pause("r1", NOW)
    assert (feed.folder / LOCK).stat().st_mode & 0o777 == 0o664


# ---- after its end


@pytest.mark.parametrize("step", [Publication.pause, Publication.withdraw])
def test_a_feed_that_has_expired_can_be_steered(step: Any, feed: Publication, store: FeedStore) -> None:
    feed.sign(NOW, expires_us=NOW + 30 * DAY)
    late = NOW + 40 * DAY
    with pytest.raises(ManifestError, match="expired") as caught:
        checked(feed, store, late)
    assert "feed sign --expires-in" in caught.value.hint
    step(feed, "r1", late)
    assert feed.manifest.expires == late + 30 * DAY
    assert checked(feed, store, late).serial == feed.manifest.serial


def test_what_was_changed_at_its_end_lives_on_for_a_while(feed: Publication) -> None:
    feed.sign(NOW, expires_us=NOW + DAY)
    feed.pause("r1", NOW + DAY - 1)
    assert feed.manifest.expires == NOW + DAY, "an end to come stays"
    feed.sign(NOW + DAY)
    assert feed.manifest.expires == NOW + DAY + RENEWED_US


def test_there_are_no_times_after_the_year_9999(feed: Publication, tmp_path: Path) -> None:
    with pytest.raises(InvalidParameterError, match="outside the years"):
        feed.sign(NOW, expires_us=10**18)
    with pytest.raises(InvalidParameterError, match="outside the years"):
        feed.add(
            Draft(id="r2", version=NEW, released_at={ANY: -(10**18)}), [ImageFile(tmp_path / "app.bin")], NOW, raw=True
        )
    assert feed.manifest.serial == 2


# ---- without its signature


def test_a_signature_that_was_lost_is_made_anew(feed: Publication, store: FeedStore) -> None:
    """As `feed init` that was cut between its two files leaves it."""
    (feed.folder / "feed.json.sig").unlink()
    found = Publication(feed.folder, store)
    assert not found.is_signed
    with pytest.raises(ManifestError, match="not signed") as caught:
        found.pause("r1", NOW)
    assert "feed sign" in caught.value.hint
    found.sign(NOW)
    assert checked(found, store).serial == 3


def test_among_several_keys_one_is_to_be_named(feed: Publication, store: FeedStore, own: Path, tmp_path: Path) -> None:
    key, _ = store.key_paths(feed.key_id)
    Publication.init(tmp_path / "another", store, NOW)
    (feed.folder / "feed.json.sig").unlink()
    with pytest.raises(InvalidParameterError, match="cannot be told") as caught:
        Publication(feed.folder, store).sign(NOW)
    assert "--key" in caught.value.hint
    with pytest.raises(UpdateError, match="another key"):
        Publication(feed.folder, store, key=own).sign(NOW)
    Publication(feed.folder, store, key=key).sign(NOW)
    assert checked(feed, store).serial == 3


# ---- with a key that one has


def test_a_feed_signed_by_a_key_that_one_has(store: FeedStore, own: Path, tmp_path: Path) -> None:
    feed = Publication.init(tmp_path / "feed", store, NOW - DAY, key=own)
    assert feed.key_id == keys.key_id(keys.read_public_key(own))
    add(feed, "r1", tmp_path)
    assert checked(feed, store).serial == 2
    assert not store.key_paths(feed.key_id)[0].exists(), "the private half is copied nowhere"
    for name in ("feed.json", "feed.json.sig"):
        (feed.folder / name).unlink()
    again = Publication.init(feed.folder, store, NOW, key=own)
    assert checked(again, store).serial == 3, "terminals here have seen 2 under this key"


def test_what_is_no_private_key_makes_no_feed(store: FeedStore, own: Path, tmp_path: Path) -> None:
    own.write_text(keys.public_pem(keys.read_public_key(own)))
    with pytest.raises(InvalidParameterError, match="no Ed25519 key"):
        Publication.init(tmp_path / "feed", store, NOW, key=own)
    assert not (tmp_path / "feed").exists()


def test_a_key_file_without_end_is_not_read_to_it(own: Path) -> None:
    own.write_text(own.read_text() + "\n" * 20_000)
    for read in (keys.read_private_key, keys.read_public_key):
        with pytest.raises(InvalidParameterError, match="no Ed25519 key"):
            read(own)


def test_an_empty_file_is_no_image(feed: Publication, tmp_path: Path) -> None:
    with pytest.raises(InvalidParameterError, match=r"app\.bin is empty"):
        add(feed, "r2", tmp_path, b"")
    assert feed.manifest.serial == 2
