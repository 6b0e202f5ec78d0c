"""Panels without a browser: what they would show, how little they send, and that a click only hands over."""

import json
from dataclasses import replace
from typing import Any

import pytest
from easel import ALL, Easel, FakeSession, Hung
from stage import DESK, M2
from test_view import DAY_US, S, connected, ev, played

from terminal_kit import panels
from terminal_kit.errors import BusyError, CanceledError, DataError, SupersededError
from terminal_kit.events import ConnectionStatus
from terminal_kit.panels.panel import changes, trouble
from terminal_kit.view import View
from terminal_kit.words import HOST_FAULTS

HOSTILE = "<img src=x onerror=alert(1)>\u202e"


def busy_view() -> View:
    """A view with something in every panel, named by somebody hostile."""
    view = played(
        ev("reader_found", 1, HOSTILE, rssi_dbm=-60.0, battery=0.5, extra={"address": "C0:00"}),
        ev("status_changed", 2, HOSTILE, status="connecting"),
        ev("connect_started", 2, HOSTILE, location=HOSTILE, status="connecting"),
        ev("reader_info", 2, HOSTILE, firmware=HOSTILE, extra={"uptime_s": 1.0}),
        ev("status_changed", 3, HOSTILE, status="connected"),
        ev("signal", 3, HOSTILE, rssi_dbm=-50.0, rssi_source="reader_service"),
        ev("update_available", 3, HOSTILE, firmware_from=HOSTILE, firmware_to=HOSTILE, components=6),
        ev("update_progress", 3, HOSTILE, progress=0.5, stage=HOSTILE),
        ev("link_disconnected", 4, HOSTILE, session=1, reason=HOSTILE, reason_source=HOSTILE, hci_code=8),
        ev("status_changed", 4, HOSTILE, status="reconnecting"),
        ev("reconnect_started", 4, HOSTILE, reason=HOSTILE, status="reconnecting"),
        ev("notice", 4, HOSTILE, stage=HOSTILE, reason=HOSTILE, text=HOSTILE),
        ev("host_changed", 5, "", extra={"fault": HOSTILE, "internet": False}),
    )
    return replace(view, log=f"/tmp/{HOSTILE}", log_fault=HOSTILE)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_a_picture_is_plain_data_and_shows_marks_instead_of_obeying_them(kind) -> None:
    picture = kind(FakeSession(), painter=Easel()).draw(busy_view())
    assert json.loads(json.dumps(picture)) == picture

    def texts(value: Any) -> list[str]:
        match value:
            case str():
                return [value]
            case dict():
                return [text for each in value.values() for text in texts(each)]
            case list():
                return [text for each in value for text in texts(each)]
        return []

    assert not any("\u202e" in text for text in texts(picture))


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_what_did_not_change_is_not_sent(kind) -> None:
    hung = Hung(kind)
    first = hung.paint(busy_view())
    assert first["whole"]
    assert hung.paint(busy_view()) is None
    hung.do("hello")
    assert hung.paint(busy_view()) == first


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_a_page_that_opens_while_another_is_being_drawn_gets_its_own_picture(kind) -> None:
    hung = Hung(kind)
    first = hung.paint(busy_view())
    draw = hung.panel.draw

    def draw_as_a_page_opens(view: View) -> Any:
        hung.do("hello")
        return draw(view)

    hung.panel.draw = draw_as_a_page_opens
    hung.paint(busy_view())
    hung.panel.draw = draw
    assert hung.paint(busy_view()) == first


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_a_panel_that_cannot_draw_says_so_and_tries_again(kind, caplog) -> None:
    hung = Hung(kind)
    draw = hung.panel.draw

    def fail(_view: View) -> Any:
        raise DataError("locations.toml is not a list of locations", path="locations.toml", hint="Mend it.")

    hung.panel.draw = fail
    first = hung.paint(busy_view())
    assert (first["whole"], first["set"]["drawn"]) == (True, False)
    assert first["set"]["trouble"]["hint"] == "Mend it."
    assert hung.easel.asked
    assert hung.paint(busy_view()) is None
    assert len(caplog.records) == 1
    hung.panel.draw = draw
    second = hung.paint(busy_view())
    assert second["set"]["drawn"]
    assert "trouble" not in second["set"]  # it stays until somebody has read it
    hung.do("dismiss")
    assert hung.paint(busy_view())["set"] == {"trouble": None}
    # One that has drawn before keeps what it showed, for new pages too.
    hung.panel.draw = fail
    assert set(hung.paint(busy_view())["set"]) == {"trouble"}
    hung.do("hello")
    whole = hung.paint(busy_view())
    assert (whole["whole"], whole["set"]["drawn"]) == (True, True)
    assert whole["set"].keys() > {"trouble", "drawn", "badge"}


def test_a_page_is_heard_on_the_thread_that_lab_chooses_whoever_blocks_the_other() -> None:
    # ipykernel sets this when a panel speaks, from whatever request ran last: a cell that blocks, for instance.
    hung = Hung(panels.ConnectionPanel)
    hung.panel.comm._reply_subshell_id = None
    hung.paint(View())
    assert not hasattr(hung.panel.comm, "_reply_subshell_id")


def test_differences_row_by_row() -> None:
    before = {"a": 1, "b": [1], "rows": {"1": {"x": 1}, "2": {"x": 2}}, "same": {"k": 1}}
    after = {"a": 1, "b": [2], "rows": {"2": {"x": 3}, "3": {"x": 1}}, "same": {"k": 1}}
    assert changes(before, after) == {
        "set": {"b": [2]},
        "rows": {"rows": {"set": {"2": {"x": 3}, "3": {"x": 1}}, "drop": ["1"]}},
    }
    assert changes(after, after) == {}
    assert changes({}, {"a": None}) == {"set": {"a": None}}
    assert changes({"t": None}, {"t": {"x": 1}}) == {"set": {"t": {"x": 1}}}


@pytest.mark.parametrize(
    ("status", "verb"), [("reconnecting", "cancel_reader_reconnection"), ("connecting", "cancel_connecting")]
)
def test_cancel_ends_what_runs(status, verb) -> None:
    hung = Hung(panels.ConnectionPanel)
    hung.session.view = replace(View(), status=ConnectionStatus(status))
    hung.do("cancel")
    assert hung.session.calls == [(verb, (), {})]


@pytest.mark.parametrize(
    ("status", "events", "offers"),
    [
        ("not_connected", [], (False, False)),
        ("not_connected", [("link_disconnected", {"reason": "powered_off"})], (False, True)),
        ("not_connected", [("disconnected", {"reason": "powered_off"}), ("notice", {"stage": "scan_timed_out"})], (False, True)),
        ("not_connected", [("notice", {"stage": "scan_timed_out"})], (False, True)),
        ("not_connected", [("link_disconnected", {"reason": "disconnect_requested"})], (False, False)),
        ("discovering", [("link_disconnected", {"reason": "powered_off"})], (False, False)),
        ("reconnecting", [("link_disconnected", {}), ("notice", {"stage": "low_battery"})], (True, False)),
        ("connecting", [], (True, False)),
        ("connected", [("link_disconnected", {"reason": "powered_off"})], (False, False)),
    ],
)  # fmt: skip
def test_x9_cancel_and_discover_again_go_by_what_is_going_on(status, events, offers) -> None:
    view = played(*(ev(kind, at, session=1, **facts) for at, (kind, facts) in enumerate(events)))
    picture = panels.ConnectionPanel(FakeSession(), painter=Easel()).draw(
        replace(view, status=ConnectionStatus(status))
    )
    assert (picture["can_cancel"], picture["can_discover"]) == offers


def test_the_connection_panels_commands() -> None:
    hung = Hung(panels.ConnectionPanel)
    for command in ("reboot", "disconnect", "scan"):
        hung.do(command)
    hung.do("auto_reconnect", on=False)
    assert [call[0] for call in hung.session.calls] == ["reboot_reader", "disconnect_reader", "scan"]
    assert hung.session.posted == [(setattr, hung.session.terminal, "auto_reconnect", False)]


RUNS = ev("update_started", 2, firmware_to="2", components=2)


@pytest.mark.parametrize(
    ("status", "words", "verb"),
    [
        ("connected", "Connected · updating", ("disconnect_reader", (), {"force": True})),
        ("connecting", "Connecting · updating", ("cancel_connecting", (), {})),
        ("reconnecting", "Reconnecting · updating", ("cancel_reader_reconnection", (), {})),
    ],
)
def test_u9_while_an_update_runs_only_breaking_it_off_ends_the_connection(status, words, verb) -> None:
    hung = Hung(panels.ConnectionPanel)
    view = hung.session.view = replace(connected().apply(RUNS), status=ConnectionStatus(status))
    picture = hung.panel.draw(view)
    assert (picture["status_words"], picture["can_cancel"], picture["can_break_off"]) == (words, False, True)
    assert picture["cannot_leave"] == (
        "An update is being installed; breaking it off leaves the reader with working software, "
        "and the next connection goes on."
    )
    hung.do("break_off")
    assert hung.session.calls == [verb]


def test_u9_without_an_update_a_connection_is_left_as_ever() -> None:
    draw = panels.ConnectionPanel(FakeSession(), painter=Easel()).draw
    over = connected().apply(RUNS).apply(ev("update_finished", 3, firmware_to="2"))
    for view in (connected(), over):
        picture = draw(view)
        assert (picture["status_words"], picture["cannot_leave"], picture["can_break_off"]) == ("Connected", "", False)
    assert draw(View())["cannot_leave"] == "No reader is connected."


def test_an_error_appears_in_the_panel_that_caused_it_and_goes_with_the_next_command() -> None:
    hung = Hung(panels.UpdatePanel)
    hung.do("install")
    hung.session.futures[-1].set_exception(BusyError("the reader \u202eis busy", running="x", hint="Wait."))
    told = hung.paint(View())["set"]["trouble"]
    assert told == {"code": "READER_BUSY", "message": "The reader ⟨U+202E⟩is busy.", "hint": "Wait."}
    hung.do("install")
    assert hung.paint(View())["set"]["trouble"] is None
    hung.session.futures[-1].set_exception(ValueError("odd"))
    assert hung.paint(View())["set"]["trouble"]["code"] == "UNEXPECTED_SDK_ERROR"
    hung.do("dismiss")
    assert hung.paint(View())["set"]["trouble"] is None


@pytest.mark.parametrize("error", [CanceledError("c"), SupersededError("s")])
def test_what_one_canceled_oneself_is_no_trouble(error) -> None:
    hung = Hung(panels.DiscoveryPanel)
    hung.do("connect_nearest", location_id=DESK)
    hung.session.futures[-1].set_exception(error)
    assert hung.paint(View())["set"]["trouble"] is None
    assert hung.easel.asked


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_a_command_that_is_not_known_or_lacks_facts_is_told_and_does_nothing(kind) -> None:
    hung = Hung(kind)
    for command in ("__init__", "close", "connect", "start"):
        hung.do(command)
        assert hung.paint(View())["set"]["trouble"]["code"]
        hung.do("dismiss")
        hung.paint(View())
    hung.panel._on_command(None, "nonsense", [])
    assert hung.session.calls == []


def facts_of(view: View) -> dict[str, list[Any]]:
    picture = panels.ConnectionPanel(FakeSession(), painter=Easel()).draw(view)
    return {label: rest for label, *rest in picture["facts"]}


def test_the_connection_shows_the_readers_facts() -> None:
    facts = facts_of(connected())
    assert facts["Reader"] == [M2]
    assert facts["Location"] == ["Front desk"]
    assert facts["Battery"] == ["87 % good", "battery", 0.87]
    assert facts["Next restart"] == ["", "restart", S - 3600 * S + DAY_US]
    assert (
        facts_of(connected().apply(ev("battery", 5, battery=0.12, charging=True)))["Battery"][0] == "12 % low, charging"
    )
    assert facts_of(connected().apply(ev("standby_entered", 5)))["Now"] == ["in standby"]
    unknown = replace(connected(), next_restart_us=None)
    assert facts_of(unknown)["Next restart"] == ["not known"]


def test_d5_a_host_fault_is_named() -> None:
    assert facts_of(View(host_fault="radio_off"))["Host"] == ["Bluetooth is off"]


@pytest.mark.parametrize(
    ("events", "fate"),
    [
        ([("link_disconnected", {"reason": "disconnect_requested"})], "wanted"),
        ([("link_disconnected", {"reason": "powered_off"})], "gone"),
        ([("link_disconnected", {}), ("reconnect_started", {})], "awaited"),
        ([("link_disconnected", {}), ("reconnect_started", {}), ("reconnect_succeeded", {})], "itself"),
        ([("link_disconnected", {}), ("reconnect_started", {}), ("reconnect_failed", {})], "given_up"),
        ([("link_disconnected", {}), ("connect_succeeded", {})], "hand"),
    ],
)
def test_the_log_tells_how_each_drop_ended(events, fate) -> None:
    view = played(*(ev(kind, at, session=1, **facts) for at, (kind, facts) in enumerate(events)))
    (row,) = panels.DisconnectLogPanel(FakeSession(), painter=Easel()).draw(view)["rows"].values()
    assert row["fate"] == fate


def test_only_new_points_of_the_chart_are_sent() -> None:
    hung = Hung(panels.SignalPanel)
    view = played(ev("signal", 1, rssi_dbm=-50.0), ev("signal", 2, rssi_dbm=-51.0))
    assert hung.paint(view)["news"] == {M2: [[S, -50.0, -1], [2 * S, -51.0, -1]]}
    assert hung.paint(view.apply(ev("signal", 3, rssi_dbm=-52.0)))["news"] == {M2: [[3 * S, -52.0, -1]]}


def test_lines_keep_their_colour_and_the_connected_reader_always_has_one() -> None:
    hung = Hung(panels.SignalPanel)
    view = played(*(ev("signal", 1, f"R{number}", rssi_dbm=-50.0 - number) for number in range(9)))
    traces = hung.panel.draw(view)["traces"]
    assert set(traces) == {f"R{number}" for number in range(6)}
    ours = played(ev("status_changed", 2, "R8", status="connected"), view=view)
    later = hung.panel.draw(ours)["traces"]
    assert set(later) == {"R0", "R1", "R2", "R3", "R4", "R8"}
    assert later["R8"]["connected"]
    assert {name: later[name]["slot"] for name in ("R0", "R1", "R2")} == {
        name: traces[name]["slot"] for name in ("R0", "R1", "R2")
    }
    assert len({trace["slot"] for trace in later.values()}) == 6


def test_the_curve_of_returns_counts_those_still_gone() -> None:
    view = played(
        ev("link_disconnected", 0, session=1), ev("reconnect_started", 0), ev("reconnect_succeeded", 4),
        ev("link_disconnected", 10, session=2), ev("reconnect_started", 10), ev("reconnect_failed", 20),
    )  # fmt: skip
    picture = panels.ReconnectionPanel(FakeSession(), painter=Easel()).draw(view)
    assert picture["steps"] == [[4.0, 0.5], [10.0, 0.5]]
    assert picture["gone"] == [[10.0, 0.5]]
    assert picture["words"] == "2 drops: half are back after 4.0 s; 1 not back (+)."


def test_the_overview_says_when_nothing_is_recorded() -> None:
    panel = panels.OverviewPanel(FakeSession(), painter=Easel())
    assert "no log" in panel.draw(View())["record"]
    assert "recording to bench.db" in panel.draw(View(log="/tmp/bench.db"))["record"]
    failed = panel.draw(View(log="/tmp/bench.db", log_fault="disk full"))
    assert failed["record"] == "✕ not recording: disk full"
    assert failed["record_failed"]


def test_d5_the_overview_names_what_ails_the_host_and_what_to_do() -> None:
    panel = panels.OverviewPanel(FakeSession(), painter=Easel())
    assert panel.draw(View(host_fault=None, internet=None))["ailments"] == []
    ill = panel.draw(View(host_fault="radio_off", internet=False))["ailments"]
    assert ill == [
        "Bluetooth is off. Turn Bluetooth on in the host's settings.",
        "No internet: a reader that needs it will leave. Check the host's network.",
    ]
    for fault in HOST_FAULTS:
        assert panel.draw(View(host_fault=fault))["ailments"][0].count(". ") >= 1


@pytest.mark.parametrize("variable", ["BINDER_SERVICE_HOST", "BINDER_REPO_URL"])
def test_on_binder_the_bench_says_that_the_log_is_temporary(monkeypatch, variable) -> None:
    for name in ("BINDER_SERVICE_HOST", "BINDER_REPO_URL"):
        monkeypatch.delenv(name, raising=False)
    panel = panels.OverviewPanel(FakeSession(), painter=Easel())
    assert panel.draw(View(log="/tmp/bench.db"))["hint"] == ""
    monkeypatch.setenv(variable, "10.0.0.1")
    assert panel.draw(View(log="/tmp/bench.db"))["hint"].startswith("On Binder the log is temporary")
    assert panel.draw(View())["hint"] == ""


def test_simulated_data_is_badged_in_every_panel() -> None:
    for kind in ALL:
        assert Hung(kind).paint(View())["set"]["badge"] == "simulated"
        assert Hung(kind).paint(View(radio="native"))["set"]["badge"] is None


def test_d3_labels_stand_wherever_a_reader_is_named() -> None:
    session = FakeSession()
    session.labels = {M2: "Till 1"}
    name = f"Till 1 ({M2})"
    dropped = connected().apply(ev("link_disconnected", 5, session=1))
    assert {
        label: rest for label, *rest in panels.ConnectionPanel(session, painter=Easel()).draw(connected())["facts"]
    }["Reader"] == [name]
    (row,) = panels.DisconnectLogPanel(session, painter=Easel()).draw(dropped)["rows"].values()
    assert row["reader"] == name
    heard = played(ev("signal", 1, rssi_dbm=-50.0))
    assert panels.SignalPanel(session, painter=Easel()).draw(heard)["traces"][M2]["name"] == name


def test_an_unexpected_error_keeps_its_words() -> None:
    assert trouble(KeyError("fault"))["message"] == "KeyError: 'fault'."
