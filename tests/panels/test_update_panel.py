"""The update panel: what waits and why, what it needs, how far it is, and what became of it (U)."""

from typing import Any

import pytest
from easel import Easel, FakeSession, Hung
from stage import M2, WISEPAD
from test_view import S, connected, ev, played

from terminal_kit import panels
from terminal_kit.errors import BusyError, UpdateInterruptedError
from terminal_kit.reader import Reader
from terminal_kit.view import View

FROM, TO = "2.01.01.00-SZZZ_Prod_US_v12-481001", "2.01.01.01-SZZZ_Prod_US_v13-481001"
DUE_US = 9 * S
OFFER: dict[str, Any] = {
    "firmware_from": FROM, "firmware_to": TO, "components": 6, "required_at_us": DUE_US, "total_bytes": 500_000,
}  # fmt: skip
EXTRA = {"estimated_time": "1_to_2_minutes", "minimum_battery": 0.5}
INTERRUPTED = "READER_SOFTWARE_UPDATE_FAILED_INTERRUPTED"
CHARGE_IT = (
    "Charge the reader above 50 %, then try again. Nothing was sent: the reader works as before. "
    "The next connection tries again."
)
BATTERY_LOW = "READER_SOFTWARE_UPDATE_FAILED_BATTERY_LOW"


def available(at: float = 2, **facts: Any) -> Any:
    return ev("update_available", at, **OFFER | {"extra": EXTRA} | facts)


def started(at: float = 3, *, required: bool = False, **facts: Any) -> Any:
    return ev("update_started", at, attempt_id="a2", **OFFER | {"extra": EXTRA | {"required": required}} | facts)


def step(at: float, stage: str = "uploading", progress: float = 0.25, **extra: Any) -> Any:
    told = {"component": "firmware", "part": 2, "parts": 2, "bytes_per_s": 7_140.0, "left_s": 42.4} | extra
    return ev(
        "update_progress", at, stage=stage, progress=progress, sent_bytes=120_000, total_bytes=500_000, extra=told
    )


def finished(at: float = 9, **facts: Any) -> Any:
    return ev("update_finished", at, attempt_id="a2", firmware_from=FROM, firmware_to=TO, components=6, **facts)


def connecting() -> View:
    return played(ev("status_changed", 0, status="connecting"), ev("battery", 1, battery=0.87))


def drawn(*events: Any, view: View | None = None) -> dict[str, Any]:
    return panels.UpdatePanel(FakeSession(), painter=Easel()).draw(played(*events, view=view or connected()))


def facts(picture: dict[str, Any]) -> dict[str, str]:
    return dict(picture["facts"])


def test_u7_what_waits_and_why_and_what_it_needs() -> None:
    picture = drawn(available())
    assert picture["headline"] == "An update waits"
    assert facts(picture) == {
        "From": FROM,
        "To": TO,
        "Replaces": "firmware and regional configuration",
        "Why": "security and reliability and what card networks and issuers ask at this location",
        "Takes": "1–2 minutes, 500 kB",
        "Battery": "87 %; an update begins above 50 %",
    }
    assert (picture["due_us"], picture["running"], picture["result"]) == (DUE_US, False, None)
    assert (picture["cannot_install"], picture["cannot_defer"]) == ("", "")
    assert picture["cannot_cancel"] == "No update is being installed."


def test_without_an_update_it_says_what_they_are_for() -> None:
    alone, idle = drawn(view=View()), drawn()
    assert (alone["headline"], idle["headline"]) == ("No reader is connected", "No update waits for this reader")
    for picture in (alone, idle):
        assert picture["about"].startswith("Updates bring")
        assert picture["facts"] == []
        assert picture["cannot_install"] == picture["cannot_defer"] == picture["headline"] + "."


@pytest.mark.parametrize(
    ("battery", "charging", "why"),
    [
        (0.41, False, "The battery is at 41 %, and an update begins above 50 %. Charge the reader."),
        (0.5, True, "The battery is at 50 %, and an update begins above 50 %. Charge the reader."),
        (0.51, False, ""),
    ],
)
def test_u2_the_battery_is_looked_at_before(battery, charging, why) -> None:
    picture = drawn(ev("battery", 2, battery=battery, charging=charging), available())
    assert picture["cannot_install"] == why


def test_u2_a_release_may_need_more() -> None:
    picture = drawn(available(extra=EXTRA | {"minimum_battery": 0.9}))
    assert picture["cannot_install"].startswith("The battery is at 87 %, and an update begins above 90 %.")
    assert facts(picture)["Battery"] == "87 %; an update begins above 90 %"


def test_u9_while_it_runs_it_tells_how_far_it_is_and_asks_for_care() -> None:
    picture = drawn(available(), started(), step(4))
    assert picture["headline"] == "Installing an update"
    assert (picture["progress"], picture["left_s"]) == (0.25, 42.4)
    assert picture["doing"] == "Sending firmware (2 of 2) · 120 kB of 500 kB · 7.1 kB/s"
    assert picture["keep"] == "Keep the reader close and powered, and this page open, until it has finished."
    assert picture["cannot_install"] == picture["cannot_defer"] == "It is being installed."
    assert (picture["cannot_cancel"], picture["due_us"]) == ("", None)
    later = drawn(started(), step(4), step(5, "restarting", 0.95, bytes_per_s=None, left_s=None))
    assert (later["doing"], later["left_s"]) == ("Restarting into the new software", None)
    begun = drawn(started())
    assert (begun["doing"], begun["progress"]) == ("Starting", 0.0)


@pytest.mark.parametrize(("status", "word"), [("connecting", "Connecting"), ("reconnecting", "Reconnecting")])
def test_u3_a_required_one_says_why_connecting_takes_longer(status, word) -> None:
    view = played(ev("status_changed", 2, status=status), view=connecting())
    picture = drawn(started(required=True), step(4), view=view)
    assert picture["headline"] == "Installing a required update"
    assert f"{word} takes longer because this update is required" in picture["keep"]
    assert "the connection fails with it" in picture["cancel_help"]
    assert "it stays due" in drawn(started())["cancel_help"]


@pytest.mark.parametrize(
    ("components", "stage", "why"),
    [
        (1, "uploading", "An update made of the incremental part alone cannot be canceled."),
        (3, "uploading", ""),
        (2, "checking", ""),
        (2, "activating", "It cannot be undone any more"),
        (2, "restarting", "It cannot be undone any more"),
        (2, "confirming", "It cannot be undone any more"),
    ],
)
def test_u6_cancel_is_off_with_the_reason_where_it_cannot_be(components, stage, why) -> None:
    picture = drawn(started(components=components), step(4, stage))
    assert picture["cannot_cancel"].startswith(why)
    assert bool(picture["cannot_cancel"]) == bool(why)


def test_what_was_installed() -> None:
    picture = drawn(available(), started(), step(4), finished())
    assert picture["headline"] == "Installed"
    assert picture["result"] == ["Installed.", f"The reader runs {TO} now.", ""]
    assert (picture["failed"], picture["running"], picture["due_us"]) == (False, False, None)
    assert picture["cannot_install"] == "No update waits for this reader."


# Stage, error, whether it was required, whether the reader is connected now ↔ what it says of the reader and of next.
ENDS = [
    ("uploading", INTERRUPTED, False, True, "keeps its present software", "Install now goes on where it stopped."),
    ("uploading", INTERRUPTED, True, False, "keeps its present software", "The next connection goes on where it stopped."),
    ("restarting", INTERRUPTED, True, False, "old software or the new one", "The next connection goes on where it"),
    ("uploading", "CANCELED", False, True, "keeps its present software", "Install now goes on where it stopped."),
    ("checking", "READER_SOFTWARE_UPDATE_FAILED_SERVER_ERROR", False, True, "Check the host's network", "Install now tries again."),
    ("uploading", "READER_SOFTWARE_UPDATE_FAILED", True, True, "Keep the reader near", "can be used for now; the next connection tries again."),
    ("uploading", "OF_A_NEWER_VERSION", False, False, "keeps its present software", "Once it is connected again"),
]  # fmt: skip


@pytest.mark.parametrize(("stage", "code", "required", "is_connected", "software", "after"), ENDS)
def test_u10_what_failed_what_to_do_and_that_the_reader_works(stage, code, required, is_connected, software, after):
    status = "connected" if is_connected else "not_connected"
    picture = drawn(
        started(required=required),
        step(4, stage),
        finished(error_code=code, text="the link \u202ewas lost", stage=stage),
        ev("status_changed", 10, status=status),
    )
    what, rest, shown = picture["result"]
    assert (what, shown) == ("The link ⟨U+202E⟩was lost.", code)
    assert software in rest
    assert after in rest
    assert (picture["failed"], picture["headline"]) == (True, "Not installed")


def test_u5_an_update_refused_for_its_battery_is_an_outcome_too() -> None:
    refused = {"error_code": BATTERY_LOW, "text": "the battery is at 41 %; an update needs more than 50 %"}
    failed = drawn(
        ev("status_changed", 3, status="not_connected"), ev("connect_failed", 3, **refused), view=connecting()
    )
    assert failed["headline"] == "Not installed"
    assert failed["result"] == [
        "The battery is at 41 %; an update needs more than 50 %.",
        CHARGE_IT,
        BATTERY_LOW,
    ]
    assert failed["cannot_install"] == "No reader is connected."
    grace = drawn(
        ev("notice", 3, stage="update_failed", **refused),
        ev("status_changed", 4, status="connected"),
        available(5),
        view=connecting(),
    )
    assert "The reader can be used for now; the next connection tries again." in grace["result"][1]
    assert facts(grace)["To"] == TO


def test_u13_a_feed_that_cannot_be_asked_is_not_taken_for_one_that_has_nothing() -> None:
    gone = {"error_code": "READER_SOFTWARE_UPDATE_FAILED_SERVER_ERROR", "text": "the feed\u202e does not answer"}
    picture = drawn(ev("error", 2, **gone))
    assert picture["headline"] == "Updates cannot be looked up"
    assert picture["about"] == "The feed⟨U+202E⟩ does not answer."
    assert picture["cannot_install"] == picture["cannot_defer"] == "Updates cannot be looked up."
    assert drawn(ev("error", 2, **gone), available(3))["headline"] == "An update waits"
    # What was offered before is still there to be installed.
    assert drawn(available(), ev("error", 3, **gone))["cannot_install"] == ""


@pytest.mark.parametrize(("error_code", "end"), [(None, "Confirmed"), (INTERRUPTED, "Not confirmed")])
def test_u10_new_software_that_is_only_confirmed_is_called_so(error_code, end) -> None:
    view = played(
        started(required=True, components=0, total_bytes=0, extra={"minimum_battery": -1.0}), view=connecting()
    )
    picture = drawn(view=view)
    assert picture["headline"] == "Confirming new software"
    assert set(facts(picture)) == {"From", "To"}
    assert picture["cannot_cancel"] == "The reader runs the new software already; this only lets it stay."
    over = ev("update_finished", 9, firmware_to=TO, components=0, stage="confirming", error_code=error_code)
    after = drawn(over, view=view)
    assert after["headline"] == end
    if error_code is None:
        assert after["result"] == ["Confirmed.", f"The reader runs {TO} now.", ""]


def test_u2_the_battery_of_a_refused_connection_is_the_one_that_was_read() -> None:
    heard = View().with_readers([Reader(serial=M2, battery=0.87), Reader(serial=WISEPAD, battery=0.8)])
    refusal = {"error_code": BATTERY_LOW, "text": "the battery is at 30 %"}
    over = (
        ev("status_changed", 1, status="connecting"),
        ev("battery", 2, battery=0.3),
        ev("status_changed", 3, status="not_connected"),
        ev("connect_failed", 3, **refusal),
    )
    assert facts(drawn(*over, view=heard))["Battery"] == "30 %; an update begins above 50 %"
    assert facts(drawn(*over, view=View()))["Battery"] == "not known; an update begins above 50 %"


def test_the_outcome_stays_until_the_next_connection() -> None:
    over = played(started(required=True), finished(error_code="CANCELED"), view=connecting())
    for status in ("not_connected", "discovering", "not_connected"):
        over = over.apply(ev("status_changed", 10, status=status))
        picture = drawn(view=over)
        assert (picture["headline"], facts(picture)["Reader"]) == ("Not installed", M2)
    over = over.apply(ev("connect_failed", 10, error_code="UNSUPPORTED_READER_VERSION", text="it needs the update"))
    assert drawn(view=over)["result"][2] == "CANCELED"
    assert drawn(ev("status_changed", 11, status="connecting"), view=over)["result"] is None


def test_what_waited_for_a_reader_goes_with_it() -> None:
    assert drawn(available(), ev("status_changed", 5, status="not_connected"))["headline"] == "No reader is connected"


def test_later_puts_it_away_until_a_newer_one_comes_whatever_is_drawn_anew() -> None:
    hung = Hung(panels.UpdatePanel)
    hung.session.view = played(available(), view=connected())
    assert hung.panel.draw(hung.session.view)["put_away"] is False
    hung.do("later")
    assert hung.easel.asked
    assert hung.session.calls == []
    again = panels.UpdatePanel(hung.session, painter=Easel())
    for panel in (hung.panel, again):
        assert panel.draw(hung.session.view)["put_away"] is True
        newer = hung.session.view.apply(available(6, firmware_to="2.03"))
        assert panel.draw(newer)["put_away"] is False
        assert panel.draw(newer.apply(available(7)))["put_away"] is True
    other = panels.UpdatePanel(FakeSession(), painter=Easel())
    assert other.draw(hung.session.view)["put_away"] is False


def test_what_was_put_away_is_back_once_somebody_installs_it() -> None:
    hung = Hung(panels.UpdatePanel)
    hung.session.view = played(available(), view=connected())
    hung.do("later")
    hung.do("install")
    running = hung.session.view.apply(started())
    failed = running.apply(finished(error_code=INTERRUPTED))
    assert [hung.panel.draw(view)["put_away"] for view in (running, failed)] == [False, False]
    hung.session.view = failed
    hung.do("later")
    picture = hung.panel.draw(failed)
    assert (picture["put_away"], picture["headline"]) == (True, "Not installed")


def test_later_without_an_update_changes_nothing() -> None:
    hung = Hung(panels.UpdatePanel)
    hung.do("later")
    assert hung.panel._trouble is None
    assert hung.panel.draw(played(available(), view=connected()))["put_away"] is False


def test_its_commands_hand_over_to_the_session() -> None:
    hung = Hung(panels.UpdatePanel)
    hung.do("install")
    hung.do("cancel")
    assert [call[0] for call in hung.session.calls] == ["install_available_update", "cancel_installing_update"]


def test_an_end_is_told_once_and_a_refusal_is_told_beside_it() -> None:
    hung = Hung(panels.UpdatePanel)
    over = played(available(), started(), finished(error_code=INTERRUPTED, text="it was cut off"), view=connected())
    hung.do("install")
    hung.session.futures[-1].set_exception(UpdateInterruptedError("it was cut off"))
    told = hung.paint(over)["set"]
    assert (told["trouble"], told["result"][0]) == (None, "It was cut off.")
    hung.do("install")
    hung.session.futures[-1].set_exception(BusyError("something else runs"))
    assert hung.paint(over)["set"]["trouble"]["code"] == "READER_BUSY"
