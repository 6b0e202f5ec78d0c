"""The base of panels without a session: one thread, one panel a log, errors shown, long work that can be stopped."""

import threading
from pathlib import Path
from typing import Any

import pytest

from terminal_kit.errors import CanceledError, InvalidParameterError
from terminal_kit.panels.record_panel import RecordPanel


class Counter(RecordPanel):
    """Counts; what it does, and on which thread, is written down."""

    _esm = "export default {}"
    name = "counter"
    latest_only = frozenset({"zoom"})

    def __init__(self, about: Any = None) -> None:
        self.count = 0
        self.rows: dict[str, int] = {}
        self.threads = set[str]()
        self.zooms: list[int] = []
        self.held = threading.Event()
        self.going = threading.Event()
        self.going.set()
        self.sent: list[dict[str, Any]] = []
        self.buffers: list[Any] = []
        self.painted = threading.Condition()
        super().__init__(about=about)

    def send(self, content: Any, buffers: Any = None) -> None:
        with self.painted:
            self.sent.append(content)
            self.buffers.append(buffers)
            self.painted.notify_all()

    def draw(self) -> dict[str, Any]:
        self.threads.add(threading.current_thread().name)
        if self.count == 13:
            raise ValueError("an unlucky number")
        return {"count": self.count, "rows": dict(self.rows)}

    def obey(self, command: str, facts: dict[str, Any]) -> None:
        self.threads.add(threading.current_thread().name)
        match command:
            case "add":
                self.count += facts["by"]
                self.rows[str(self.count)] = self.count
            case "zoom":
                self.zooms.append(facts["to"])
                self.held.set()
                assert self.going.wait(20)
            case "work":
                self.work(self.long, facts["how"])
            case _:
                raise InvalidParameterError(f"no command {command!r}", parameter="command")

    def long(self, stop: threading.Event, how: str) -> None:
        if how == "fail":
            raise InvalidParameterError("no such file", parameter="path")
        self.held.set()
        assert stop.wait(20)
        raise CanceledError("stopped")

    def do(self, command: str, **facts: Any) -> None:
        self._on_command(None, {"do": command, **facts}, [])

    def until(self, condition: Any) -> None:
        with self.painted:
            assert self.painted.wait_for(lambda: condition(self.sent), 20), self.sent


def has_sent(name: str, value: Any) -> Any:
    return lambda sent: any(message.get("set", {}).get(name, ...) == value for message in sent)


def trouble(sent: list[Any]) -> Any:
    return next((m["set"]["trouble"] for m in reversed(sent) if "trouble" in m.get("set", {})), None)


@pytest.fixture
def panel():
    made = Counter()
    yield made
    made.close()
    assert not made._thread.is_alive()


def test_after_a_command_only_what_changed_is_sent_and_all_of_it_is_drawn_on_one_thread(panel) -> None:
    panel.do("hello")
    panel.until(lambda sent: any(message["whole"] for message in sent))
    whole = next(message for message in panel.sent if message["whole"])
    assert whole["set"] == {"count": 0, "rows": {}, "drawn": True, "trouble": None}
    panel.do("add", by=2)
    panel.until(has_sent("count", 2))
    assert panel.sent[-1]["rows"] == {"rows": {"set": {"2": 2}, "drop": []}}
    assert set(panel.sent[-1]["set"]) == {"count"}
    assert panel.threads == {"terminal_kit panel counter"}


def test_an_error_of_a_command_is_shown_until_the_next_one(panel) -> None:
    panel.do("nonsense")
    panel.until(lambda sent: (trouble(sent) or {}).get("message") == "No command 'nonsense'.")
    panel.do("dismiss")
    panel.until(lambda sent: sent[-1].get("set", {}).get("trouble", ...) is None)


def test_what_cannot_be_drawn_is_said_and_the_panel_lives_on(panel, caplog) -> None:
    panel.do("add", by=13)
    panel.until(lambda sent: "unlucky" in (trouble(sent) or {}).get("message", ""))
    panel.do("add", by=1)
    panel.until(has_sent("count", 14))
    assert len([record for record in caplog.records if "could not be drawn" in record.message]) == 1


def test_of_commands_that_follow_each_other_quickly_the_last_one_counts(panel) -> None:
    panel.going.clear()
    panel.do("zoom", to=0)
    assert panel.held.wait(20)
    for to in range(1, 50):
        panel.do("zoom", to=to)
    panel.do("add", by=1)
    panel.going.set()
    panel.until(has_sent("count", 1))
    assert panel.zooms == [0, 49]


def test_long_work_is_stopped_and_its_error_is_shown(panel) -> None:
    panel.do("work", how="fail")
    panel.until(lambda sent: "No such file" in (trouble(sent) or {}).get("message", ""))
    panel.do("work", how="wait")
    assert panel.held.wait(20)
    panel.do("work", how="wait")
    panel.until(lambda sent: (trouble(sent) or {}).get("code") == "READER_BUSY")
    worker = panel._worker
    panel.stop_work()
    worker.join(20)
    assert not panel.is_working


def test_closing_stops_long_work_and_waits_for_it() -> None:
    panel = Counter()
    panel.do("work", how="wait")
    assert panel.held.wait(20)
    worker = panel._worker
    panel.close()
    assert not worker.is_alive()
    panel.close()


def test_what_is_said_goes_to_the_page_once(panel) -> None:
    panel.say({"frame": 1}, [b"abc"])
    panel.until(lambda sent: any("news" in message for message in sent))
    assert [m["news"] for m in panel.sent if "news" in m] == [{"frame": 1}]
    assert [b"abc"] in panel.buffers


def test_a_cell_that_runs_again_leaves_one_panel_about_a_log(tmp_path: Path) -> None:
    first, other = Counter(tmp_path / "a.db"), Counter(tmp_path / "b.db")
    second = Counter(tmp_path / "x" / ".." / "a.db")
    assert not first._thread.is_alive()
    assert other._thread.is_alive()
    assert second._thread.is_alive()
    other.close()
    second.close()


def test_many_redraws_are_few_pictures(panel) -> None:
    panel.until(has_sent("count", 0))
    began = len(panel.sent)
    for number in range(1000):
        panel.count = number % 12 + 100
        panel.redraw()
    panel.count = 200
    panel.redraw()
    panel.until(has_sent("count", 200))
    assert len(panel.sent) - began <= 8
