"""Making a feed and steering it, with `imgtool` as the outside truth."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from feeds import BAR, DAY, DESK, NEW, NOW, OLD, a_reader, at
from hypothesis import given, settings
from hypothesis import strategies as st

from terminal_kit.errors import InvalidParameterError, ManifestError, UpdateError
from terminal_kit.events import UpdateComponent
from terminal_kit.image import make_image
from terminal_kit.reader import EstimatedUpdateTime
from terminal_kit.updates import keys
from terminal_kit.updates.choosing import choose
from terminal_kit.updates.drafting import Draft, ImageFile
from terminal_kit.updates.feed import Feed
from terminal_kit.updates.manifest import ANY, Manifest, Release
from terminal_kit.updates.publishing import Publication
from terminal_kit.updates.store import FeedStore

DRAFT = {"id": "r1", "version": NEW, "released_at": {ANY: NOW - DAY}}


@pytest.fixture
def store(tmp_path: Path) -> FeedStore:
    return FeedStore(tmp_path / "state")


@pytest.fixture
def feed(tmp_path: Path, store: FeedStore) -> Publication:
    return Publication.init(tmp_path / "feed", store, NOW - DAY)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    path = tmp_path / "app.bin"
    path.write_bytes(bytes(range(256)) * 20)
    return path


@pytest.fixture
def key(feed: Publication, store: FeedStore) -> Path:
    return store.key_paths(feed.key_id)[0]


def raw(feed: Publication, app: Path, **changes: Any) -> Release:
    """Adds a release of a raw firmware file."""
    return feed.add(Draft(**DRAFT | changes), [ImageFile(app)], NOW, raw=True)


def checked(feed: Publication, store: FeedStore, now_us: int = NOW) -> Manifest:
    """What a terminal on this machine makes of the feed."""
    return asyncio.run(Feed(feed.folder, state=store.folder).check(now_us))


def test_a_new_feed_is_good_at_once(feed: Publication, store: FeedStore) -> None:
    manifest = checked(feed, store)
    assert (manifest.serial, manifest.releases) == (1, ())
    assert feed.is_signed


@pytest.mark.skipif(sys.platform == "win32", reason="modes mean something else there")
def test_only_the_owner_reads_the_key_and_everybody_the_feed(feed: Publication, key: Path, app: Path) -> None:
    raw(feed, app)
    assert key.stat().st_mode & 0o777 == 0o600
    for name in ("feed.json", "feed.json.sig"):
        assert (feed.folder / name).stat().st_mode & 0o777 == 0o644


def test_a_feed_is_not_made_twice(feed: Publication, store: FeedStore, tmp_path: Path) -> None:
    before = (feed.folder / "feed.json").read_bytes()
    with pytest.raises(InvalidParameterError, match="already"):
        Publication.init(feed.folder, store, NOW)
    assert (feed.folder / "feed.json").read_bytes() == before
    with pytest.raises(InvalidParameterError, match="no feed") as caught:
        Publication(tmp_path / "elsewhere", store)
    assert caught.value.parameter == "folder"


def test_a_feed_made_anew_at_the_same_place(feed: Publication, store: FeedStore, app: Path) -> None:
    """Its serials begin anew, and this machine's terminals do not take that for a step back."""
    raw(feed, app)
    assert (checked(feed, store)).serial == 2
    for name in ("feed.json", "feed.json.sig"):
        (feed.folder / name).rename(feed.folder / f"{name}.old")
    again = Publication.init(feed.folder, store, NOW)
    assert (checked(again, store)).serial == 1


# ---- adding


def test_a_raw_file_becomes_a_signed_image(feed: Publication, app: Path) -> None:
    release = raw(feed, app, device_types=["stripe_m2"])
    (component,) = release.components
    assert (component.component, component.version) == ("firmware", "2.02.00.00")
    assert (feed.folder / component.file).read_bytes()[32 : 32 + 5120] == app.read_bytes()
    assert release.estimated_update_time is EstimatedUpdateTime.FIVE_TO_FIFTEEN_MINUTES
    assert feed.manifest.serial == 2
    assert feed.is_signed


def imgtool(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "imgtool.main", *arguments], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def signed_by_imgtool(app: Path, key: Path, *options: str, version: str = "2.2.0") -> Path:
    image = app.with_name("signed.bin")
    layout = ("-H", "32", "--pad-header", "-S", "0x10000", "--align", "4")
    imgtool("sign", "-k", str(key), "-v", version, *layout, *options, str(app), str(image))
    return image


def test_images_of_imgtool_are_accepted(feed: Publication, store: FeedStore, key: Path, app: Path) -> None:
    """The key of `feed init` is one for `imgtool sign -k`; 2.02.00.00 ends in the numbers 2, 2, 0, 0."""
    image = signed_by_imgtool(app, key)
    version = NEW.replace("2.02.00.00", "2.02.00")
    release = feed.add(Draft(**DRAFT | {"version": version}), [ImageFile(image)], NOW)
    assert release.components[0].version == "2.02.00"
    assert checked(feed, store)
    update = asyncio.run(Feed(feed.folder, state=store.folder).find(a_reader(), DESK, NOW))
    assert update.version == version.replace("v13-481002", "v12-481001")


def test_an_image_of_imgtool_may_say_all_itself(feed: Publication, key: Path, app: Path) -> None:
    told = ("0xa0", "SZZZ_Prod_US_v13"), ("0xa1", "stripe_m2,wisepad_3"), ("0xa2", "config")
    options = [part for tlv in told for part in ("--custom-tlv", *tlv)]
    image = signed_by_imgtool(app, key, *options, version="9.9.9")
    release = feed.add(Draft(**DRAFT), [ImageFile(image)], NOW)
    assert release.device_types == ("stripe_m2", "wisepad_3")
    assert release.components[0].component == "config"
    assert release.components[0].version == "SZZZ_Prod_US_v13"
    assert release.estimated_update_time is EstimatedUpdateTime.ONE_TO_TWO_MINUTES


def test_imgtool_finds_our_images_good(feed: Publication, key: Path, app: Path) -> None:
    release = raw(feed, app)
    assert "Image was correctly validated" in imgtool(
        "verify", "-k", str(key), str(feed.folder / release.components[0].file)
    )


def test_padding_for_a_slot_is_not_released(feed: Publication, key: Path, app: Path) -> None:
    image = signed_by_imgtool(app, key, "--pad")
    assert image.stat().st_size == 0x10000
    release = feed.add(Draft(**DRAFT | {"version": "2.2.0"}), [ImageFile(image)], NOW)
    assert release.components[0].size_bytes < 0x2000


def test_several_components_of_one_release(feed: Publication, app: Path) -> None:
    files = [ImageFile(app, component) for component in UpdateComponent]
    release = feed.add(Draft(**DRAFT), files, NOW, raw=True)
    assert {component.component: component.version for component in release.components} == {
        "firmware": "2.02.00.00",
        "config": "SZZZ_Prod_US_v13",
        "keys": "481002",
        "incremental": NEW,
    }
    assert len({component.file for component in release.components}) == 4


def unframed(app: Path, _key: Ed25519PrivateKey) -> bytes:
    return app.read_bytes()


def unsigned(app: Path, _key: Ed25519PrivateKey) -> bytes:
    return make_image(b"x", component=UpdateComponent.FIRMWARE, version="2.02.00.00", key=None).data


def of_another_key(app: Path, _key: Ed25519PrivateKey) -> bytes:
    other = Ed25519PrivateKey.generate()
    return make_image(b"x", component=UpdateComponent.FIRMWARE, version="2.02.00.00", key=other).data


def for_another_type(app: Path, key: Ed25519PrivateKey) -> bytes:
    types = ("chipper_2x",)
    component = UpdateComponent.FIRMWARE
    return make_image(b"x", component=component, version="2.02.00.00", device_types=types, key=key).data


@pytest.mark.parametrize(
    ("made", "fault"),
    [(unframed, "malformed"), (unsigned, "unsigned"), (of_another_key, "signature"), (for_another_type, "device_type")],
)
def test_an_unfit_image_is_not_released(made: Any, fault: str, feed: Publication, store: FeedStore, app: Path) -> None:
    """U13."""
    before = sorted(feed.folder.rglob("*")), (feed.folder / "feed.json").read_bytes()
    app.write_bytes(made(app, store.private_key(feed.key_id)))
    with pytest.raises(UpdateError) as caught:
        feed.add(Draft(**DRAFT | {"device_types": ["stripe_m2"]}), [ImageFile(app)], NOW)
    assert caught.value.fault == fault
    assert (sorted(feed.folder.rglob("*")), (feed.folder / "feed.json").read_bytes()) == before


@pytest.mark.parametrize(
    ("changes", "parameter"),
    [
        ({"id": "a b"}, "releases[0].id"),
        ({"version": "2.02 beta"}, "releases[0].version"),
        ({"locations": ["bar"]}, "releases[0].locations[0]"),
        ({"locations": [BAR], "released_at": {DESK: NOW}}, "releases[0].released_at"),
        ({"released_at": {ANY: NOW}, "required_at": {ANY: NOW - 1}}, "releases[0].required_at"),
        ({"minimum_battery": 0.2}, "releases[0].minimum_battery"),
        ({"share": 2.0}, "releases[0].share"),
        ({"from_versions": [""]}, "releases[0].from_versions[0]"),
    ],
)
def test_a_draft_that_cannot_be_changes_nothing(
    changes: dict[str, Any], parameter: str, feed: Publication, app: Path
) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        raw(feed, app, **changes)
    assert caught.value.parameter == parameter
    assert feed.manifest.serial == 1
    assert not (feed.folder / "images").exists()


def test_an_image_of_another_version_is_not_released(feed: Publication, key: Path, app: Path) -> None:
    image = signed_by_imgtool(app, key, version="2.1.9")
    with pytest.raises(InvalidParameterError, match=r"has the version 2\.1\.9") as caught:
        feed.add(Draft(**DRAFT), [ImageFile(image)], NOW)
    assert "imgtool -v 2.2.0" in caught.value.hint
    with pytest.raises(InvalidParameterError, match="says nothing of the keys"):
        feed.add(Draft(**DRAFT | {"version": "2.2.0"}), [ImageFile(app, UpdateComponent.KEYS)], NOW, raw=True)
    with pytest.raises(InvalidParameterError, match="cannot be read"):
        feed.add(Draft(**DRAFT), [ImageFile(app.parent)], NOW)


# ---- steering


def test_every_change_raises_the_serial_and_is_signed(feed: Publication, store: FeedStore, app: Path) -> None:
    raw(feed, app)
    steps: list[tuple[Any, dict[str, Any]]] = [
        (lambda: feed.stage("r1", 0.25, NOW), {"share": 0.25}),
        (lambda: feed.pause("r1", NOW), {"paused": True}),
        (lambda: feed.resume("r1", NOW), {"paused": False}),
        (lambda: feed.withdraw("r1", NOW), {"withdrawn": True}),
    ]
    for serial, (step, changed) in enumerate(steps, 3):
        before = feed.manifest.releases[0]
        assert step() == before
        again = Publication(feed.folder, store)
        assert again.is_signed
        assert again.manifest.serial == serial
        assert again.manifest.issued == NOW
        assert again.manifest.releases == (before.model_copy(update=changed),)


def test_what_changes_nothing_raises_nothing(feed: Publication, app: Path) -> None:
    raw(feed, app)
    feed.resume("r1", NOW)
    feed.stage("r1", 1.0, NOW)
    assert feed.manifest.serial == 2
    feed.withdraw("r1", NOW)
    feed.withdraw("r1", NOW)
    assert feed.manifest.serial == 3


def test_a_withdrawn_release_is_gone_for_ever(feed: Publication, app: Path) -> None:
    raw(feed, app)
    feed.withdraw("r1", NOW)
    for step in (lambda: feed.resume("r1", NOW), lambda: feed.stage("r1", 1, NOW), lambda: feed.pause("r1", NOW)):
        with pytest.raises(InvalidParameterError, match="for ever"):
            step()
    with pytest.raises(InvalidParameterError, match="already") as caught:
        raw(feed, app)
    assert "never used again" in caught.value.hint
    with pytest.raises(InvalidParameterError, match="no release r2") as caught:
        feed.stage("r2", 1, NOW)
    assert caught.value.hint == "It has: r1."


def test_where_the_key_is_not_a_change_waits_for_its_signature(
    feed: Publication, store: FeedStore, app: Path, tmp_path: Path, key: Path
) -> None:
    raw(feed, app)
    elsewhere = FeedStore(tmp_path / "elsewhere")
    other = Publication(feed.folder, elsewhere)
    other.stage("r1", 0.5, NOW)
    other.pause("r1", NOW)
    assert not other.is_signed
    with pytest.raises(ManifestError, match="not what was signed"):
        checked(feed, store)
    for step in (lambda: other.sign(NOW), lambda: raw(other, app, id="r2")):
        with pytest.raises(InvalidParameterError, match="is not here"):
            step()
    signing = Publication(feed.folder, elsewhere, key=key)
    signing.sign(NOW)
    manifest = checked(feed, store)
    assert (manifest.serial, manifest.releases[0].share, manifest.releases[0].paused) == (5, 0.5, True)


def test_a_change_by_hand_is_signed_on_purpose_only(feed: Publication, store: FeedStore, app: Path) -> None:
    raw(feed, app)
    path = feed.folder / "feed.json"

    def edit(old: str, new: str) -> Publication:
        path.write_text(path.read_text().replace(old, new))
        return Publication(feed.folder, store)

    edited = edit('"minimum_battery": 0.5', '"minimum_battery": 0.75')
    with pytest.raises(ManifestError, match="not what was signed") as caught:
        edited.pause("r1", NOW)
    assert "feed sign" in caught.value.hint
    edited.sign(NOW)
    assert (checked(feed, store)).releases[0].minimum_battery == 0.75
    with pytest.raises(ManifestError) as caught:
        edit('"minimum_battery": 0.75', '"minimum_battery": 7')
    assert caught.value.where == "releases[0].minimum_battery"


def test_nobody_signs_what_nobody_could_use(feed: Publication, app: Path) -> None:
    file = feed.folder / raw(feed, app).components[0].file
    good = file.read_bytes()
    file.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    with pytest.raises(ManifestError, match=r"releases\[0\].components\[0\].sha256"):
        feed.sign(NOW)
    file.unlink()
    with pytest.raises(ManifestError, match=r"releases\[0\].components\[0\].file"):
        feed.sign(NOW)
    feed.withdraw("r1", NOW)
    feed.sign(NOW)
    assert feed.is_signed


def test_a_signature_may_have_an_end(feed: Publication, store: FeedStore) -> None:
    feed.sign(NOW, expires_us=NOW + DAY)
    assert json.loads((feed.folder / "feed.json").read_text())["expires"] == at(1)
    assert checked(feed, store)
    with pytest.raises(ManifestError, match="expired"):
        checked(feed, store, NOW + DAY)
    feed.sign(NOW + DAY // 2)
    assert feed.manifest.expires == NOW + DAY, "it stays until another is given"


def test_another_key_signs_nothing(feed: Publication, store: FeedStore, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_text(keys.private_pem(Ed25519PrivateKey.generate()))
    with pytest.raises(InvalidParameterError, match="and the feed's is"):
        Publication(feed.folder, store, key=other)


# ---- steps of a story


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Publication, FeedStore]:
    folder = tmp_path_factory.mktemp("staged")
    store = FeedStore(folder / "state")
    feed = Publication.init(folder / "feed", store, NOW - DAY)
    app = folder / "app.bin"
    app.write_bytes(b"app")
    raw(feed, app)
    return feed, store


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=4).map(sorted))
def test_who_was_offered_a_release_keeps_being_offered_it(
    staged: tuple[Publication, FeedStore], shares: list[float]
) -> None:
    """Through the whole feed: staged, signed, read and chosen from."""
    feed, store = staged
    offered: set[str] = set()
    for share in shares:
        feed.stage("r1", share, NOW)
        manifest = Publication(feed.folder, store).manifest
        readers = [a_reader(f"STRM2{number:08}", OLD) for number in range(60)]
        now_offered = {reader.serial for reader in readers if choose(manifest, reader, DESK, NOW)}
        assert now_offered >= offered
        offered = now_offered
