"""One cell at a time: what a column can hold, when it is written and when it is read.

Most rows hold what they should, and tens of thousands come a second: so a row is first judged by the types of its
values (`suspects()`, remembered), and only cells that are suspect are looked at.
"""

import json
import operator
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import NoneType
from typing import Any, cast

from terminal_kit.errors import InvalidParameterError
from terminal_kit.events import COLUMNS, Column, ColumnType

TOLD_CHARACTERS = 2000
"""How much is kept of a value that fits no column."""

_SURROGATES = re.compile("[\ud800-\udfff]")


def suspect(column: Column, kind: type) -> bool:
    """Whether a value of this type needs a look before it is this column's cell."""
    if kind is NoneType:
        return column.required
    if column.type == "str":
        return not issubclass(kind, str)
    # SQLite itself refuses what passes 64 bits; narrower integers it would take.
    trusted: dict[ColumnType, tuple[type, ...]] = {
        "int64": (int,),
        "float64": (float, int),
        "float32": (float, int),
        "bool": (bool,),
    }
    return kind not in trusted.get(column.type, ())


@lru_cache(maxsize=1024)
def suspects(kinds: tuple[type, ...]) -> tuple[int, ...]:
    """The places of a row's cells, in the order of `COLUMNS`, that need a look, by the types of its values."""
    return tuple(place for place, kind in enumerate(kinds) if suspect(COLUMNS[place], kind))


def whole(bits: int) -> Callable[[Any], int]:
    """What gives an integer that fits in so many bits. It raises TypeError or OverflowError."""
    end = 1 << bits - 1

    def fit(value: Any) -> int:
        number = operator.index(value)
        if not -end <= number < end:
            raise OverflowError(f"does not fit in {bits} bits")
        return number

    return fit


whole_64 = whole(64)


def real(value: Any) -> float:
    """A number. Text is none, even where it looks like one. Raises TypeError, ValueError or OverflowError."""
    if isinstance(value, str | bytes | bytearray):
        raise TypeError("text is no number")
    return float(value)


def truth_value(value: Any) -> bool:
    """True, False, or what equals them. Raises ValueError."""
    if value not in (0, 1):
        raise ValueError("is neither true nor false")
    return bool(value)


def text(value: Any) -> str:
    """Text as it is read; what UTF-8 cannot hold (half a surrogate pair, stray bytes) is kept as visible escapes."""
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", "backslashreplace")
    found = value if isinstance(value, str) else str(value)
    return found.encode("utf-8", "backslashreplace").decode("utf-8")


def json_text(value: Any) -> str:
    """A mapping as JSON. Raises TypeError, ValueError or RecursionError."""
    found = json.dumps(dict(value), ensure_ascii=False, default=str)
    # Doubled, or whoever parses the JSON would get the half pair back.
    return _SURROGATES.sub(lambda half: f"\\\\u{ord(half[0]):04x}", found)


def mapping(value: Any) -> Mapping[str, Any]:
    """A JSON object from its text; text that is none (a damaged row) is kept under `unreadable`."""
    try:
        found: Any = json.loads(value)
    except (ValueError, RecursionError):
        return {"unreadable": value}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {"value": found}


def told(value: Any) -> str:
    """A value for the eyes of whoever looks for it: its `repr`, cut short."""
    try:
        return text(repr(value))[:TOLD_CHARACTERS]
    except Exception:
        return f"<{type(value).__name__} that cannot be shown>"


def door(value: Any, parameter: str) -> Any:
    """A parameter of a statement, as SQLite takes it. Raises `InvalidParameterError`."""
    if value is None:
        return None
    if isinstance(value, str | bytes):
        return text(value)
    try:
        return whole_64(value)
    except (TypeError, OverflowError) as error:
        raise InvalidParameterError(f"{parameter} cannot be {told(value)}", parameter=parameter, value=value) from error


Fit = Callable[[Any], Any]

_COMMON: dict[ColumnType, Fit] = {
    "int64": whole_64,
    "int32": whole(32),
    "int16": whole(16),
    "float64": real,
    "float32": real,
    "bool": truth_value,
    "str": text,
}
WRITE: dict[ColumnType, Fit] = {**_COMMON, "json": json_text}
"""By a column's type: a value as the cell that is stored; raises where none can be."""

READ: dict[ColumnType, Fit] = {**_COMMON, "json": mapping}
"""By a column's type: a stored cell as the value of an `Event`; raises where the cell holds something else."""
