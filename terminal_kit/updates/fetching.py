"""Reading a feed's files from a folder or over HTTP. It blocks: the feed does it in a thread.

A thread, and not the event loop: the limits here are in real time, while a loop's clock may be a simulated one, on
which a server would be given up after some milliseconds.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, InvalidStateError
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from terminal_kit.errors import InvalidParameterError, UpdateServerError

T = TypeVar("T")

ANSWER_S = 5.0
"""For a connection, and between two pieces of an answer: a server that is silent so long is not there."""

LEAST_BYTES_PER_S = 32_000
"""Slower is as good as unreachable: an image of 1 MB takes half a minute."""

REDIRECTS = 5
"""An image behind a store's short links needs one or two."""


def image_limit_s(size_bytes: int) -> float:
    """How long an image may take in all, in real seconds."""
    return 2 * ANSWER_S + size_bytes / LEAST_BYTES_PER_S


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
    is_folder = isinstance(address, Path) or "://" not in address
    shown = str(address) if is_folder else _shown(str(address))
    try:
        if "\0" not in shown:
            return _Folder(Path(address)) if is_folder else _Server(str(address), shown.rstrip("/"))
    except ValueError:
        pass
    raise InvalidParameterError(
        f"{shown} is no address of a feed",
        parameter="address",
        value=shown,
        hint="Pass a folder, or an address that begins with https:// and ends with the feed's folder.",
    )


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
    def __init__(self, address: str, shown: str) -> None:
        """Raises `ValueError` for what can be no address."""
        import httpx  # noqa: PLC0415 - loads slowly, and a folder does without

        parts = urlsplit(address)
        fit = parts.scheme in ("http", "https") and parts.hostname and not (parts.query or parts.fragment)
        if not fit or parts.port == 0:
            raise ValueError(shown)
        try:
            url = httpx.URL(parts.geturl())  # whose scheme is in lower case
            _ = url.host, url.raw_host.decode("ascii").encode("idna")  # as it is looked up; httpx looks no closer
            self._identity = f"{url.scheme}://{url.netloc.decode()}{url.path}".rstrip("/")
        except httpx.InvalidURL as error:
            raise ValueError(shown) from error
        self._base = address.rstrip("/")
        self.shown = shown

    def identity(self) -> str:
        return self._identity

    def read(self, name: str, limit_bytes: int, stop: threading.Event) -> bytes | None:
        import httpx  # noqa: PLC0415 - as above

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
                    if stop.is_set():
                        raise self._fault("is too slow")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:  # ValueError: a redirect's host name
            raise self._fault(f"cannot be reached: {str(error) or type(error).__name__}") from error
        return bytes(data[: limit_bytes + 1])

    def _fault(self, what: str) -> UpdateServerError:
        return UpdateServerError(f"the feed at {self.shown} {what}", stage="checking")


def _shown(address: str) -> str:
    """An address without the name and password that may stand in it."""
    scheme, _, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


class LoneThread(Executor):
    """Runs a work in a thread that keeps no program from ending, for `limit_s` real seconds; then `late` is raised.

    The work may go on after that: no other thread can end one that waits for a server's name, or for its headers.
    """

    def __init__(self, limit_s: float, late: Exception) -> None:
        self._limit_s = limit_s
        self._late = late

    def submit(self, fn: Callable[..., T], /, *args: Any, **named: Any) -> Future[T]:
        """As any executor's."""
        answer = Future[T]()
        answer.set_running_or_notify_cancel()

        def run() -> None:
            with suppress(InvalidStateError):  # it was given up
                try:
                    result = fn(*args, **named)
                except BaseException as error:
                    answer.set_exception(error)
                else:
                    answer.set_result(result)

        def give_up() -> None:
            with suppress(InvalidStateError):  # it has just come
                answer.set_exception(self._late)

        watch = threading.Timer(self._limit_s, give_up)
        watch.daemon = True
        answer.add_done_callback(lambda _answer: watch.cancel())
        watch.start()
        threading.Thread(target=run, name="terminal_kit feed", daemon=True).start()
        return answer
