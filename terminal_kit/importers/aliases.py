"""Names of one device, from all that was imported into a log: each alias leads to one reader, in one step."""

from collections.abc import Mapping
from typing import NamedTuple


class Joined(NamedTuple):
    """`aliases` are to be stored; `conflicts` (alias, the reader it stays, the reader it was said to be) are not."""

    aliases: dict[str, str]
    conflicts: list[tuple[str, str, str]]


def joined(known: Mapping[str, str], told: Mapping[str, str]) -> Joined:
    """What is to be stored of what a file tells, beside what is known. What was known first stays.

    An alias of an alias leads to the reader itself, and what led to a name that becomes an alias follows it. A name
    that is told to be an address and to be a serial number says that the two are one device; two serial numbers, or two
    addresses, are a conflict.
    """
    stored = dict(known)
    # Again until nothing changes: what is told later may settle what was a conflict before.
    while True:
        before = dict(stored)
        conflicts = [conflict for alias, said in told.items() if (conflict := _join(stored, alias, said))]
        if stored == before:
            break
    return Joined({alias: reader for alias, reader in stored.items() if known.get(alias) != reader}, conflicts)


def _join(stored: dict[str, str], alias: str, said: str) -> tuple[str, str, str] | None:
    """Takes one name; gives the conflict, where it is one."""
    name, reader = stored.get(alias, alias), stored.get(said, said)
    if name == reader:
        return None
    if name == alias:
        _lead(stored, alias, reader)
    elif _is_address(name) and not _is_address(reader):
        _lead(stored, name, reader)
    elif _is_address(reader) and not _is_address(name):
        _lead(stored, reader, name)
    else:
        return alias, name, reader
    return None


def _lead(stored: dict[str, str], name: str, reader: str) -> None:
    """Makes a name an alias, and leads everything that led to it on."""
    for alias in (name, *(alias for alias, leads in stored.items() if leads == name)):
        stored[alias] = reader


def _is_address(name: str) -> bool:
    return name.startswith("addr:")
