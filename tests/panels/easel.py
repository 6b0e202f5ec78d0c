"""What panels are hung on in tests: a session that writes calls down, and an easel that paints when it is told to."""

import json
import threading
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

from terminal_kit import panels
from terminal_kit.memory import DEMO_LOCATIONS, Memory
from terminal_kit.view import View


class FakeSession:
    """What a panel borrows, with the calls written down instead of made."""

    def __init__(self) -> None:
        self.view = View()
        self.rate = 1.0
        self.log = self.air = self.feed = None
        self.locations = list(DEMO_LOCATIONS)
        self.labels: dict[str, str] = {}
        self.radio = SimpleNamespace(clock=SimpleNamespace(utc_us=lambda: self.view.now_us))
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.futures: list[Future[Any]] = []
        self.posted: list[tuple[Any, ...]] = []
        self.terminal = SimpleNamespace(auto_reconnect=True, memory=Memory())
        for verb in (
            "cancel_discovering", "connect_reader", "easy_connect", "reconnect_last_reader", "cancel_connecting",
            "disconnect_reader", "reboot_reader", "cancel_reader_reconnection", "install_available_update",
            "cancel_installing_update", "forget_reader",
        ):  # fmt: skip
            setattr(self.terminal, verb, verb)
        self.scan = "scan"

    def call(self, function: Any, *args: Any, **kwargs: Any) -> Future[Any]:
        self.calls.append((function, args, kwargs))
        self.futures.append(Future())
        return self.futures[-1]

    def post(self, function: Any, *args: Any) -> None:
        self.posted.append((function, *args))


class Easel:
    """A painter that paints when the test says so."""

    def __init__(self) -> None:
        self.asked = 0

    def hang(self, panel: Any) -> Any:
        return lambda: None

    def ask(self) -> None:
        self.asked += 1


class Hung:
    """A panel on an easel, with what it sent."""

    def __init__(self, kind: Any, session: Any = None) -> None:
        self.session = session or FakeSession()
        self.easel = Easel()
        self.panel = kind(self.session, painter=self.easel)
        self.sent: list[tuple[Any, Any]] = []
        self.panel.send = lambda content, buffers=None: self.sent.append((content, buffers))

    def paint(self, view: View) -> Any:
        """Paints and gives what was sent for it; None for nothing."""
        count = len(self.sent)
        self.panel.paint(view)
        assert len(self.sent) <= count + 1
        return self.sent[-1][0] if len(self.sent) > count else None

    def do(self, command: str, **facts: Any) -> None:
        self.panel._on_command(None, {"do": command, **facts}, [])


ALL = (
    panels.OverviewPanel, panels.DiscoveryPanel, panels.SignalPanel, panels.ConnectionPanel, panels.UpdatePanel,
    panels.ReconnectionPanel, panels.DisconnectLogPanel, panels.TrainerPanel,
)  # fmt: skip


class Watched:
    """Before a panel's class: a panel that works on threads of its own, with its picture as the page would have it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.sent: list[dict[str, Any]] = []
        self.picture: dict[str, Any] = {}
        self.changed = threading.Condition()
        super().__init__(*args, **options)

    def send(self, content: Any, buffers: Any = None) -> None:
        json.dumps(content, allow_nan=False)  # what the page cannot read is found here
        with self.changed:
            self.picture = {} if content["whole"] else self.picture
            self.picture |= content.get("set", {})
            for name, rows in content.get("rows", {}).items():
                kept = {key: row for key, row in self.picture[name].items() if key not in rows["drop"]}
                self.picture[name] = kept | rows["set"]
            self.sent.append(content)
            self.changed.notify_all()

    def do(self, command: str, *, buffers: Any = (), **facts: Any) -> None:
        self._on_command(None, {"do": command, **facts}, list(buffers))

    def until(self, condition: Any) -> dict[str, Any]:
        with self.changed:
            assert self.changed.wait_for(lambda: bool(self.picture and condition(self.picture)), 20), self.picture
            return dict(self.picture)
