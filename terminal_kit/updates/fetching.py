"""Reading a feed's files from a folder or over HTTP. It blocks: the feed does it in a thread.

A thread, and not the event loop: the limits here are in real time, while a loop's clock may be a simulated one, on
which a server would be given up after some milliseconds.
"""

import threading
import time
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from terminal_kit.errors import InvalidParameterError, UpdateServerError

ANSWER_S = 10.0
"""For a connection, and between two pieces of an answer: a server that is silent so long is not there."""

LEAST_BYTES_PER_S = 32_000
"""Slower is as good as unreachable: an image of 1 MB takes half a minute."""

REDIRECTS = 5
"""An image behind a store's short links needs one or two."""


class FeedFiles(Protocol):
    """Where the files of a feed are. `shown` is its address for people, without a password."""

    shown: str

    def identity(self) -> str:
        """The address under which the feed is remembered."""
        ...

    def read(self, name: str, limit_bytes: int, stop: threading.Event) -> bytes | None:
        """A file, None where there is none. Of one larger than `limit_bytes` it is one byte more, and no more is read.

        Ends early when `stop` is set. Raises `UpdateServerError` where it cannot be had.
        """
        ...


def files_at(address: str | Path) -> FeedFiles:
    """The files of the feed at a folder or an http(s) address. Raises `InvalidParameterError`."""
    if isinstance(address, Path) or "://" not in address:
        return _Folder(Path(address))
    try:
        url = urlsplit(address)
        fit = url.scheme in ("http", "https") and url.hostname and url.port != 0 and not (url.query or url.fragment)
    except ValueError:
        fit = False
    if not fit:
        raise InvalidParameterError(
            f"{_shown(address)} is no address of a feed",
            parameter="address",
            value=_shown(address),
            hint="Pass a folder, or an address that begins with https:// and ends with the feed's folder.",
        )
    return _Server(address)


class _Folder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.shown = str(folder)

    def identity(self) -> str:
        return str(self._folder.resolve())

    def read(self, name: str, limit_bytes: int, stop: threading.Event) -> bytes | None:
        path = self._folder / name
        try:
            with path.open("rb") as file:
                return file.read(limit_bytes + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UpdateServerError(f"{path} cannot be read: {error.strerror}", stage="checking") from error


class _Server:
    def __init__(self, address: str) -> None:
        self._base = address.rstrip("/")
        self.shown = _shown(self._base)

    def identity(self) -> str:
        return self.shown

    def read(self, name: str, limit_bytes: int, stop: threading.Event) -> bytes | None:
        import httpx  # noqa: PLC0415 - loads slowly, and a folder does without

        until_s = time.monotonic() + ANSWER_S + limit_bytes / LEAST_BYTES_PER_S
        data = bytearray()
        try:
            with (
                httpx.Client(timeout=ANSWER_S, follow_redirects=True, max_redirects=REDIRECTS) as client,
                # As it is: nothing small that unfolds into something large.
                client.stream("GET", f"{self._base}/{name}", headers={"Accept-Encoding": "identity"}) as answer,
            ):
                if answer.status_code in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
                    return None
                if not answer.is_success:
                    raise self._fault(f"answers {answer.status_code} for {name}")
                for piece in answer.iter_raw():
                    data += piece
                    if len(data) > limit_bytes:
                        break
                    if stop.is_set() or time.monotonic() > until_s:
                        raise self._fault("is too slow")
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise self._fault(f"cannot be reached: {str(error) or type(error).__name__}") from error
        return bytes(data[: limit_bytes + 1])

    def _fault(self, what: str) -> UpdateServerError:
        return UpdateServerError(f"the feed at {self.shown} {what}", stage="checking")


def _shown(address: str) -> str:
    """An address without the name and password that may stand in it."""
    scheme, _, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
