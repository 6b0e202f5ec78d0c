"""Feeds for tests: manifests as data, a folder with signed images, and a server that can misbehave."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from terminal_kit.events import UpdateComponent
from terminal_kit.image import make_image
from terminal_kit.radio.updates import UpdateSource
from terminal_kit.reader import Reader, device_type_of, software_parts
from terminal_kit.updates import keys
from terminal_kit.updates.feed import Feed
from terminal_kit.updates.manifest import Manifest, read_manifest, time_of, time_text

M2 = "STRM26138003393"
WISEPAD = "WPC323105002323"
BAR, DESK = "tml_bar", "tml_front_desk"
OLD = "2.01.01.00-SZZZ_Prod_US_v12-481001"
NEW = "2.02.00.00-SZZZ_Prod_US_v13-481002"
NOW = time_of("2026-03-01T12:00:00Z")
MINUTE = 60 * 1_000_000
DAY = 24 * 60 * MINUTE


def a_reader(serial: str = M2, firmware: str | None = OLD) -> Reader:
    return Reader(serial=serial, device_type=device_type_of(serial), firmware=firmware)


def at(days: float) -> str:
    """So many days after NOW, as a manifest has it."""
    return time_text(NOW + round(days * DAY))


def a_component(name: str = "firmware", version: str = NEW, data: bytes = b"", file: str = "") -> dict[str, Any]:
    return {
        "component": name,
        "version": software_parts(version).get(UpdateComponent[name.upper()], version),
        "file": file or f"images/{hashlib.sha256(data).hexdigest()[:8]}-{name}.bin",
        "size_bytes": len(data) or 1000,
        "sha256": hashlib.sha256(data).hexdigest(),
    }


def a_release(
    name: str = "r1", version: str = NEW, names: tuple[str, ...] = ("firmware",), **fields: Any
) -> dict[str, Any]:
    return {
        "id": name,
        "device_types": ["*"],
        "locations": ["*"],
        "from_versions": "*",
        "version": version,
        "released_at": at(-10),
        "minimum_battery": 0.5,
        "estimated_update_time": "5_to_15_minutes",
        "share": 1.0,
        "components": [a_component(name, version) for name in names],
    } | fields


def fields_of(*releases: dict[str, Any], serial: int = 1, **fields: Any) -> dict[str, Any]:
    return {"schema": 1, "serial": serial, "issued": at(-1), "releases": list(releases)} | fields


def a_manifest(*releases: dict[str, Any], **fields: Any) -> Manifest:
    return read_manifest(json.dumps(fields_of(*releases, **fields)).encode())


class Folder:
    """A feed's folder, whose publisher does as told, mistakes included."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.key = Ed25519PrivateKey.generate()
        path.mkdir()

    def put(self, *releases: dict[str, Any], sign: bool = True, **fields: Any) -> None:
        """Writes a manifest, and signs it."""
        text = json.dumps(fields_of(*releases, **fields)).encode()
        (self.path / "feed.json").write_bytes(text)
        if sign:
            (self.path / "feed.json.sig").write_bytes(keys.sign(text, self.key))

    def image(self, name: str = "firmware", version: str = NEW, **options: Any) -> dict[str, Any]:
        """Writes an image, and gives its entry."""
        component = UpdateComponent[name.upper()]
        told = software_parts(version).get(component, version)
        image = make_image(
            bytes(5000), **{"component": component, "version": told, "device_types": (), "key": self.key} | options
        )
        return self.file(a_component(name, version, image.data), image.data)

    def file(self, entry: dict[str, Any], data: bytes) -> dict[str, Any]:
        """Writes an entry's file, which may be another than it should be."""
        path = self.path / entry["file"]
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        return entry


async def found(feed: UpdateSource, now_us: int = NOW, **reader: Any) -> str | None:
    update = await feed.find(a_reader(**reader), BAR, now_us)
    return update and update.release_id


def feed_of(folder: Folder, state: Path, **options: Any) -> Feed:
    return Feed(options.pop("address", folder.path), **{"key": folder.key.public_key(), "state": state} | options)


class Server(ThreadingHTTPServer):
    """Serves a folder on this machine. `answers` replaces what a path gets: a status, headers, a body.

    While `goes_on` is not set it falls silent after the headers; `cut_off` tells that somebody hung up on it.
    """

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[str] = []
        self.encodings: set[str | None] = set()
        self.was_asked, self.goes_on, self.cut_off = threading.Event(), threading.Event(), threading.Event()
        self.goes_on.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.encodings.add(self.headers["Accept-Encoding"])
        path = self.server.folder / self.path.lstrip("/")
        found = (200, {}, path.read_bytes()) if path.is_file() else (404, {}, b"")
        status, headers, body = self.server.answers.get(self.path, found)
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.server.was_asked.set()
        self.server.goes_on.wait(10)
        try:
            self.wfile.write(body)
        except OSError:
            self.server.cut_off.set()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[Server]:
    """The folder over HTTP while the block runs."""
    with Server(folder) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.goes_on.set()
            server.shutdown()
            thread.join()
