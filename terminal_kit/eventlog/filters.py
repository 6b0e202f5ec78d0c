"""Which events: the filters that reading has in common."""

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypedDict

from terminal_kit.errors import EventLogError, InvalidParameterError

if TYPE_CHECKING:
    from terminal_kit.eventlog.log import EventLog

Among = str | Collection[str] | None
"""One value, or several of which any will do."""


class Filters(TypedDict, total=False):
    """Each takes one value or several; times are aware datetimes or UTC microseconds, `until` exclusive.

    `radio` says which kinds of radio are meant; "all" mixes simulated and real events, which is not done unasked.
    """

    reader: Among
    kind: Among
    run: Among
    radio: Among
    since: datetime | int | None
    until: datetime | int | None
    session: int | None


def condition(log: "EventLog", filters: Filters) -> tuple[str, list[Any]]:
    """The filters as a condition of SQL and its values. Raises where kinds of radio would be mixed unasked."""
    conditions, values = ["1"], list[Any]()

    def among(column: str, chosen: Among) -> None:
        if chosen is not None:
            several = [chosen] if isinstance(chosen, str) else [str(one) for one in chosen]
            conditions.append(f"{column} IN ({', '.join('?' * len(several))})")
            values.extend(several)

    wanted = filters.get("reader")
    readers = None if wanted is None else {wanted} if isinstance(wanted, str) else set(wanted)
    among("reader", readers and readers | {alias for alias, reader in log.aliases().items() if reader in readers})
    among("kind", filters.get("kind"))
    among("run", filters.get("run"))
    among("run", _runs_of(log, filters))
    for column, sign, moment in (("t_us", ">=", filters.get("since")), ("t_us", "<", filters.get("until"))):
        if moment is not None:
            conditions.append(f"{column} {sign} ?")
            values.append(_as_us(moment))
    if (session := filters.get("session")) is not None:
        conditions.append("session = ?")
        values.append(session)
    return " AND ".join(conditions), values


def _runs_of(log: "EventLog", filters: Filters) -> list[str] | None:
    """The runs of the chosen radios, None for any."""
    radio = filters.get("radio")
    if radio == "all" or (radio is None and filters.get("run") is not None):
        return None
    runs = log.runs()
    if radio is None:
        radios = {facts.radio for facts in runs}
        if "simulated" in radios and len(radios) > 1:
            raise EventLogError(
                f"{log.path.name} holds simulated and real events ({', '.join(sorted(radios))})",
                path=str(log.path),
                hint="Say which with radio='native' and the like, or radio='all' to mix them.",
            )
        return None
    chosen = {radio} if isinstance(radio, str) else set(radio)
    return [facts.id for facts in runs if facts.radio in chosen]


def _as_us(moment: datetime | int) -> int:
    if isinstance(moment, int):
        return moment
    if moment.tzinfo is None:
        raise InvalidParameterError("a time needs a time zone", parameter="since/until", value=moment)
    return int(moment.timestamp() * 1_000_000)
