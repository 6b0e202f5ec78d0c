"""What may stand behind an option: argparse's types, each with one clear line for everything else."""

import argparse
import math
import re
from zoneinfo import ZoneInfo

from terminal_kit.errors import InvalidParameterError
from terminal_kit.reader import check_location_id

_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def duration_s(text: str) -> float:
    """Seconds, more than none, from `90`, `90s`, `30m`, `24h` or `2d`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text.strip(), re.ASCII)
    seconds = float(match[1]) * _UNITS_S[match[2] or "s"] if match else 0.0
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; write 90s, 30m, 24h or 2d")
    return seconds


def limit_s(text: str) -> float:
    """A time limit in seconds; 0 for none."""
    seconds = _number(text)
    if not 0 <= seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no time limit; write seconds, or 0 for no limit")
    return seconds


def level(text: str) -> float:
    """A battery level, 0…1."""
    charge = _number(text)
    if not 0 <= charge <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no battery level; write 0 for empty to 1 for full")
    return charge


def port(text: str) -> int:
    """A TCP port; 0 for any that is free."""
    if not re.fullmatch(r"\d{1,5}", text, re.ASCII) or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; write a number from 0 (any that is free) to 65535")
    return int(text)


def seed(text: str) -> int:
    """A seed: what the log's column holds."""
    if not re.fullmatch(r"\d{1,18}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} is no seed; write a whole number")
    return int(text)


def replays(text: str) -> int:
    """How often something is lived through again: at least once."""
    if not re.fullmatch(r"0*[1-9]\d{0,5}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of replays; write a whole number from 1 on")
    return int(text)


def location_id(text: str) -> str:
    """A location's id, well formed; whether there is such a location is another question."""
    try:
        return check_location_id(text)
    except InvalidParameterError as error:
        raise argparse.ArgumentTypeError(error.line().removeprefix(f"{error.code}: ")) from error


def time_zone(text: str) -> str:
    """The name of a time zone that this machine knows."""
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError) as error:  # OSError: the name of a folder of them, such as Europe
        raise argparse.ArgumentTypeError(f"{text!r} is no time zone; write one such as Europe/Berlin") from error
    return text


def zone(text: str) -> str:
    """A time zone by its name, or by its offset from UTC as `+02:00`."""
    return text if re.fullmatch(r"[+-](0\d|1[0-4]):[0-5]\d", text, re.ASCII) else time_zone(text)


def year(text: str) -> int:
    """A year in which a phone may have recorded something."""
    if not re.fullmatch(r"(19[7-9]|2\d\d)\d", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} is no year; write one such as 2026")
    return int(text)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
