"""`feed` from the command line: the whole story of a release, and what is refused on the way."""

import subprocess
import sys
from pathlib import Path

import pytest
from feeds import NEW, a_manifest, a_release, served
from window import run

from terminal_kit.updates.choosing import is_in_share

NEXT = NEW.replace("2.02", "2.03")


@pytest.fixture
def app(home: Path) -> str:
    path = home / "app.bin"
    path.write_bytes(bytes(5000))
    return str(path)


@pytest.fixture
def folder(home: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """A feed that has just been made."""
    path = str(home / "feed")
    assert run("feed", "init", path) == 0
    capsys.readouterr()
    return path


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run("feed", *arguments) == 0
    return capsys.readouterr().out


def complained(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 1) -> str:
    assert run("feed", *arguments) == code
    (line,) = capsys.readouterr().err.splitlines()
    return line


def keys_of(home: Path, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """Makes a feed, and gives the paths that it prints: public and private."""
    _, public, private = said(capsys, "init", str(home / "feed")).splitlines()
    return public.removeprefix("public key:").split()[0], private.removeprefix("private key:").split()[0]


def test_the_story_of_a_release(home: Path, app: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(home / "feed")
    public, _ = keys_of(home, capsys)
    assert "is good: serial 1" in said(capsys, "check", folder)
    added = said(capsys, "add", folder, app, "--raw", "--id", "r1", "--version", NEW, "--share", "10%")
    assert "firmware" in added
    assert "serial 2, signed by" in added
    assert "0.1 → 0.5 of the readers: this only adds readers" in said(capsys, "stage", folder, "r1", "0.5")
    assert "0.5 → 0.2 of the readers: fewer" in said(capsys, "stage", folder, "r1", "20%")
    assert "0.2 → 0.2 of the readers: the same" in said(capsys, "stage", folder, "r1", "0.2")
    assert "no reader is offered it" in said(capsys, "pause", folder, "r1")
    assert said(capsys, "check", folder).splitlines()[0].endswith("paused")
    assert "offered to 0.2" in said(capsys, "resume", folder, "r1")
    assert "is withdrawn" in said(capsys, "withdraw", folder, "r1")
    assert "INVALID_REQUIRED_PARAMETER: r1 was withdrawn, for ever." in complained(capsys, "resume", folder, "r1")
    assert "never used again" in complained(capsys, "add", folder, app, "--raw", "--id", "r1", "--version", NEXT)
    with served(Path(folder)) as server:
        checked = said(capsys, "check", server.url, "--key", public)
    assert "withdrawn" in checked
    assert f"{server.url} is good: serial 7" in checked


def test_an_image_of_imgtool(home: Path, app: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, private = keys_of(home, capsys)
    image = str(home / "signed.bin")
    layout = ("-H", "32", "--pad-header", "-S", "0x10000", "--align", "4")
    command = ("sign", "-k", private, "-v", "1.4.0", *layout, app, image)
    subprocess.run([sys.executable, "-m", "imgtool.main", *command], check=True, capture_output=True)
    folder = str(home / "feed")
    said(capsys, "add", folder, image, "--id", "board-1.4", "--version", "1.4.0", "--from", "1.3.0")
    assert "board-1.4" in said(capsys, "check", folder)
    line = complained(capsys, "add", folder, app, "--id", "r2", "--version", "1.5.0")
    assert line.startswith("READER_SOFTWARE_UPDATE_FAILED: ")
    assert "--raw" in line


def test_all_that_a_release_may_say(folder: str, app: str, capsys: pytest.CaptureFixture[str]) -> None:
    where = ("--location", "tml_bar", "--location", "tml_desk", "--device-type", "stripe_m2")
    when = ("--released-at", "tml_bar=2026-03-01T06:00Z", "--released-at", "2026-03-02T06:00Z")
    due = ("--required-at", "tml_bar=2026-04-01T06:00+02:00", "--minimum-battery", "0.6")
    rest = ("--estimated-time", "2_to_5_minutes", "--from", "2.01.01.00-SZZZ_Prod_US_v12-481001")
    release = (f"config={app}", f"keys={app}", "--raw", "--id", "r1", "--version", NEW)
    assert "configuration and keys  stripe_m2 at tml_bar, tml_desk" in said(
        capsys, "add", folder, *release, *where, *when, *due, *rest
    )
    text = (Path(folder) / "feed.json").read_text()
    for fact in ("2026-03-01T06:00:00Z", "2026-03-02T06:00:00Z", "2026-04-01T04:00:00Z", "0.6", "2_to_5_minutes"):
        assert fact in text


def test_a_tampered_feed_is_refused_with_the_place(folder: str, app: str, capsys: pytest.CaptureFixture[str]) -> None:
    """U13."""
    said(capsys, "add", folder, app, "--raw", "--id", "r1", "--version", NEW)
    (image,) = (Path(folder) / "images").iterdir()
    data = image.read_bytes()
    image.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    line = complained(capsys, "check", folder)
    assert line.startswith("READER_SOFTWARE_UPDATE_FAILED_SERVER_ERROR: releases[0].components[0].sha256: ")
    manifest = Path(folder) / "feed.json"
    manifest.write_text(manifest.read_text().replace('"serial": 2', '"serial": 3'))
    assert "feed.json.sig: the manifest is not what was signed" in complained(capsys, "check", folder)
    assert "feed sign" in complained(capsys, "pause", folder, "r1")


def test_a_strangers_feed_needs_its_key(
    folder: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "somebody_else"))
    assert "--key" in complained(capsys, "check", folder)
    assert "cannot be read" in complained(capsys, "check", folder, "--key", str(home / "none.pem"))


@pytest.mark.skipif(sys.platform != "linux", reason="the data folder is moved by a variable of Linux")
def test_without_the_key_it_says_to_sign(
    folder: str, home: Path, app: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "add", folder, app, "--raw", "--id", "r1", "--version", NEW)
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("XDG_DATA_HOME", str(home / "somebody_else"))
        assert "not signed: run terminal-kit feed sign" in said(capsys, "pause", folder, "r1")
        assert "is not here" in complained(capsys, "sign", folder)
    assert "not what was signed" in complained(capsys, "check", folder)
    assert "serial 4, signed by" in said(capsys, "sign", folder, "--expires-in", "90d")
    assert "expires 2" in said(capsys, "check", folder)


def test_hostile_text_in_a_manifest_is_shown_and_not_obeyed(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = Path(folder) / "feed.json"
    manifest.write_text(manifest.read_text().replace('"serial"', '"\\u001b[2J\\u202e": 1,\n "serial"'))
    line = complained(capsys, "pause", folder, "r1")
    assert "\\x1b[2J\\u202e: there is no such field" in line
    assert not {"\x1b", "\u202e"} & set(line)
    assert not {"\x1b", "\u202e"} & set(complained(capsys, "check", "/\x1b[31m\u202e"))


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("frob",),
        ("init",),
        ("stage", "feed", "r1"),
        ("stage", "feed", "r1", "2"),
        ("stage", "feed", "r1", "110%"),
        ("stage", "feed", "r1", "nan"),
        ("sign", "feed", "--expires-in", "soon"),
        ("sign", "feed", "--expires-in", "99999999d"),
        ("add", "feed", "app.bin", "--id", "a b", "--version", NEW),
        ("add", "feed", "app.bin", "--id", "r1", "--version", "2.02 beta"),
        ("add", "feed", "app.bin", "--id", "r1", "--version", NEW, "--from", ""),
        ("add", "feed", "app.bin", "--id", "r1", "--version", NEW, "--released-at", "0001-01-01T00:00+14:00"),
        ("add", "feed", "app.bin", "--id", "r1"),
        ("add", "feed", "--id", "r1", "--version", NEW),
        ("add", "feed", "app.bin", "--id", "r1", "--version", NEW, "--device-type", "stripe_m3"),
        ("add", "feed", "app.bin", "--id", "r1", "--version", NEW, "--location", "bar"),
        ("add", "feed", "app.bin", "--id", "r1", "--version", NEW, "--required-at", "2026-03-01"),
        ("add", "feed", "app.bin", "--id", "r1", "--version", NEW, "--required-at", "bar=2026-03-01T06:00Z"),
        ("add", "feed", "app.bin", "--id", "r1", "--version", NEW, "--estimated-time", "\x1b[31m"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_one_clear_line(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    line = complained(capsys, *arguments, code=2)
    assert line.startswith("terminal-kit feed")
    assert "\x1b" not in line


@pytest.mark.parametrize("action", ["init", "add", "sign", "check", "stage", "pause", "resume", "withdraw"])
def test_every_action_has_help_with_an_example(action: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"example: terminal-kit feed {action}" in said(capsys, action, "--help")


@pytest.mark.parametrize("missing", [("pause", "r1"), ("sign",), ("check",)])
def test_a_folder_that_is_no_feed(missing: tuple[str, ...], home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    action, *rest = missing
    line = complained(capsys, action, str(home), *rest)
    assert "there is no feed" in line
    assert "UNEXPECTED" not in line


def test_check_tells_who_is_in_a_releases_share(folder: str, app: str, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "add", folder, app, "--raw", "--id", "r1", "--version", NEW, "--share", "50%")
    manifest = a_manifest(a_release("r1", share=0.5))
    told = set[bool]()
    for number in range(20):
        serial = f"STRM2{number:010}"
        line = said(capsys, "check", folder, "--serial", serial).splitlines()[0]
        told.add(inside := is_in_share("r1", serial, manifest.releases[0].share))
        assert line.endswith(f"share 0.5  {serial} is {'in' if inside else 'not in'} its share")
    assert told == {True, False}


def test_a_key_that_one_has(home: Path, app: str, capsys: pytest.CaptureFixture[str]) -> None:
    own, folder = str(home / "own.pem"), str(home / "feed")
    subprocess.run(
        [sys.executable, "-m", "imgtool.main", "keygen", "-k", own, "-t", "ed25519"], check=True, capture_output=True
    )
    assert f"private key: {own}" in said(capsys, "init", folder, "--key", own)
    assert "signed by" in said(capsys, "add", folder, app, "--raw", "--id", "r1", "--version", NEW, "--key", own)
    assert "serial 2" in said(capsys, "check", folder)
    (Path(folder) / "feed.json.sig").unlink()
    assert "serial 3, signed by" in said(capsys, "sign", folder, "--key", own)
