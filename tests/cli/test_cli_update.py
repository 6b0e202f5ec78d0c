"""`terminal-kit update`: from a feed, or with images that one has, and its progress."""

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from window import AT_DESK, M2, kinds, run, stage_sessions

from terminal_kit.cli.progress import Bar
from terminal_kit.cli.recording import Follower
from terminal_kit.events import Event, UpdateComponent
from terminal_kit.image import make_image
from terminal_kit.session import Session
from terminal_kit.simulator.demo_key import DEMO_KEY
from terminal_kit.updates.keys import public_pem

UP_TO_DATE = f"nothing waits for {M2}: it is up to date, or nothing is offered to it"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    stage_sessions(monkeypatch, rate=100)


def image_file(folder: Path, *, key: Ed25519PrivateKey = DEMO_KEY, version: str = "2.02.00.00") -> Path:
    path = folder / "firmware.bin"
    made = make_image(bytes(20_000), component=UpdateComponent.FIRMWARE, version=version, key=key)
    path.write_bytes(made.data)
    return path


def test_an_image_is_installed_and_its_progress_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "update.db"
    arguments = ("update", M2, *AT_DESK, "--image", str(image_file(tmp_path)), "--log", str(log))
    assert run(*arguments) == 0
    out = capsys.readouterr().out.splitlines()
    assert any(line.startswith("installing 2.02.00.00-SZZZ_Prod_US_v12-481001: firmware, 20 kB") for line in out)
    assert any("uploading" in line for line in out)
    assert any("restarting" in line for line in out)
    assert any(line.startswith("installed, after ") for line in out)
    assert f"{M2} runs 2.02.00.00-SZZZ_Prod_US_v12-481001 now" in out
    written = kinds(log)
    assert written.count("update_started") == written.count("update_finished") == 1


def test_in_a_window_other_rows_stand_below_the_bar_and_not_beside_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    follower, bar = Follower(), Bar()

    def tell(kind: str, **facts: Any) -> None:
        event = Event(kind=kind, t_us=0, reader=M2, **facts)
        for listener in (follower, bar):  # as the commands have them
            listener(event)

    tell("update_started", firmware_to="2.02", components=2, total_bytes=20_000)
    tell("update_progress", progress=0.25, stage="uploading")
    tell("signal", rssi_dbm=-50.0)
    tell("update_progress", progress=0.5, stage="uploading")
    tell("battery", battery=0.75)
    tell("update_progress", progress=0.75, stage="uploading")
    tell("update_finished", duration_s=9.0)
    tell("battery", battery=0.5)
    assert capsys.readouterr().out.split("\n") == [
        "installing 2.02: firmware, 20 kB",
        "\r 25%  uploading\x1b[K\r 50%  uploading\x1b[K",
        f"{M2}    battery               75%",
        "\r 75%  uploading\x1b[K",
        "installed, after 9 s",
        f"{M2}    battery               50%",
        "",
    ]


def test_a_confirmation_and_a_feed_that_cannot_be_used_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    Bar()(Event(kind="update_started", t_us=0, reader=M2, firmware_to="2.02", components=0))
    code = "READER_SOFTWARE_UPDATE_FAILED_SERVER_ERROR"
    Follower()(Event(kind="error", t_us=0, reader=M2, error_code=code, text="the feed\x1b does not answer"))
    first, second = capsys.readouterr().out.splitlines()
    assert first == "confirming 2.02"
    assert second.split() == [M2, "error", code, "the", "feed\\x1b", "does", "not", "answer"]


def test_the_key_is_checked_before_any_radio_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = Ed25519PrivateKey.generate()
    key = tmp_path / "key.pem"
    key.write_bytes(other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert run("update", M2, *AT_DESK, "--image", str(image_file(tmp_path)), "--key", str(key)) == 1
    shown = capsys.readouterr()
    assert shown.err.startswith("READER_SOFTWARE_UPDATE_FAILED: the image is signed by another key")
    assert "connected" not in shown.out


@pytest.mark.parametrize("content", [b"", b"no image at all", bytes(100_000)])
def test_a_file_that_is_no_image_is_refused_at_the_door(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "firmware.bin"
    path.write_bytes(content)
    assert run("update", M2, *AT_DESK, "--image", str(path)) == 1
    assert capsys.readouterr().err.startswith("READER_SOFTWARE_UPDATE_FAILED: this is no MCUboot image")


def test_what_cannot_be_read_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = str(image_file(tmp_path))
    for arguments in (
        ("--image", str(tmp_path / "missing.bin")),
        ("--image", image, "--key", image),
        ("--image", image, "--key", str(tmp_path / "missing.pem")),
    ):
        assert run("update", M2, *AT_DESK, *arguments) == 2
    assert "missing.bin" in capsys.readouterr().err


def test_an_older_image_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """U13."""
    assert run("update", M2, *AT_DESK, "--image", str(image_file(tmp_path, version="1.00.00.00"))) == 1
    assert "is older than 2.01.01.00" in capsys.readouterr().err


def test_a_reader_without_updates_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("update", M2, *AT_DESK) == 0
    assert UP_TO_DATE in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("required", [False, True])
def test_a_feed_is_followed(required: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From `feed init` to the reader that runs it; a required release is installed while connecting (U3)."""
    feed = tmp_path / "feed"
    build = tmp_path / "build.bin"
    build.write_bytes(bytes(15_000))
    assert run("feed", "init", str(feed)) == 0
    extra = ("--required-at", "2026-01-01T00:00:00Z") if required else ()
    added = ("feed", "add", str(feed), f"firmware={build}", "--raw", "--id", "2.02", "--version")
    facts = (
        "2.02.00.00-SZZZ_Prod_US_v12-481001",
        "--device-type",
        "stripe_m2",
        "--released-at",
        "2025-12-01T00:00:00Z",
    )
    assert run(*added, *facts, *extra) == 0, capsys.readouterr().err
    assert run("update", M2, *AT_DESK, "--feed", str(feed)) == 0, capsys.readouterr().err
    out = capsys.readouterr().out
    assert "installed, after" in out
    end = UP_TO_DATE if required else f"{M2} runs 2.02.00.00-SZZZ_Prod_US_v12-481001 now"
    assert end in out.splitlines()


def test_a_feed_whose_key_is_not_known_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    feed = tmp_path / "feed"
    assert run("feed", "init", str(feed)) == 0
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "somebody else"))
    code = run("update", M2, *AT_DESK, "--feed", str(feed))
    shown = capsys.readouterr()
    assert code == 1
    assert "which you do not trust" in shown.err
    other = tmp_path / "other.pem"
    other.write_text(public_pem(Ed25519PrivateKey.generate().public_key()))
    assert run("update", M2, *AT_DESK, "--feed", str(feed), "--feed-key", str(other)) == 1


def test_a_session_takes_a_feed_and_its_key(tmp_path: Path) -> None:
    with Session(feed=tmp_path, feed_key=None, rate=float("inf")) as session:
        assert session.terminal is not None
