"""Whether a frame holds anything that tells its truth: one rule a cause, laid down before anybody diagnoses.

The rules ask what an engineer who knows the answer could point at. They are wider than any reason printed in the rows
(a weak signal, a battery that was nearly empty, a reader that starts anew) and know nothing of how diagnosis weighs.
Where two causes look the same in a view (a reset and a body that swallows every packet, without a word from the reader)
neither has left a trace.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pandas as pd

from terminal_kit.events import Cause

WEAK_DBM = -82.0
"""Within 12 dB of where half the packets are lost: fading alone can end a link from here down."""

STRONG_DBM = -80.0

COLUMNS = (
    "t_us",
    "reader",
    "kind",
    "session",
    "reason",
    "reason_source",
    "hci_code",
    "error_code",
    "rssi_dbm",
    "rssi_source",
    "battery",
    "duration_s",
    "supervision_timeout_s",
    "text",
    "extra",
)


class Row(NamedTuple):
    """One row, with only what the rules ask about; `at_s` counts from the incident."""

    at_s: float
    reader: str
    kind: str
    session: Any
    reason: Any
    reason_source: Any
    hci_code: Any
    error_code: Any
    rssi_dbm: Any
    rssi_source: Any
    battery: Any
    duration_s: Any
    supervision_timeout_s: Any
    text: Any
    extra: Any

    @property
    def facts(self) -> dict[str, Any]:
        """What has no column."""
        return json.loads(self.extra) if self.extra else {}


class Look:
    """A frame, seen from one incident in it."""

    def __init__(self, frame: pd.DataFrame, reader: str, t_us: int) -> None:
        cells = [frame[name].to_numpy(object, na_value=None).tolist() for name in COLUMNS]
        self.reader = reader
        self.rows = [
            Row((t - t_us) / 1e6, of or "", *rest) for t, of, *rest in zip(*cells, strict=True) if t is not None
        ]

    def near(self, before_s: float, after_s: float, *kinds: str) -> Iterator[Row]:
        """The reader's rows from so long before the incident to so long after it."""
        for row in self.rows:
            mine = row.reader in (self.reader, "")
            if mine and -before_s <= row.at_s <= after_s and (not kinds or row.kind in kinds):
                yield row

    def levels(self, before_s: float, after_s: float) -> list[tuple[float, float]]:
        """Readings of its signal: when (s from the incident) and how strong (dBm)."""
        return [
            (row.at_s, row.rssi_dbm)
            for row in self.near(before_s, after_s)
            if row.rssi_dbm is not None and row.reader == self.reader
        ]

    def said(self, *reasons: str) -> bool:
        """Whether a row of the incident gives one of these reasons, or one that was learned later."""
        return (
            any(
                row.reason in reasons
                for row in self.near(1.0, 2.0, "link_disconnected", "disconnected", "reconnect_started")
            )
            or any(row.reason in reasons for row in self.near(0.0, 1e9, "reason_learned", "reader_started"))
            or (self.last_stop() in reasons)
        )

    def last_stop(self) -> str | None:
        """What the reader said of its last stop when it was asked again, if it has started anew since."""
        infos = [(row.at_s, row.facts) for row in self.near(1e9, 600.0, "reader_info")]
        before = [facts["boots"] for at, facts in infos if at < 0 and facts.get("boots") is not None]
        after = next((facts for at, facts in infos if at > 0 and facts.get("boots") is not None), None)
        return after.get("last_stop") if after and before and after["boots"] != before[-1] else None

    def code(self, *codes: int) -> bool:
        """Whether the incident has one of these link-layer codes."""
        ends = ("link_disconnected", "disconnected", "link_failed", "connect_failed", "encryption_changed")
        return any(row.hci_code in codes for row in self.near(2.0, 2.0, *ends))

    def error(self, *codes: str, before_s: float = 60.0) -> bool:
        """Whether an error with one of these codes was told about it."""
        return any(row.error_code in codes for row in self.near(before_s, 30.0))

    def median(self, levels: list[tuple[float, float]]) -> float | None:
        """The middle one of some readings."""
        strengths = sorted(level for _, level in levels)
        return strengths[len(strengths) // 2] if strengths else None


def _range(look: Look) -> bool:
    """Weak before the drop, or weak when it is heard again."""
    before, after = look.median(look.levels(30.0, 0.5)[-3:]), look.median(look.levels(-0.5, 120.0)[:5])
    return (before is not None and before <= WEAK_DBM) or (after is not None and after <= WEAK_DBM)


def _fade(look: Look) -> bool:
    """A sudden fall of the signal, or a reader that says it never restarted and was strong until then."""
    levels = look.levels(120.0, 0.5)
    fell = any(
        level - later >= 10.0 and 0 < at - since <= 6.0 for since, level in levels for at, later in levels if at > since
    )
    strong = any(level >= STRONG_DBM for at, level in levels if at >= -20.0)
    learned = list(look.near(0.0, 1e9, "reason_learned", "reader_started"))
    boots = [row.facts.get("boots") for row in look.near(1e9, 1e9, "reader_info")]
    same_boot = (
        len(boots) > 1
        and boots[-1] is not None
        and len(set(boots)) == 1
        and any(True for _ in look.near(-0.1, 600.0, "reader_info"))
        and not any(row.kind == "reader_started" for row in learned)
    )
    return fell or (strong and same_boot)


def _reset(look: Look) -> bool:
    """It says that it started anew, or advertised while the host still thought it connected."""
    if any(True for _ in look.near(0.0, 600.0, "reader_started")):
        return True
    boots = [(row.at_s, row.facts.get("boots")) for row in look.near(1e9, 600.0, "reader_info")]
    before = [count for at, count in boots if at < 0 and count is not None]
    after = [count for at, count in boots if at > 0 and count is not None]
    if before and after and after[0] > before[-1]:
        return True
    for row in look.near(1.0, 1.0, "link_disconnected"):
        if (row.facts.get("advertised") or 0) > 0:
            return True
    timeouts = [row.supervision_timeout_s for row in look.near(1e9, 0.5) if row.supervision_timeout_s]
    silent_s = (timeouts[-1] if timeouts else 5.0) - 0.2
    adverts = [
        row for row in look.near(silent_s, -0.05, "signal", "reader_found") if row.rssi_source == "advertisement"
    ]
    return bool(adverts) and not any(True for _ in look.near(silent_s, -0.05, "link_connected"))


def _powered_off(look: Look) -> bool:
    return look.said("powered_off") or look.code(0x15)


def _idle(look: Look) -> bool:
    long = any((row.duration_s or 0) >= 9.9 * 3600 for row in look.near(1.0, 1.0, "link_disconnected"))
    return look.said("idle_power_down") or (long and look.code(0x13, 0x15))


def _security(look: Look) -> bool:
    """Said, or the same hour on another day, or an uptime that makes 24 hours."""
    if look.said("security_reboot"):
        return True
    ends = [row.at_s for row in look.near(1e9, -3600.0, "link_disconnected") if row.hci_code in (None, 0x13)]
    if any(abs((-at) % 86400 - 86400 * ((-at) % 86400 > 43200)) <= 900 and -at >= 80000 for at in ends):
        return True
    uptimes = [(row.at_s, row.facts.get("uptime_s")) for row in look.near(1e9, 0.0, "reader_info")]
    return any(up is not None and abs(up - at - 86400) <= 180 for at, up in uptimes)


def _low_battery(look: Look) -> bool:
    levels = [row.battery for row in look.near(900.0, 0.5, "battery", "low_battery") if row.battery is not None]
    return look.said("critically_low_battery") or look.code(0x14) or (bool(levels) and levels[-1] <= 0.08)


def _bond(look: Look) -> bool:
    return (
        look.code(0x06, 0x3D)
        or look.said("peer_removed_pairing_information")
        or look.error("BLUETOOTH_PEER_REMOVED_PAIRING_INFORMATION")
    )


def _paired_in_system(look: Look) -> bool:
    rows = look.near(30.0, 30.0)
    return any("system" in str(row.text) and "paired" in str(row.text) for row in rows)


def _taken(look: Look) -> bool:
    said = any(
        row.facts.get("is_taken") or row.facts.get("taken") for row in look.near(60.0, 300.0, "reader_found", "signal")
    )
    return (
        said
        or look.error("READER_CONNECTED_TO_ANOTHER_DEVICE", before_s=30.0)
        or any(row.error_code == "READER_CONNECTED_TO_ANOTHER_DEVICE" for row in look.near(0.0, 400.0))
    )


def _radio_off(look: Look) -> bool:
    changed = any(
        row.facts.get("fault") or "off" in str(row.text).lower() or row.facts.get("radio") == "off"
        for row in look.near(5.0, 5.0, "host_changed")
    )
    reset = any(row.kind == "host_changed" and "internet" not in row.facts for row in look.near(2.0, 3.0))
    codes = ("BLUETOOTH_DISABLED", "BLUETOOTH_PERMISSION_DENIED")
    return changed or reset or look.said("bluetooth_disabled") or look.error(*codes, before_s=5.0)


def _closed(look: Look) -> bool:
    return look.said("disconnect_requested") or look.code(0x16)


def _overloaded(look: Look) -> bool:
    """Two other links at least, and a signal that explains nothing."""
    others: dict[tuple[str, Any], float] = {}
    for row in look.rows:
        if row.at_s > 0:
            break
        if row.reader in (look.reader, ""):
            continue
        if row.kind == "link_connected":
            others[row.reader, row.session] = row.at_s
        elif row.kind == "link_disconnected" and row.at_s < -60.0:
            others.pop((row.reader, row.session), None)
    counted = [row.facts.get("other_links") for row in look.near(1.0, 1.0, "link_disconnected")]
    company = len({reader for reader, _ in others}) >= 2 or any(
        (len(links) if isinstance(links, list) else links or 0) >= 2 for links in counted
    )
    strong = [level for _, level in look.levels(120.0, 60.0) if level >= STRONG_DBM]
    return company and bool(strong)


def _never_was(look: Look) -> bool:
    return look.code(0x3E)


def _hang(look: Look) -> bool:
    """A reader that does not answer on a link that stands; a time-out alone may be one that is not there."""
    pending = any(row.facts.get("pending") for row in look.near(1.0, 1.0, "link_disconnected"))
    mute = look.error("READER_COMMUNICATION_ERROR", before_s=45.0)
    return pending or mute or look.code(0x22) or (look.code(0x16) and look.error("REQUEST_TIMED_OUT", before_s=45.0))


def _updated(look: Look) -> bool:
    kinds = ("update_started", "update_progress", "update_finished")
    return any(True for _ in look.near(120.0, 5.0, *kinds))


def _internet(look: Look) -> bool:
    lost = any(row.facts.get("internet") is False for row in look.near(45.0, 1.0, "host_changed"))
    return lost or look.said("internet_lost")


def _never(look: Look) -> bool:
    return False


RULES: dict[Cause, Callable[[Look], bool]] = {
    Cause.RANGE: _range,
    Cause.BODY_OR_INTERFERENCE_FADE: _fade,
    Cause.READER_RESET_OR_POWER_LOSS: _reset,
    Cause.READER_POWERED_OFF: _powered_off,
    Cause.IDLE_POWER_DOWN: _idle,
    Cause.SECURITY_REBOOT: _security,
    Cause.CRITICALLY_LOW_BATTERY: _low_battery,
    Cause.BOND_LOST: _bond,
    Cause.PAIRED_IN_SYSTEM_SETTINGS: _paired_in_system,
    Cause.TAKEN_BY_ANOTHER_HOST: _taken,
    Cause.HOST_RADIO_OFF: _radio_off,
    Cause.HOST_CLOSED: _closed,
    Cause.HOST_RADIO_OVERLOADED: _overloaded,
    Cause.FAILED_TO_ESTABLISH: _never_was,
    Cause.FIRMWARE_HANG: _hang,
    Cause.UPDATE_REBOOT: _updated,
    Cause.INTERNET_LOST: _internet,
    Cause.CANNOT_TELL: _never,
}
"""What each cause can leave behind."""


def left_trace(frame: pd.DataFrame, truth: Cause, reader: str, t_us: int) -> bool:
    """Whether the frame tells this truth of this incident at all."""
    return RULES[truth](Look(frame, reader, t_us))
