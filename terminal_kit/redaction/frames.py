"""`redact()`: a frame to give away."""

# pandas has no complete annotations.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from typing import Any

import pandas as pd

from terminal_kit.redaction.redactor import Redactor


def redact(frame: pd.DataFrame, *, key: bytes | str | None = None, redactor: Redactor | None = None) -> pd.DataFrame:
    """The same rows with pseudonyms for addresses, names and serial numbers, and without payloads.

    Columns, types, order and index stay; times, signal, codes, device types and link parameters do too, so that a
    diagnosis of it says the same. The same name has the same pseudonym within one `key` (random unless given) or one
    `redactor`, which also tells the key. What it can find is said at `Redactor`.
    """
    door = redactor or Redactor(key)
    texts = {name: _distinct(frame[name]) for name in frame.columns if _is_text(frame[name])}
    door.learn_columns(texts)
    found = frame.copy()
    found.attrs = {}
    for name, cells in texts.items():
        replaced = dict(zip(cells, door.column(str(name), cells), strict=True))
        column: Any = frame[name]
        found[name] = pd.Series([replaced.get(cell) for cell in column.astype("object")], frame.index, _kind(column))
    return found


def _is_text(column: Any) -> bool:
    return (
        isinstance(column.dtype, pd.CategoricalDtype)
        or pd.api.types.is_object_dtype(column.dtype)
        or (pd.api.types.is_string_dtype(column.dtype))
    )


def _distinct(column: Any) -> list[Any]:
    """Each text once; cells that are no text (of a column of objects) are not kept."""
    return [cell for cell in column.astype("object").dropna().unique() if isinstance(cell, str)]


def _kind(column: Any) -> Any:
    return "object" if pd.api.types.is_object_dtype(column.dtype) else pd.StringDtype()
