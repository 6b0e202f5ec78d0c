"""What a feed's files may be: images that are fetched, and servers that misbehave."""

import asyncio
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from feeds import BAR, NOW, Folder, a_component, a_reader, a_release, feed_of, found, served

from terminal_kit.errors import (
    InvalidParameterError,
    ManifestError,
    UpdateError,
    UpdateNotAvailableError,
    UpdateServerError,
)
from terminal_kit.events import UpdateComponent
from terminal_kit.image import make_image, read_image
from terminal_kit.simulator import SimulatorLoop
from terminal_kit.updates import fetching
from terminal_kit.updates.feed import Feed
from terminal_kit.updates.manifest import MAX_MANIFEST_BYTES
from terminal_kit.updates.store import KEPT_IMAGES, FeedStore

NEWER = "2.03.00.00-SZZZ_Prod_US_v14-481003"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "feed")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


# ---- images


async def test_the_images_come_checked_and_in_order(folder: Folder, state: Path) -> None:
    names = ("keys", "firmware", "config")
    folder.put(a_release(components=[folder.image(name) for name in names]))
    feed = feed_of(folder, state)
    images = await feed.fetch(await feed.find(a_reader(), BAR, NOW))
    assert [image.component.name.lower() for image in images] == [*names]
    assert [image.version_text for image in images] == ["481002", "2.02.00.00", "SZZZ_Prod_US_v13"]


async def test_an_image_is_fetched_once_and_then_without_internet(folder: Folder, state: Path) -> None:
    """U10: an update that was cut off can go on, in another run too."""
    folder.put(a_release(components=[folder.image()]))
    feed = feed_of(folder, state)
    update = await feed.find(a_reader(), BAR, NOW)
    (image,) = await feed.fetch(update)
    for path in (folder.path / "images").iterdir():
        path.unlink()
    assert await feed_of(folder, state).fetch(update) == (image,)
    with pytest.raises(UpdateServerError, match="nothing is known"):
        await feed_of(folder, state / "elsewhere").fetch(update)


async def test_a_kept_image_that_was_damaged_is_fetched_again(folder: Folder, state: Path) -> None:
    folder.put(a_release(components=[folder.image()]))
    feed = feed_of(folder, state)
    update = await feed.find(a_reader(), BAR, NOW)
    (image,) = await feed.fetch(update)
    (kept,) = (state / "images").iterdir()
    kept.write_bytes(b"torn")
    assert await feed.fetch(update) == (image,)
    assert kept.read_bytes() == image.data


def test_few_images_are_kept(state: Path) -> None:
    store = FeedStore(state)
    for number in range(KEPT_IMAGES + 3):
        store.keep_image(bytes([number]))
    assert len([*(state / "images").iterdir()]) == KEPT_IMAGES
    assert store.image("../seen/x") is None


def tampered(folder: Folder) -> dict[str, Any]:
    entry = folder.image()
    data = (folder.path / entry["file"]).read_bytes()
    return folder.file(entry, data[:-1] + bytes([data[-1] ^ 1]))


def cut_off(folder: Folder) -> dict[str, Any]:
    entry = folder.image()
    path = folder.path / entry["file"]
    return folder.file(entry, path.read_bytes()[:-1])


def too_long(folder: Folder) -> dict[str, Any]:
    entry = folder.image()
    path = folder.path / entry["file"]
    return folder.file(entry, path.read_bytes() + bytes(10**6))


def missing(folder: Folder) -> dict[str, Any]:
    return a_component()


def no_image(folder: Folder) -> dict[str, Any]:
    return folder.file(a_component(data=b"a text"), b"a text")


def broken_inside(folder: Folder) -> dict[str, Any]:
    data = bytearray((folder.path / folder.image()["file"]).read_bytes())
    data[100] ^= 1
    return folder.file(a_component(data=bytes(data)), bytes(data))


def empty(folder: Folder) -> dict[str, Any]:
    image = make_image(b"", component=UpdateComponent.FIRMWARE, version="2.02.00.00", key=folder.key)
    return folder.file(a_component(data=image.data), image.data)


def other_version(folder: Folder) -> dict[str, Any]:
    return folder.image(version=NEWER) | {"version": "2.02.00.00"}


UNFIT = [
    (tampered, ManifestError, "sha256", "digest"),
    (cut_off, ManifestError, "size_bytes", "digest"),
    (too_long, ManifestError, "size_bytes", "digest"),
    (missing, ManifestError, "file", ""),
    (other_version, ManifestError, "version", ""),
    (no_image, UpdateError, "file", "malformed"),
    (broken_inside, UpdateError, "file", "digest"),
    (empty, UpdateError, "file", "malformed"),
    (lambda folder: folder.image(key=None), UpdateError, "file", "unsigned"),
    (lambda folder: folder.image(key=Ed25519PrivateKey.generate()), UpdateError, "file", "signature"),
    (lambda folder: folder.image(device_types=("wisepad_3",)), UpdateError, "file", "device_type"),
    (lambda folder: folder.image(component=UpdateComponent.KEYS), UpdateError, "component", "component"),
]


@pytest.mark.parametrize(("spoil", "kind", "field", "fault"), UNFIT, ids=range(len(UNFIT)))
async def test_an_unfit_image_is_refused_with_its_place(
    spoil: Any, kind: type[UpdateError], field: str, fault: str, folder: Folder, state: Path
) -> None:
    """U13."""
    folder.put(
        a_release("r0", NEWER, withdrawn=True),
        a_release("r1", components=[folder.image("keys"), spoil(folder)]),
    )
    feed = feed_of(folder, state)
    update = await feed.find(a_reader(), BAR, NOW)
    for attempt in (feed.fetch(update), feed.check(NOW)):
        with pytest.raises(UpdateError) as caught:
            await attempt
        assert type(caught.value) is kind
        assert caught.value.fault == fault
        assert str(caught.value).startswith(f"releases[1].components[1].{field}: ")
    assert feed.fault is None, "an unfit image is no fault of the manifest"


async def test_what_an_image_does_not_tell_is_as_the_manifest_says(folder: Folder, state: Path) -> None:
    image = folder.image(device_types=("stripe_m2", "wisepad_3"))
    folder.put(a_release(device_types=["stripe_m2"], components=[image]))
    feed = feed_of(folder, state)
    assert await feed.fetch(await feed.find(a_reader(), BAR, NOW))
    assert (await feed.check(NOW)).serial == 1


@pytest.mark.parametrize("change", [{"paused": True}, {"withdrawn": True}, {"components": []}])
async def test_what_was_taken_back_meanwhile_is_not_fetched(
    change: dict[str, Any], folder: Folder, state: Path
) -> None:
    image = folder.image()
    folder.put(a_release(components=[image]), serial=1)
    feed = feed_of(folder, state)
    update = await feed.find(a_reader(), BAR, NOW)
    if "components" in change:
        change = {"components": [folder.image("config")]}
    folder.put(a_release(**{"components": [image]} | change), serial=2)
    await feed.refresh(NOW)
    with pytest.raises(UpdateNotAvailableError):
        await feed.fetch(update)


async def test_check_looks_at_the_feed_and_not_at_what_was_kept(folder: Folder, state: Path) -> None:
    entry = folder.image()
    folder.put(a_release(components=[entry]), a_release("gone", withdrawn=True))
    feed = feed_of(folder, state)
    assert (await feed.check(NOW)).serial == 1, "nobody needs the images of what was withdrawn"
    (folder.path / entry["file"]).unlink()
    with pytest.raises(ManifestError, match=r"releases\[0\].components\[0\].file"):
        await feed.check(NOW)
    (folder.path / "feed.json.sig").unlink()
    with pytest.raises(ManifestError, match="not signed"):
        await feed.check(NOW)


# ---- over HTTP


async def test_a_feed_over_http(folder: Folder, state: Path) -> None:
    folder.put(a_release(components=[folder.image()]))
    with served(folder.path.parent) as server:
        feed = feed_of(folder, state, address=f"{server.url}/feed/")
        (image,) = await feed.fetch(await feed.find(a_reader(), BAR, NOW))
        assert read_image(image.data) == image
        assert server.asked[:2] == ["/feed/feed.json", "/feed/feed.json.sig"]
        assert server.encodings == {"identity"}


async def test_nobody_answers(folder: Folder, state: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    feed = feed_of(folder, state, address=f"http://user:secret@127.0.0.1:{port}")
    with pytest.raises(UpdateServerError, match="cannot be reached") as caught:
        await found(feed)
    assert "secret" not in str(caught.value)
    assert type(caught.value) is UpdateServerError


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((500, {}, b""), "answers 500"),
        ((403, {}, b""), "answers 403"),
        ((200, {"Content-Length": "5000"}, b"{"), "cannot be reached"),
        ((302, {"Location": "file:///etc/passwd"}, b""), "cannot be reached"),
        ((302, {"Location": "ftp://127.0.0.1/feed.json"}, b""), "cannot be reached"),
        ((302, {"Location": "/feed.json"}, b""), "cannot be reached"),
        ((302, {"Location": "http://a..b/"}, b""), "cannot be reached"),
        ((302, {"Location": "http://xn--/"}, b""), "cannot be reached"),
        ((302, {"Location": f"http://{'a' * 300}/"}, b""), "cannot be reached"),
        ((404, {}, b""), "there is no feed.json"),
        ((200, {}, b"<html>"), "feed.json.sig"),
        ((200, {"Content-Encoding": "gzip"}, b"<html>"), "feed.json.sig"),
        ((200, {}, b" " * (MAX_MANIFEST_BYTES + 1)), "more than the"),
    ],
)
async def test_a_server_that_misbehaves(answer: Any, words: str, folder: Folder, state: Path) -> None:
    folder.put(a_release(), serial=1)
    with served(folder.path) as server:
        feed = feed_of(folder, state, address=server.url)
        good = server.answers.copy()
        server.answers["/feed.json"] = answer
        with pytest.raises(UpdateServerError, match=words):
            await found(feed)
        server.answers = good
        assert await found(feed) == "r1"


async def test_a_redirect_to_where_the_files_are(folder: Folder, state: Path) -> None:
    folder.put(a_release())
    with served(folder.path) as there, served(folder.path / "empty") as here:
        for name in ("/feed.json", "/feed.json.sig"):
            here.answers[name] = (302, {"Location": there.url + name}, b"")
        assert await found(feed_of(folder, state, address=here.url)) == "r1"


@pytest.mark.parametrize("rate", [float("inf"), 5000])
def test_a_clock_that_hurries_does_not_hurry_the_server(rate: float, folder: Folder, state: Path) -> None:
    """On such a clock ten seconds are two milliseconds: the limits of a server are in real time."""
    folder.put(a_release(components=[folder.image()]))

    async def fetched() -> int:
        feed = feed_of(folder, state, address=server.url)
        return len(await feed.fetch(await feed.find(a_reader(), BAR, NOW)))

    with served(folder.path) as server, asyncio.Runner(loop_factory=lambda: SimulatorLoop(rate)) as runner:
        assert runner.run(fetched()) == 1


async def test_who_no_longer_waits_leaves_nothing_behind(folder: Folder, state: Path) -> None:
    folder.put(a_release())
    with served(folder.path) as server:
        server.goes_on.clear()
        feed = feed_of(folder, state, address=server.url)
        asking = asyncio.ensure_future(found(feed))
        await asyncio.to_thread(server.was_asked.wait, 10)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        server.goes_on.set()
        assert await found(feed) == "r1"


def test_a_download_that_nobody_waits_for_ends(folder: Folder) -> None:
    folder.put(a_release())
    with served(folder.path) as server:
        stop = threading.Event()
        assert fetching.files_at(server.url).read("feed.json", 10, stop)
        stop.set()
        with pytest.raises(UpdateServerError):
            fetching.files_at(server.url).read("feed.json", 10**6, stop)


async def test_a_download_is_told_that_nobody_waits(folder: Folder, state: Path) -> None:
    begun, ended = threading.Event(), threading.Event()

    class Endless:
        shown = "endless"

        def identity(self) -> str:
            return self.shown

        def read(self, name: str, limit_bytes: int, stop: threading.Event) -> bytes | None:
            begun.set()
            if stop.wait(10):
                ended.set()
            return None

    feed = feed_of(folder, state)
    feed._files = Endless()
    asking = asyncio.ensure_future(found(feed))
    assert await asyncio.to_thread(begun.wait, 10)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await asyncio.to_thread(ended.wait, 5)


def test_no_more_is_read_than_may_be(folder: Folder) -> None:
    folder.file({"file": "large.bin"}, bytes(64 << 20))
    with served(folder.path) as server:
        assert len(fetching.files_at(server.url).read("large.bin", 10, threading.Event())) == 11
        assert server.cut_off.wait(10)


def test_a_silent_server_is_not_there(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "ANSWER_S", 0.05)
    folder.put(a_release())
    with served(folder.path) as server:
        server.goes_on.clear()
        with pytest.raises(UpdateServerError, match="timed out"):
            fetching.files_at(server.url).read("feed.json", 10**6, threading.Event())


@pytest.mark.parametrize(
    "address",
    [
        "ftp://example.com/feed",
        "https://",
        "http://a:x",
        "http://[",
        "https://example.com/feed?x=1",
        "file:///tmp/feed",
        "http://a..b/",
        "http://xn--/",
        f"http://{'a' * 300}/",
        "http://127.0.0.1/\0",
        "\0",
        Path("a\0b"),
    ],
)
def test_what_is_no_address(address: str | Path) -> None:
    with pytest.raises(InvalidParameterError, match="no address"):
        Feed(address)


@pytest.mark.parametrize(
    "spelt",
    [
        "https://example.com:443/feed/",
        "HTTPS://Example.COM/feed",
        "https://example.com/a/../feed",
        "https://me:x@example.com/./feed",
    ],
)
def test_an_address_is_the_same_however_it_is_spelt(spelt: str) -> None:
    assert fetching.files_at(spelt).identity() == "https://example.com/feed"
