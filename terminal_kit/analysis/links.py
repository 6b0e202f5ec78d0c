"""Links: how long they lasted, under which parameters, and which attempts at one came to nothing."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

import pandas as pd

from terminal_kit.analysis.readers import BEGINNINGS, named
from terminal_kit.analysis.rows import BY_LINK, BY_READER, Rows, dated, joined, of, run_ends, steady, time
from terminal_kit.analysis.twins import elsewhere, once
from terminal_kit.events import DisconnectReason, Kind

NOT_ESTABLISHED = 0x3E
"""Failed to be established (Core Vol 1 Part F, 2.57): the link was announced, and no packet ever came back."""

END = (Kind.LINK_DISCONNECTED, Kind.DISCONNECTED, Kind.RECONNECT_STARTED)
"""What tells that a link is there, and that it is gone; a log of an app has the latter ones alone."""

PARAMETERS = ["interval_ms", "peripheral_latency", "supervision_timeout_s", "mtu_bytes"]

_FACTS = ["reason", "hci_code"]


def sessions(frame: pd.DataFrame) -> pd.DataFrame:
    """The link sessions, one row each, oldest first.

    Columns: `time` and `t_us` of the start, `run`, `terminal`, `reader`, `session`, `start_seen`, `duration_s`,
    `ended_us` (the log's time of the end, missing where it was not seen), `is_ended`, `was_dropped`, `reason` and
    `hci_code` of the end, and the link parameters that were last in force (`interval_ms`,
    `peripheral_latency`, `supervision_timeout_s`, `mtu_bytes`).

    A session goes from the first row that says so (`link_connected`, or of an app's log `connect_succeeded` or
    `reconnect_succeeded`) to the first that says it is over (`link_disconnected`, `disconnected`, `reconnect_started`).
    More of the same change nothing; a late end of an earlier session (by its number) neither. Where the start is
    missing, it begins with the first row that bears its number (`start_seen` is false), or with its end. Where the end
    is missing (`is_ended` is false) it is censored: at the last row of its run, or, where another session follows, at
    the last row that bears its number. `was_dropped`: it ended, and nobody had asked for that. A gap in the recording
    inside a session counts as connected. One that two recordings tell (an app's log and a capture of its phone) is one,
    the capture's where it saw all of it. Durations are those of the steady clock (`rows.steady`), so that a clock that
    was set in between changes none. A file that tells no times tells of no session, and a link that was never
    established (0x3E) is none, see `connection_attempts()`.
    """
    found = steady_sessions(frame)
    how = ["start_seen", "duration_s", "ended_us", "is_ended", "was_dropped", *_FACTS, *PARAMETERS]
    return found[["time", "t_us", *BY_LINK, *how]]


def steady_sessions(frame: Rows, *, told_once: bool = True) -> Rows:
    """`sessions()`, with `start_us` and `end_us` on the steady clock besides; the end of what is censored, too.

    Without `told_once` the sessions of each run stand, though another run tells the same.
    """
    frame = dated(named(frame)).reset_index(drop=True)
    rows = of(frame, *BEGINNINGS, *END)
    rows = rows.assign(at_us=steady(frame).loc[rows.index], begins=rows["kind"].isin([*BEGINNINGS]))
    # At one moment an earlier session ends before the next begins; what has no number keeps the log's order.
    order = ["at_us", "session", *(["seq"] if "seq" in rows else [])]
    rows = rows.sort_values(order, kind="stable")
    rows = _in_blocks(rows)
    begins, ends = rows[rows["begins"]], rows[~rows["begins"]]
    keys = [*BY_READER, "block"]
    found: Rows = rows[keys].drop_duplicates(ignore_index=True)
    for part, columns in (
        (begins, {"at_us": "start_us", "t_us": "t_us"}),
        (ends, {"at_us": "end_us", "t_us": "ended_us", "reason": "reason", "hci_code": "hci_code"}),
    ):
        first = part.drop_duplicates(keys)[[*keys, *columns]].rename(columns=columns)
        found = joined(found, first, keys)
    numbers = rows[rows["session"].notna()].drop_duplicates(keys)[[*keys, "session"]]
    found = joined(found, numbers, keys)
    found = _bounded(found, rows, frame)
    found = _with_learned(found, frame)
    found = found[~((found["hci_code"] == NOT_ESTABLISHED).fillna(value=False).astype(bool))]
    found = _with_parameters(found, frame)
    found = _told_once(found, frame) if told_once else found
    asked = (found["reason"] == DisconnectReason.DISCONNECT_REQUESTED).fillna(value=False).astype(bool)
    found["was_dropped"] = found["is_ended"] & ~asked
    found["duration_s"] = (found["end_us"] - found["start_us"]) / 1e6
    found = found.sort_values(["t_us", "start_us", "end_us"], kind="stable", ignore_index=True)
    return found.assign(time=time(found["t_us"]))


def connection_attempts(frame: pd.DataFrame) -> pd.DataFrame:
    """The attempts to make a link that were decided, one row each, oldest first.

    Columns: `time`, `t_us`, `run`, `terminal`, `reader`, `session`, `is_made`, `hci_code`. Made is a `link_connected`;
    failed is a `link_failed`, and a link that ended with 0x3E, since a controller announces it before the first packet
    has come. In runs that know of no links (an app's log) it is `connect_succeeded` and `connect_failed`. A link that
    was there before its capture began is no attempt, and what an app tells while a capture watched its reader is none
    of its own.
    """
    frame = named(frame)
    links = of(frame, Kind.LINK_CONNECTED, Kind.LINK_FAILED)
    knowing = links["run"].unique()
    if "extra" in links:
        before = links["extra"].astype("str").str.contains(r'"set_up_seen":\s*false', regex=True, na=False)
        links = links[~before]
    told = of(frame, Kind.CONNECT_SUCCEEDED, Kind.CONNECT_FAILED)
    told = told[~told["run"].isin(knowing)]
    rows = pd.concat([links, told[~elsewhere(told, frame, knowing)]])
    columns = ["t_us", *BY_LINK, "hci_code"]
    made = rows["kind"].isin([Kind.LINK_CONNECTED, Kind.CONNECT_SUCCEEDED])
    found: Rows = rows[columns].assign(is_made=made).astype({"t_us": "int64"})
    numbered = found["session"].notna()
    again = found["is_made"] & numbered & found.duplicated([*BY_LINK, "is_made"])
    found = found[~again]
    never = of(frame, Kind.LINK_DISCONNECTED)
    never = never[(never["hci_code"] == NOT_ESTABLISHED).fillna(value=False).astype(bool) & never["session"].notna()]
    undone = joined(found[BY_LINK], never[BY_LINK].drop_duplicates().assign(undone=True), BY_LINK)
    hit = undone["undone"].notna().to_numpy() & found["is_made"].to_numpy(dtype=bool)
    found.loc[hit, "hci_code"] = NOT_ESTABLISHED
    found.loc[hit, "is_made"] = False
    found = found.sort_values("t_us", kind="stable", ignore_index=True)
    found.insert(0, "time", time(found["t_us"]))
    return found[["time", "t_us", *BY_LINK, "is_made", "hci_code"]]


def _in_blocks(rows: Rows) -> Rows:
    """Gives rows of one session one `block`; leaves out ends of sessions before it."""
    of_reader = [rows[name] for name in BY_READER]
    begun = rows["session"].where(rows["begins"]).groupby(of_reader, dropna=False).ffill()
    # The end of a session whose start is lost tells of it, too, by its number, and maybe twice.
    tells = rows["begins"] | (rows["session"] > begun.fillna(-1)).fillna(value=False)
    current = rows["session"].where(tells).groupby(of_reader, dropna=False).ffill()
    late = (rows["session"] < current).fillna(value=False) & ~rows["begins"]
    rows, current = rows[~late], current[~late]
    of_reader = [rows[name] for name in BY_READER]
    follows = rows["begins"].astype("Int8").groupby(of_reader, dropna=False).shift(1)
    earlier = current.groupby(of_reader, dropna=False).shift(1)
    other = (rows["session"] != earlier).fillna(value=False)
    fresh = rows["begins"] & ((follows != 1).fillna(value=True) | other)
    fresh |= ~rows["begins"] & other & (rows["session"] > earlier).fillna(value=False)
    block = fresh.astype("int64").groupby(of_reader, dropna=False).cumsum()
    return rows.assign(block=block)


def _told_once(found: Rows, frame: Rows) -> Rows:
    """Without the sessions that another recording tells better."""
    knows_link = found["run"].isin(of(frame, Kind.LINK_CONNECTED, Kind.LINK_DISCONNECTED)["run"].unique())
    until_us = found["t_us"] + found["end_us"] - found["start_us"]
    ranked = found.assign(knows_link=knows_link, until_us=until_us).sort_values(
        ["is_ended", "start_seen", "knows_link", "start_us"], ascending=[False, False, False, True], kind="stable"
    )
    return once(ranked, frame, until="until_us", fill=[*_FACTS, *PARAMETERS])


def _bounded(found: Rows, rows: Rows, frame: Rows) -> Rows:
    """Start and end of each, where they were not told by what is known besides."""
    own = frame[frame["session"].notna()]
    own = own[BY_LINK].assign(at_us=steady(frame).loc[own.index])
    own = own.groupby(BY_LINK, dropna=False)["at_us"].agg(first_us="min", last_us="max").reset_index()
    found = joined(found, own, BY_LINK)
    last_told = rows.groupby([*BY_READER, "block"], dropna=False)["at_us"].max().rename("told_us").reset_index()
    found = joined(found, last_told, [*BY_READER, "block"])
    found["start_seen"] = found["start_us"].notna()
    found["is_ended"] = found["end_us"].notna()
    found["start_us"] = found["start_us"].fillna(found["first_us"]).fillna(found["end_us"])
    newest = joined(found[BY_READER], own.groupby(BY_READER, dropna=False)["session"].max().reset_index(), BY_READER)
    is_last = found["block"] == found.groupby(BY_READER, dropna=False)["block"].transform("max")
    is_last &= ~(found["session"] < newest["session"]).fillna(value=False).astype(bool)
    watched = found["run"].map(run_ends(frame)).where(is_last, found["last_us"].fillna(found["told_us"]))
    found["end_us"] = found["end_us"].fillna(watched)
    found["end_us"] = found["end_us"].where(found["end_us"] >= found["start_us"], found["start_us"])
    found["t_us"] = found["t_us"].fillna(found["start_us"])
    return found.astype({"t_us": "int64", "start_us": "int64", "end_us": "int64", "ended_us": "Int64"})


def _with_learned(found: Rows, frame: Rows) -> Rows:
    learned = of(frame, Kind.REASON_LEARNED)
    learned = learned[learned["session"].notna()].drop_duplicates(BY_LINK, keep="last")[[*BY_LINK, *_FACTS]]
    found = joined(found, learned.rename(columns={name: f"{name}_learned" for name in _FACTS}), BY_LINK)
    for column in _FACTS:
        found[column] = found.pop(f"{column}_learned").fillna(found[column])
    return found


def _with_parameters(found: Rows, frame: Rows) -> Rows:
    told = of(frame, Kind.LINK_CONNECTED, Kind.LINK_UPDATED)
    told = told[told["session"].notna()].assign(at_us=steady(frame)).sort_values("at_us", kind="stable")
    last = told.groupby(BY_LINK, dropna=False, as_index=False)[PARAMETERS].last()
    return joined(found, last, BY_LINK)
