"""Nothing of a secret is left of a log that was imported with its names replaced, and the story is still told."""

import random
import re
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pandas as pd
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from sdk_log_writers import ENVELOPES, Said, story

from terminal_kit.cli import main
from terminal_kit.eventlog import EventLog
from terminal_kit.importers import import_files
from terminal_kit.importers.content import Content
from terminal_kit.redaction import Redactor

KEY = "a key for tests"


class Secrets(NamedTuple):
    """What must not be read in a log that is given away."""

    label: str
    serial: str
    octets: bytes
    email: str
    jwt: str
    token: str
    account: str
    app: str
    person: str
    hexes: str

    def pieces(self) -> set[str]:
        """What of them gives them away: whole words of names, six characters of anything else, without case."""
        octets = (self.octets.hex(), self.octets.hex(":"), self.octets.hex("-"), self.dotted)
        whole = {*self.label.split(), *self.person.split(), *self.email.split("@"), self.app.split(".", 1)[1]}
        texts = (self.serial[5:], *octets, *self.jwt.split("."), self.token[4:], self.account[5:], self.hexes)
        return {each.casefold() for each in whole} | {
            text[begin : begin + 6].casefold() for text in texts for begin in range(len(text) - 5)
        }

    @property
    def dotted(self) -> str:
        """The address as switches and access points write it."""
        return ".".join((self.octets[:2].hex(), self.octets[2:4].hex(), self.octets[4:].hex()))


LOWER, DIGITS, UPPER = "bcdfghjkmnpqrtvwxz", "0123456789", "BCDFGHJKMNPQRTVWXZ"


def _secrets(seed: int) -> Secrets:
    """Secrets of a seed: what is drawn one by one is shrunk to zeros, which stand in every file."""
    dice = random.Random(seed)

    def some(letters: str, count: int) -> str:
        return "".join(dice.choices(letters, k=count))

    def word() -> str:
        return some(UPPER, 1) + some(LOWER, 6)

    def code() -> str:
        return some(UPPER, 3) + some(DIGITS, 4) + some(LOWER, 6) + some(DIGITS, 3)

    return Secrets(
        label=f"{word()} {word()}",
        serial=dice.choice(("STRM2", "WPC32")) + some(DIGITS, 9),
        octets=dice.randbytes(6),
        email=f"{some(LOWER, 7)}@{some(LOWER, 7)}.example",
        jwt=f"eyJ{code()}.{code()}.{code()}",
        token=f"pst_{code()}",
        account=f"acct_{code()}",
        app=f"{dice.choice(('com', 'at', 'ch', 'shop'))}.{some(LOWER, 9)}",
        person=f"{word()} {word()}",
        hexes=dice.randbytes(dice.randint(5, 9)).hex().upper(),
    )


def _android(of: Secrets) -> list[str]:
    address = of.octets.hex(":").upper()
    return [
        f'class=Terminal message="{of.label} is gone, {of.dotted} was it, {of.serial[5:]} it is"',
        f"class=Terminal message=connectReader serial_number={of.serial} label={of.label}",
        f'class=RestClient message="Bearer {of.token} of {of.account}" email={of.email}',
        f'class=RestClient message="{of.jwt} sent" address={of.octets.hex()} mac={of.octets.hex("-")}',
        f'class=TraceManager message="/Users/{of.person}/log.txt and C:\\Users\\{of.person}\\a" device={address}',
        f'class=BbposApplicatorImpl message="Config(remoteUpdate=Local(version=4.01.00.32, hex={of.hexes}...))"',
    ]


def _ios(of: Secrets) -> list[str]:
    label = of.label.replace(" ", "_")
    head = "l scope=SCPTerminal event"
    return [
        f"{head}=told app_id=com.example.till detail={label}_is_gone sdk_version=2.12.0",
        f"{head}=connectReader app_id=com.example.till label={label} serial_number={of.serial} sdk_version=2.12.0",
        f"{head}=told app_id=com.example.till token={of.token} account={of.account} error={of.jwt} sdk_version=2.12.0",
        f"{head}=told app_id=com.example.till email={of.email} uuid={of.octets.hex(':')} hex={of.hexes} sdk_version=2.12.0",
    ]


def _react(of: Secrets) -> list[str]:
    code = "[Stripe terminal]: "
    return [
        f"{code}didFail {of.label} of {of.email}",
        f"{code}didTell {{ label: '{of.label}', serialNumber: '{of.serial}', mac: '{of.dotted}' }}",
        f'{code}didTell {{"secret":"{of.token}","account":"{of.account}","hex":"{of.hexes}","name":"{of.label}"}}',
        f"{code}didTell /Users/{of.person}/a.js Bearer {of.jwt} {of.octets.hex('-')}",
    ]


def _log(name: str, of: Secrets, seed: int) -> tuple[str, str]:
    """A story in an envelope, without and with lines of secrets in it."""
    envelope = ENVELOPES[name]
    said = {"android": _android, "ios": _ios}.get(envelope.dialect.__name__, _react)(of)
    steps = list(envelope.dialect(story(seed)))
    for number, body in enumerate(said):  # what the label is, is told after it is first said
        steps.insert(2 + 3 * number, Said(body, after_s=0))
    told = replace(envelope, dialect=lambda _: iter(steps)).write(story(seed))
    return envelope.write(story(seed)), told.replace("com.example.till", of.app)


def _imported(content: str, path: Path, redactor: Redactor | None) -> tuple[pd.DataFrame, str | None]:
    with EventLog(path) as log:
        (report,) = import_files([Content("a.log", content.encode())], log, redactor=redactor)
        assert report.error is None
        return log.frame(), log.runs()[0].app


NAMES = ("reader", "text", "extra", "file", "run", "location")


@settings(max_examples=25, deadline=None, phases=[Phase.generate])
@given(name=st.sampled_from(sorted(ENVELOPES)), seed=st.integers(0, 10**9))
def test_no_secret_is_left_and_the_story_is_the_same(name, seed) -> None:
    of = _secrets(seed)
    pieces = of.pieces()
    story_alone, content = _log(name, of, seed)
    assume(not any(piece in story_alone.casefold() for piece in pieces))  # six digits of a clock
    with TemporaryDirectory() as folder:
        plain, _ = _imported(content, Path(folder, "plain.db"), None)
        found, _ = _imported(content, Path(folder, "found.db"), Redactor(KEY))
        held, stored = (Path(folder, f"{name}.db").read_bytes().decode("latin-1") for name in ("plain", "found"))
    assert any(piece in held.casefold() for piece in pieces)
    assert [piece for piece in pieces if piece in stored.casefold()] == []

    same = [column for column in plain if column not in NAMES]
    pd.testing.assert_frame_equal(plain[same], found[same])
    told = plain["text"].notna()
    words = re.compile(r"\b(?:class|scope|event|operation|progress|status)=\w+|READER_ERROR\.\w+|\bdid\w+")
    for before, after in zip(plain["text"][told], found["text"][told], strict=True):
        assert words.findall(before) == words.findall(after)
        if not any(piece in before.casefold() for piece in pieces) and not re.search(r"STRM|WPC|CHB|://|label", before):
            assert after == before


APP = re.compile(r"app-[b-z2-9]{8}")


@pytest.mark.parametrize("app", ["com.example.till", "at.beispiel.kasse", "shop.my_till.Kasse"])
def test_the_apps_own_id_has_one_pseudonym_in_the_run_and_in_its_lines(app, tmp_path) -> None:
    text = ENVELOPES["I1 console"].write(story(1)).replace("com.example.till", app)
    text += text.splitlines()[-1] + f" opened_by={app}\n"
    (tmp_path / "app.log").write_text(text)
    names: list[set[str]] = []
    for log in ("a.db", "b.db"):
        path = tmp_path / log
        command = ["import", str(tmp_path / "app.log"), "--log", str(path), "--redact", "--key", KEY]
        assert main(command) == 0
        with EventLog(path) as opened:
            run, frame = opened.runs()[0], opened.frame()
        names.append(set(APP.findall(f"{run.app} {' '.join(frame['text'].dropna())}")))
        assert APP.search(str(run.app))
        assert sum(frame["text"].str.contains(APP.pattern, na=False)) > 5
        stored = b"".join(file.read_bytes() for file in tmp_path.glob(f"{log}*"))
        assert not any(part.encode() in stored for part in (app, *app.split(".")[1:]))
    assert names[0] == names[1]
    assert len(names[0]) == 1


def test_a_line_that_becomes_no_row_tells_who_a_reader_is(tmp_path) -> None:
    lines = [
        'D/StripeTerminal( 1372): class=ProxyTerminalListener message="Theke Nord is gone"',
        "I/Till( 1372): connecting to { label: 'Theke Nord' }",
    ]
    with EventLog(tmp_path / "a.db") as log:
        import_files([Content("a.log", "\n".join(lines).encode())], log, redactor=Redactor(KEY))
        texts = log.frame()["text"].dropna().tolist()
    assert [text for text in texts if "is gone" in text]
    assert not [text for text in texts if "connecting" in text]
    assert b"Theke" not in (tmp_path / "a.db").read_bytes()
