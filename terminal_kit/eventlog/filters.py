"""Which events: the filters that reading has in common, and the rule that simulated and real ones are not mixed."""

import difflib
import operator
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypedDict, get_args

from terminal_kit.errors import EventLogError, InvalidParameterError
from terminal_kit.events import RadioName

if TYPE_CHECKING:
    from terminal_kit.eventlog.log import EventLog

Among = str | Collection[str] | None
"""One value, or several of which any will do."""

RADIOS: tuple[str, ...] = get_args(RadioName)
MADE_UP = frozenset({"simulated", "virtual"})
"""The radios whose events never happened; those of the others did, and the two are never mixed unasked."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Filters(TypedDict, total=False):
    """Each takes one value or several; times are aware datetimes or UTC microseconds, `until` exclusive.

    `radio` says which kinds of radio are meant; "all" mixes simulated (or virtual) and real events, which is not done
    unasked. To name runs is to ask. Raises `InvalidParameterError` for a filter or a radio that there is not.
    """

    reader: Among
    kind: Among
    run: Among
    radio: Among
    since: datetime | int | None
    until: datetime | int | None
    session: int | None


def condition(log: "EventLog", filters: Filters) -> tuple[str, list[Any]]:
    """The filters as a condition of SQL and its values.

    Raises `InvalidParameterError` for a filter that is none, `EventLogError` where simulated and real events would be
    mixed unasked.
    """
    for name in filters:
        one_of(name, tuple(Filters.__annotations__), "filter")
    conditions, values = ["1"], list[Any]()

    def among(column: str, chosen: Collection[str] | None) -> None:
        if chosen is not None:
            conditions.append(f"{column} IN ({', '.join('?' * len(chosen))})")
            values.extend(chosen)

    readers = _several("reader", filters.get("reader"))
    if readers:
        readers = {*readers, *(alias for alias, reader in log.aliases().items() if reader in readers)}
    among("reader", readers)
    among("kind", _several("kind", filters.get("kind")))
    among("run", _several("run", filters.get("run")))
    among("run", _runs_of(log, filters))
    for column, sign, name in (("t_us", ">=", "since"), ("t_us", "<", "until")):
        if (moment := filters.get(name)) is not None:
            conditions.append(f"{column} {sign} ?")
            values.append(_as_us(moment, name))
    if (session := filters.get("session")) is not None:
        conditions.append("session = ?")
        values.append(integer(session, "session"))
    return " AND ".join(conditions), values


def chosen_radios(radio: Among) -> frozenset[str] | None:
    """The radios that are meant; None for any, which "all" asks for. Raises `InvalidParameterError`."""
    chosen = frozenset(_several("radio", radio) or ())
    for name in chosen:
        one_of(name, (*RADIOS, "all"), "radio")
    return None if "all" in chosen else chosen


def refuse_mixture(radios: Iterable[str | None], name: str, path: str) -> None:
    """Raises `EventLogError` where both simulated (or virtual) and real events (native or imported) are there."""
    there = {radio for radio in radios if radio}
    if there & MADE_UP and there - MADE_UP:
        raise EventLogError(
            f"{name} holds simulated and real events ({', '.join(sorted(there))})",
            path=path,
            hint="Say which with radio='native' and the like, or radio='all' to mix them.",
        )


def one_of(name: str, known: tuple[str, ...], what: str) -> None:
    """Raises `InvalidParameterError`, with what was probably meant, for a name that there is not."""
    if name not in known:
        near = difflib.get_close_matches(name, known)
        meant = f"Did you mean {' or '.join(near)}?" if near else f"Choose of {', '.join(known)}."
        raise InvalidParameterError(f"there is no {what} {name!r}", parameter=what, value=name, hint=meant)


def integer(value: Any, parameter: str) -> int:
    """An integer of whichever library, within 64 bits. Raises `InvalidParameterError`."""
    try:
        number = operator.index(value)
    except TypeError as error:
        raise InvalidParameterError(
            f"{parameter} needs an integer, not {value!r}", parameter=parameter, value=value
        ) from error
    return max(-(2**63), min(number, 2**63 - 1))


def _runs_of(log: "EventLog", filters: Mapping[str, Any]) -> list[str] | None:
    """The runs of the chosen radios, None for any."""
    radio: Among = filters.get("radio")
    if radio is not None:
        chosen = chosen_radios(radio)
        return None if chosen is None else [facts.id for facts in log.runs() if facts.radio in chosen]
    if filters.get("run") is None:
        refuse_mixture((facts.radio for facts in log.runs()), log.path.name, str(log.path))
    return None


def _several(name: str, chosen: Among) -> set[str] | None:
    if chosen is None or isinstance(chosen, str):
        return None if chosen is None else {str(chosen)}
    try:
        several = set(chosen)
    except TypeError as error:
        raise InvalidParameterError(f"{name} needs text or several", parameter=name, value=chosen) from error
    if wrong := [one for one in several if not isinstance(one, str)]:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidParameterError(f"{name} needs text, not {wrong[0]!r}", parameter=name, value=chosen)
    return {str(one) for one in several}


def _as_us(moment: Any, name: str) -> int:
    if not isinstance(moment, datetime):
        return integer(moment, name)
    if moment.tzinfo is None:
        raise InvalidParameterError("a time needs a time zone", parameter=name, value=moment)
    return (moment - EPOCH) // timedelta(microseconds=1)
