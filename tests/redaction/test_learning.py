"""Names that stand in pairs of texts alone are replaced wherever they stand."""

import json

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terminal_kit.eventlog import EventLog
from terminal_kit.events import Event
from terminal_kit.redaction import Redactor, redact, redact_log
from terminal_kit.redaction.learning import names_in_text

KEY = b"a key for tests"
NAME = "Berta Theke"
PAIRS = (
    "connecting label={}",
    "label={} connected to the reader",
    "class=Terminal message=connectReader label={} serial_number=STRM26138003393",
    'class=Terminal message="connectReader" label="{}"',
    'message=reportReaderConnecting. reader="Reader{{label={}, batteryLevel=0.5}}"',
    'reader="Reader(id=tmr_Abc123def456, label={})" connectionConfiguration="x"',
    '{{"label": "{}", "status": "online"}}',
    '{{"label":"{}","status":"online"',
    "[Stripe terminal]: didUpdateDiscoveredReaders [ {{ label: '{}', batteryLevel: 0.5 }} ]",
    'Array [ Object {{ "label": "{}", "status": "online", }}, ]',
    'request: "{{\\"label\\":\\"{}\\",\\"id\\":1}}"',
    'url=https://api.example.test request={{"label":"{}"}} status=OK',
    "name：{}",
    "readerLabel: '{}'",
    "my_reader_label={}, x=1",
    "ssid={} rssi=-60",
    'deviceName="{}"',
    'label: Optional("{}"), status: 1',
    '"label" => "{}"',
)
"""Ways in which SDKs and apps write who a reader is."""


def row(text: str) -> pd.DataFrame:
    return pd.DataFrame({"kind": ["error", "note"], "text": [f"READER_BUSY: {NAME} is busy", text]})


@pytest.mark.parametrize("pair", PAIRS)
def test_a_name_that_only_a_pair_tells_is_replaced_in_lines_before(pair) -> None:
    found = redact(row(pair.format(NAME)), key=KEY)["text"].tolist()
    pseudonym = Redactor(KEY).name(NAME)
    assert found[0] == f"READER_BUSY: {pseudonym} is busy"
    assert not any(part in text for text in found for part in ("Berta", "Theke"))


@pytest.mark.parametrize("pair", PAIRS)
def test_so_it_is_in_a_log(pair, tmp_path) -> None:
    with EventLog(tmp_path / "a.db") as log:
        run = log.start_run(radio="native", app="kit")
        run.append(Event(kind="error", t_us=1, reader="", text=f"{NAME} is busy", extra={"said": f"by {NAME}"}))
        run.append(Event(kind="note", t_us=2, reader="", text=pair.format(NAME)))
        log.flush()
        redact_log(log, tmp_path / "b.db", key=KEY)
    stored = (tmp_path / "b.db").read_bytes()
    assert b"Berta" not in stored
    assert Redactor(KEY).name(NAME).encode() in stored


def test_a_comma_within_a_name_ends_no_name_of_a_record() -> None:
    redactor = Redactor(KEY)
    line = "Reader(label=Theke, links, batteryLevel=0.5)"
    redactor.learn_texts([line])
    assert redactor.text(line) == f"Reader(label={redactor.name('Theke, links')}, batteryLevel=0.5)"
    assert redactor.text("at Theke, links") == f"at {redactor.name('Theke, links')}"


def test_what_facts_quote_tells_names_too() -> None:
    redactor = Redactor(KEY)
    rows = {"text": ["at Theke 5"], "extra": [json.dumps({"said": {"line": "connect label='Theke 5'"}})]}
    assert "Theke" not in str(redactor.columns(rows))


def test_a_name_is_the_same_with_the_underscores_of_ios() -> None:
    redactor = Redactor(KEY)
    redactor.learn_texts(["l scope=SCPTerminal event=connect label=Berta_Theke time=1649065225849"])
    assert redactor.text("at Berta Theke") == f"at {redactor.name(NAME)}" == f"at {redactor.name('Berta_Theke')}"


def test_a_name_that_a_text_tells_counts_by_itself_and_not_within_words() -> None:
    redactor = Redactor(KEY)
    redactor.learn_texts(["label=Ann", "label=前台"])
    assert redactor.text("Annotation of ANN_1, ann's") == "Annotation of {0}_1, {0}'s".format(redactor.name("Ann"))
    assert redactor.text("连接到前台成功") == f"连接到{redactor.name('前台')}成功"  # there are no words to see
    redactor.learn(["Ann"])  # a row has it: it may stand in any shape
    assert "ann" not in redactor.text("xANNx").lower()


@pytest.mark.parametrize(
    "text",
    ["name=connectReader", "name: 'READER_BUSY'", "host=localhost", "label=Reader", 'deviceName="Stripe M2"',
     "name=location_manager", "location=unknown", "package=com.stripe.stripeterminal", "user=0", "label=",
     "name: Connecting to the nearest reader of all that there are"],
)  # fmt: skip
def test_what_programs_call_their_parts_is_no_name_elsewhere(text) -> None:
    assert [told.name for told in names_in_text(text)] == []


@pytest.mark.parametrize(
    ("end", "left"), [("at the door of Berta The", "at the door of [dropped]"), ("from AA:BB:CC:1", "from [dropped]")]
)
def test_a_name_that_the_end_of_a_text_cuts_is_no_less_a_name(end, left) -> None:
    redactor = Redactor(KEY)
    redactor.learn_texts([f"label={NAME}"])
    filling = "word " * 100
    assert redactor.text(filling + end) == filling + left
    assert redactor.text(end[:-3]) == end[:-3]  # a short text is whole


words = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyzäéß"), min_size=4, max_size=8).map(
    lambda word: "Q" + word.lower()
)


@settings(max_examples=80, deadline=None)
@given(name=st.lists(words, min_size=1, max_size=3).map(" ".join), pair=st.sampled_from(PAIRS), quote=st.booleans())
def test_whatever_the_name_is(name, pair, quote) -> None:
    name = name.replace(" ", "'s ", 1) if quote else name
    redactor = Redactor(KEY)
    text = pair.format(name)
    redactor.learn_texts([text])
    assert redactor.text(f"at {name} now") == f"at {redactor.name(name)} now"
    assert name not in redactor.text(text)
