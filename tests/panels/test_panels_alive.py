"""Panels on a living session: its own thread and loop, the painter beside it, and one bench at a time."""

import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from easel import ALL, Hung
from stage import CHIPPER, DESK, M2, WISEPAD
from test_view import DAY_US

from terminal_kit import panels
from terminal_kit.errors import InvalidParameterError, TerminalError
from terminal_kit.memory import Memory
from terminal_kit.panels import painter as painter_module
from terminal_kit.panels.painter import FRAME_S, Painter
from terminal_kit.session import Session
from terminal_kit.simulator import FAULTS
from terminal_kit.view import View


@pytest.fixture
def session():
    with Session(seed=3, memory=Memory()) as running:
        yield running


def until(condition: Any, timeout_s: float = 20.0) -> None:
    """Waits for something in another thread."""
    tick = threading.Event()
    for _ in range(int(timeout_s / 0.02)):
        if condition():
            return
        tick.wait(0.02)
    raise AssertionError("it did not happen")


def test_the_trainer_starts_undoes_and_skips_on_the_sessions_own_loop(session) -> None:
    hung = Hung(panels.TrainerPanel, session)
    picture = hung.panel.draw(session.view)
    assert set(picture["faults"]) == {fault.name for fault in FAULTS} - {"update"}  # it has a place of its own
    assert [serial for serial, _ in picture["readers"]] == [M2, WISEPAD, CHIPPER]
    assert picture["faults"]["walk_away"]["parameters"] == [
        {"name": "to_m", "label": "to", "unit": "m", "value": 200.0, "least": 0.1, "most": 10_000.0},
        {"name": "speed_m_s", "label": "speed", "unit": "m/s", "value": 1.4, "least": 0.01, "most": 1_000.0},
    ]
    hung.do("start", fault="body", reader=M2, parameters={"loss_db": 12.0})
    hung.do("start", fault="cut_internet", reader=M2, parameters={})
    until(lambda: len(session.air.faults.active) == 2)
    view = replace(session.view, faults=tuple(session.air.faults.active))
    active = hung.panel.draw(view)["active"]
    assert [fault["words"] for fault in active.values()] == [
        f"stand between reader and host: {M2}",
        "cut the host's internet",
    ]
    hung.do("undo", id=next(iter(active)))
    until(lambda: len(session.air.faults.active) == 1)
    before_us = session.radio.clock.utc_us()
    hung.do("skip", seconds=86400)
    until(lambda: session.radio.clock.utc_us() - before_us >= DAY_US)
    hung.do("outcome", reader=M2, outcome="required")
    until(lambda: session.air.readers[M2].model.pending_update is not None)
    view = replace(session.view, faults=tuple(session.air.faults.active))
    assert f"let an update wait (required now): {M2}" in [
        fault["words"] for fault in hung.panel.draw(view)["active"].values()
    ]
    hung.do("outcome", reader=M2, outcome="none")
    until(lambda: session.air.readers[M2].model.pending_update is None)
    assert "update" not in [active.fault.name for active in session.air.faults.active]
    hung.do("start", fault="no such fault", reader=M2, parameters={})
    until(lambda: hung.panel._trouble is not None)
    hung.do("start", fault="walk_away", reader=M2, parameters={"speed_m_s": 0})
    until(lambda: "A number from 0.01 to 1000." in str(hung.panel._trouble))


def test_u7_a_connected_reader_hears_at_once_of_the_update_that_the_trainer_sets() -> None:
    with Session(seed=3, rate=50, memory=Memory()) as session:
        session.call(session.terminal.easy_connect, DESK, serial=M2).result(20)
        until(lambda: session.terminal.connected_reader is not None)
        hung = Hung(panels.TrainerPanel, session)
        for reader in (WISEPAD, M2):
            assert session.view.update is None
            hung.do("outcome", reader=reader, outcome="available")
            until(lambda reader=reader: session.air.readers[reader].model.pending_update is not None)
        until(lambda: session.view.update is not None, timeout_s=5)  # ten minutes would take twelve
        assert session.view.update.reader == M2
        assert hung.panel._trouble is None


def test_where_a_feed_brings_the_updates_the_trainer_has_none_to_give(session, monkeypatch) -> None:
    hung = Hung(panels.TrainerPanel, session)
    assert hung.panel.draw(session.view)["cannot_offer"] == ""
    monkeypatch.setattr(session, "feed", object())
    assert hung.panel.draw(session.view)["cannot_offer"].startswith("Updates come from the feed")
    hung.do("outcome", reader=M2, outcome="required")
    assert hung.panel._trouble["message"].startswith("Updates come from the feed")
    assert session.air.faults.active == []


def test_the_trainers_fields_take_what_the_fault_takes_and_no_more(session) -> None:
    faults = Hung(panels.TrainerPanel, session).panel.draw(session.view)["faults"]
    figures = [
        (name, parameter)
        for name, fault in faults.items()
        for parameter in fault["parameters"]
        if not isinstance(parameter["value"], bool)
    ]
    assert len(figures) >= 5

    async def take(name: str, **parameters: float) -> bool:
        try:
            session.air.faults.start(name, M2, **parameters).undo()
        except InvalidParameterError:
            return False
        return True

    for name, parameter in figures:
        least, most = parameter["least"], parameter["most"]
        assert least <= parameter["value"] <= most
        takes = [
            session.call(take, name, **{parameter["name"]: value}).result(10)
            for value in (least, most, least - 0.001, most + 1)
        ]
        assert takes == [True, True, False, False], parameter


def test_a_panel_on_a_living_session_shows_what_happens(session) -> None:
    shown = threading.Event()
    panel = panels.ConnectionPanel(session)
    try:
        panel.send = lambda content, buffers=None: "Connected" in str(content) and shown.set()
        session.call(session.terminal.easy_connect, DESK, serial=M2).result(30)
        assert shown.wait(10)
    finally:
        panel.close()
        panel.close()
    assert not [thread for thread in threading.enumerate() if "painter" in thread.name]


def test_a_painter_paints_at_most_four_times_a_second_however_much_happens(session) -> None:
    painted: list[View] = []
    painter = Painter(session)
    try:
        painter.hang(SimpleNamespace(paint=painted.append))
        until(lambda: painted)
        count = len(painted)
        session.call(session.scan, 30.0)
        session.call(session.air.skip_time, 25.0).result(30)
        threading.Event().wait(4 * FRAME_S)
        assert 1 <= len(painted) - count <= 8
        assert painted[-1].readers
    finally:
        painter.close()


def painters() -> int:
    return [thread.name for thread in threading.enumerate()].count("terminal_kit painter")


def test_panels_that_stand_alone_share_a_painter_and_running_a_cell_again_leaves_one(session) -> None:
    before = painters()
    first, other = panels.SignalPanel(session), panels.ConnectionPanel(session)
    again = panels.SignalPanel(session)
    last = panels.SignalPanel(session)
    assert painters() == before + 1
    assert [panel.comm is None for panel in (first, again, last, other)] == [True, True, False, False]
    assert set(last._painter.drawers) == {last, other}
    for panel in (first, last, last, other, other):
        panel.close()
    assert painters() == before
    alone = panels.SignalPanel(session)
    assert painters() == before + 1
    alone.close()
    assert painters() == before


def test_a_bench_and_a_panel_beside_it_leave_each_other_alone(session) -> None:
    painter = Painter(session)
    on_bench = panels.SignalPanel(session, painter=painter)
    beside = panels.SignalPanel(session)
    try:
        assert on_bench.comm is not None
        assert painter.drawers == (on_bench,)
    finally:
        beside.close()
        on_bench.close()
        painter.close()


def test_a_painter_that_cannot_look_goes_on(session, monkeypatch, caplog) -> None:
    fails = threading.Event()
    painted = threading.Event()
    look = painter_module.look

    def look_or_fail(of: Session) -> View:
        if not fails.is_set():
            fails.set()
            raise RuntimeError("nothing to see")
        return look(of)

    monkeypatch.setattr(painter_module, "look", look_or_fail)
    painter = Painter(session)
    try:
        painter.hang(SimpleNamespace(paint=lambda _view: painted.set()))
        assert painted.wait(10)
    finally:
        painter.close()
    assert "nothing to see" in caplog.text


def test_a_session_that_does_not_run_is_told_at_once() -> None:
    with pytest.raises(TerminalError, match="not running"):
        panels.SignalPanel(Session(memory=Memory()))


def test_a_panel_that_fails_leaves_the_others_alone(session, caplog) -> None:
    painted = threading.Event()

    def fail(_view: View) -> None:
        raise ZeroDivisionError("a mistake")

    painter = Painter(session)
    try:
        painter.hang(SimpleNamespace(paint=fail))
        painter.hang(SimpleNamespace(paint=lambda _view: painted.set()))
        assert painted.wait(10)
    finally:
        painter.close()
    assert "a mistake" in caplog.text


def test_running_the_cell_again_leaves_one_bench(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    first = panels.bench(log=tmp_path / "bench.db")
    second = panels.bench(log=tmp_path / "bench.db")
    try:
        threads = [thread.name for thread in threading.enumerate() if thread.name.startswith("terminal_kit")]
        assert threads.count("terminal_kit session") == threads.count("terminal_kit painter") == 1
        assert first.session is not second.session
        assert set(second.panels) == {kind.name for kind in ALL}
    finally:
        second.close()
    second.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("terminal_kit")]
