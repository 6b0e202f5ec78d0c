"""Discoveries and the scans beneath them."""

from collections.abc import Sequence
from typing import Any

from terminal_kit.events import Kind
from terminal_kit.importers.sdk_logs.stories.link import Link
from terminal_kit.importers.sdk_logs.stories.telling import Attempt, Teller
from terminal_kit.importers.sdk_logs.vocabulary import address_in


class Discovery:
    """What a log tells of one discovery after another. Methods give whether the line said something new."""

    def __init__(self, teller: Teller, link: Link) -> None:
        self._teller, self._link = teller, link
        self._running: Attempt | None = None
        self._listed: dict[str, None] = {}
        self._scanning: bool | None = None

    @property
    def is_running(self) -> bool:
        """Whether a discovery has begun and not ended."""
        return self._running is not None

    def start(self, *, primary: bool, extra: dict[str, Any] | None = None) -> bool:
        """One begins. Where the app's own call is seen it counts; the layers below repeat it."""
        teller = self._teller
        if self._running and not (primary and teller.entry.t_us - self._running.t_us > 1_000_000):
            return False
        if not self._link.is_up or self._link.is_stale:
            teller.serial = ""  # whoever is connected next need not be the reader of before
            self._link.forget_reader()
        self._running, self._listed = teller.attempt(), {}
        teller.tell(Kind.DISCOVERY_STARTED, extra, attempt_id=self._running.id)
        return True

    def finish(self, code: str | None = None, extra: dict[str, Any] | None = None) -> bool:
        """The running one ends, with the code of an error or without."""
        if self._running is None:
            return False
        self._teller.tell(
            Kind.DISCOVERY_FINISHED,
            extra,
            attempt_id=self._running.id,
            error_code=code,
            count=len(self._listed),
            duration_s=self._teller.lasted_s(self._running),
        )
        self._running = None
        return True

    def list(self, readers: Sequence[dict[str, Any]], *, whole: bool) -> bool:
        """A list of readers: those that are new in it, and, where it is the whole list, those that have gone."""
        news = False
        teller = self._teller
        serials = [str(reader["serial"]) for reader in readers if reader.get("serial")]
        for serial, reader in zip(serials, (reader for reader in readers if reader.get("serial")), strict=True):
            if serial in self._listed or _is_masked_twin(serial, self._listed):
                continue
            self._listed[serial] = None
            address = address_in(str(reader.get("address") or ""))
            if address and "*" not in serial:
                teller.aliases[f"addr:{address}"] = serial
            teller.tell(
                Kind.READER_FOUND,
                {"name": reader.get("label"), "address": address},
                reader=serial,
                device_type=teller.device_type(serial),
                battery=reader.get("battery"),
                firmware=reader.get("firmware"),
                location=reader.get("location"),
                attempt_id=self._running.id if self._running else None,
            )
            news = True
        for serial in [serial for serial in self._listed if whole and serial not in serials]:
            del self._listed[serial]
            teller.tell(Kind.READER_LOST, reader=serial, device_type=teller.device_type(serial))
            news = True
        return news

    def scan(self, begins: bool) -> bool:
        """The radio begins or stops to scan; the app's layer and the one below both say so."""
        if begins is self._scanning:
            return False
        self._scanning = begins
        self._teller.tell(Kind.SCAN_STARTED if begins else Kind.SCAN_STOPPED)
        return True

    def only(self) -> str:
        """The one reader that is listed, where it is the only one."""
        return next(iter(self._listed)) if len(self._listed) == 1 else ""


def _is_masked_twin(serial: str, listed: dict[str, None]) -> bool:
    """Whether a masked serial may stand for one that is listed."""
    head = serial.rstrip("*")
    return head != serial and any(known.startswith(head) for known in listed)
