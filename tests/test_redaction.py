"""Redaction: no name of the original is left in any cell, however it was written, and the evidence stays."""

import json
import re
import time
from pathlib import Path
from urllib.parse import quote

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terminal_kit.errors import EventLogError
from terminal_kit.eventlog import EventLog, Outcome, Source
from terminal_kit.events import Event
from terminal_kit.profile import BATTERY, READER
from terminal_kit.reader import SERIAL_PREFIXES, check_location_id, device_type_of
from terminal_kit.redaction import Redactor, redact, redact_log
from terminal_kit.redaction.pseudonyms import SPOKEN_FOR
from terminal_kit.redaction.redactor import OURS

KEY = b"a key for tests"

octets = st.binary(min_size=6, max_size=6)
serials = st.builds(
    lambda prefix, digits: prefix + digits,
    st.sampled_from(sorted(SERIAL_PREFIXES)),
    st.text("0123456789", min_size=8, max_size=10),
)
letters = st.characters(codec="utf-8", categories=["Lu", "Ll", "Lo"], exclude_characters="İıſ")
names = (
    st.lists(st.text(letters, min_size=5, max_size=9), min_size=1, max_size=2)
    .map(" ".join)
    .filter(lambda name: name.lower() not in SPOKEN_FOR and name.upper().lower() == name.lower() == name.casefold())
    .filter(lambda name: name.lower() not in OURS)  # a reader called "farewell" is told by nothing
)

ADDRESS_FORMS = (
    lambda a: a.hex(":"),
    lambda a: a.hex(":").upper(),
    lambda a: a.hex("-"),
    lambda a: a.hex("_").upper(),
    lambda a: a.hex("."),
    lambda a: a.hex(" "),
    lambda a: a.hex(),
    lambda a: a.hex().upper(),
    lambda a: "addr:" + a.hex(":").upper(),
    lambda a: "0x" + a.hex(),
    lambda a: quote(a.hex(":"), safe=""),
    lambda a: "id" + a.hex(":"),
    lambda a: "cafe" + a.hex(),
)
AROUND = (
    "",
    "connected to {}",
    "reader={}, rssi=-70",
    '{{"who": "{}"}}',
    "({})",
    "x{}x y",
    "onUpdate([{}, {}])",
    "name={} id=3",
)


def bare(text: str) -> str:
    return re.sub(r"[:\-_. ]|%3a", "", text.casefold())


@settings(max_examples=300, deadline=None)
@given(
    address=octets, serial=serials, name=names, form=st.sampled_from(ADDRESS_FORMS), around=st.sampled_from(AROUND[1:]),
    shout=st.booleans(), escaped=st.booleans(),
)  # fmt: skip
def test_nothing_that_names_somebody_is_left_in_any_cell(address, serial, name, form, around, shout, escaped) -> None:
    written = [
        form(address),
        serial.lower() if shout else serial,
        name.upper() if shout and len(name.upper()) == len(name) else name,
    ]
    texts = [around.format(who, who) for who in written]
    extra = {
        "name": name, "address": address.hex(":").upper(), form(address): texts[0], "note": texts,
        "deep": [{"label": {"of": texts[1]}}], "payload": address.hex(), "rssi": -70, "uptime_s": 4.5, "is_ours": True,
    }  # fmt: skip
    frame = pd.DataFrame(
        {
            "seq": [1, 2, 3],
            "reader": ["addr:" + address.hex(":").upper(), serial, name],
            "kind": ["reader_found", "link_disconnected", "app_message"],
            "text": texts,
            "extra": [json.dumps(extra, ensure_ascii=escaped)] * 3,
            "file": [f"/home/{name}/{serial}.log", f"{address.hex()}.pcap", None],
            "firmware": ["2.01.00.24", serial, None],
            "error_code": texts,
            "rssi_dbm": [-50.0, -60.0, None],
            "strange": texts,
        }
    )
    found = redact(frame, key=KEY)
    for column in found.columns:
        for cell in found[column].dropna():
            text = str(cell)
            assert bare(address.hex()) not in bare(text), (column, text)
            assert serial.casefold() not in text.casefold(), (column, text)
            assert serial[5:] not in text, (column, text)
            for way in (name, json.dumps(name)[1:-1], quote(name)):
                assert way.casefold() not in text.casefold(), (column, text)
    assert found["rssi_dbm"].equals(frame["rssi_dbm"])
    assert found["kind"].tolist() == frame["kind"].tolist()
    facts = json.loads(found["extra"][0])
    assert (facts["rssi"], facts["uptime_s"], facts["is_ours"]) == (-70, 4.5, True)
    assert "payload" not in facts
    assert [device_type_of(reader) for reader in found["reader"]] == [
        device_type_of(reader) for reader in frame["reader"]
    ]


@given(octets, serials, names)
def test_the_same_name_has_the_same_pseudonym_wherever_it_stands(address, serial, name) -> None:
    redactor = Redactor(KEY)
    redactor.learn([serial, name])
    reader = redactor.name("addr:" + address.hex(":").upper())
    assert reader.startswith("addr:")
    assert redactor.text(f"to {address.hex(':').upper()} now") == f"to {reader[5:]} now"
    assert redactor.text(f"to {address.hex('-')} now").replace("-", ":").upper() == f"to {reader[5:]} now".upper()
    assert redactor.text(f"<{serial}>") == f"<{redactor.name(serial)}>" == f"<{redactor.name(serial.lower())}>"
    assert redactor.text(f"[{name}]") == f"[{redactor.name(name)}]"
    assert Redactor(KEY).name(serial) == redactor.name(serial)
    assert Redactor().name(serial) != redactor.name(serial)
    # The kind of a random address stands in its two highest bits.
    assert int(reader[5:7], 16) >> 6 == address[0] >> 6


def test_pseudonyms_keep_their_shape() -> None:
    redactor = Redactor(KEY)
    assert re.fullmatch(r"STRM2-[A-Z2-9]{8}", redactor.name("STRM26138003393"))
    assert re.fullmatch(r"addr:([0-9A-F]{2}:){5}[0-9A-F]{2}", redactor.name("addr:C0:11:22:33:44:55"))
    assert check_location_id(redactor.name("tml_front_desk"))
    assert redactor.name("") == ""
    assert redactor.name("Front desk", sort="location").startswith("location-")
    assert re.fullmatch(r"file-\w{6}\.log", redactor.file(r"C:\Users\kate\bug.zip!FS/data/btsnoop_hci.log"))
    assert redactor.text(READER) == READER
    assert redactor.text(BATTERY.upper()) == BATTERY.upper()
    other = "6f1d2c3b-4a59-4e68-b777-888899990000"
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", redactor.text(other))
    assert redactor.text(other) != other


HIDDEN_IN_TEXT = {
    "kate.o@example.org": "mail from kate.o@example.org came",
    "192.168.17.44": "host 192.168.17.44 gone",
    "fe80::1c2d:3e4f:5a6b": "at fe80::1c2d:3e4f:5a6b now",
    "shop.example": "POST https://api.shop.example/v1/terminal/readers?secret=1 status=OK",
    "sk_test_4eC39Hq": "key sk_test_4eC39HqLyjWDarjtT1 used",
    "tml_FrontDesk": "at tml_FrontDesk.",
    "req_1aB2c3D4e5": "request_id req_1aB2c3D4e5",
    "acct_1Ab": "acct_1AbCdEfGh",
    "kate": "/Users/kate/Library/log.txt",
    "Kate’s": "paired with Kate’s iPhone",
    "4242424242424242": "pan 4242 4242 4242 4242 seen 4242424242424242",
    "51.50735": "at 51.50735, -0.12776",
    "3393": "serial **********3393",
    "EE:0F": "device XX:XX:XX:XX:EE:0F",
    "0102030405060708": "value 0102030405060708090a0b0c0d0e0f10",
    "02 03 04": "-> 02 03 04 05 06 07 08 09 0a",
    "eyJhbGciOi": "bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9x",
    "Kaffee": 'Reader(label="Kaffee am Markt", id=3)',
    "Lokal": "displayName: Lokal Nord, x=1",
    "readers": 'message="url=x request={"readers":["a"]}" status=OK',
    "com.example.till": "started com.example.till in 3 s",
    "com.example.shop": "app_id=com.example.shop event=state_change",
}


@pytest.mark.parametrize("secret", HIDDEN_IN_TEXT)
def test_what_names_somebody_in_a_sentence_is_found_by_its_shape(secret) -> None:
    text = HIDDEN_IN_TEXT[secret]
    assert secret in text
    assert secret not in Redactor(KEY).text(text)


KEPT = (
    "onStateChanged: CONNECT -> READER_INFO: note",
    "Disconnect reason set to BLUETOOTH_SIGNAL_LOST at 88123456",
    "reportReaderSoftwareUpdateProgress 0.42.",
    "Bluetooth (error code - 3020)(BLE status : 22, newState : 0)",
    "link_disconnected after 12.5 s, 0x08, 2.01.00.24-PROD",
    "READER_ERROR.BLUETOOTH_ERROR: text",
    "onConnectionUpdated() interval=36 latency=0 timeout=500 status=0",
    "h name=internet status=✔ detail=wifi value=93",
    "class=Installer version=szzz_prod_eu_w1_off_v14 [2 of 3]",
    "2025-07-30 16:17:37.020 22441-24048 StripeTerminal",
    "{TerminalException@7553}",
    "09:31:07 t=1764045243000123",
)


@pytest.mark.parametrize("text", KEPT)
def test_what_names_nobody_is_kept(text) -> None:
    assert Redactor(KEY).text(text) == text


def test_a_masked_address_is_still_the_same_device() -> None:
    redactor = Redactor(KEY)
    whole = redactor.text("AA:BB:CC:DD:EE:0F")
    assert redactor.text("XX:XX:XX:XX:EE:0F") == f"XX:XX:XX:XX:{whole[-5:]}"


@pytest.mark.parametrize(
    "text",
    ["a" * 50_000, "1" * 50_000, "ab " * 20_000, "name=" * 10_000, "0a" * 30_000 + "!", "aa:" * 20_000, "A_" * 30_000,
     "a.b@" * 10_000, "x " + "y" * 50_000, "**" * 20_000, "/home/" * 9_000, "1." * 30_000, "::1" * 20_000, '"name":"' * 9_000],
)  # fmt: skip
def test_a_hostile_text_takes_no_more_than_a_moment(text) -> None:
    began = time.process_time()
    Redactor(KEY).text(text)
    assert time.process_time() - began < 2


@given(st.text(max_size=200))
def test_any_text_and_any_json_goes_through(text) -> None:
    redactor = Redactor(KEY)
    assert isinstance(redactor.text(text), str)
    redactor.json_text(text)
    redactor.file(text)
    redactor.learn([text])
    assert isinstance(redactor.name(text), str)


def test_facts_that_are_nested_too_deeply_are_left_out() -> None:
    assert Redactor(KEY).json_text("[" * 100_000 + "]" * 100_000) is None


def sample_log(path: Path) -> EventLog:
    """A log with a live run, an imported capture with its advertisements, aliases and a place."""
    log = EventLog(path)
    run = log.start_run(radio="native", app="kit 1.2.3.4", time_zone="Europe/Berlin")
    run.append(Event(kind="reader_found", t_us=5_000_000, reader="STRM26138003393", extra={"name": "Kasse Eins"}))
    run.append(Event(kind="note", t_us=6_000_000, reader="", text="Kasse Eins, STRM26138003393, by the door"))
    run.append(Event(kind="link_disconnected", t_us=7_000_000, reader="STRM26138003393", hci_code=8, rssi_dbm=-91.5))
    log.flush()
    source = Source("ab" * 32, "/home/kate/bug.zip!btsnoop_hci.log", "btsnoop", "exact", 100, records=2, understood=2)
    rows = {
        "t_us": [1_000_000, 2_000_000], "kind": ["link_connected", "link_disconnected"],
        "reader": ["addr:C0:11:22:33:44:55"] * 2, "source": [0, 0], "record": [3, 9], "hci_code": [None, 19],
        "extra": [{"address": "C0:11:22:33:44:55"}, None],
    }  # fmt: skip
    stored = log.store_import(
        [source.sha256], [rows], lambda: Outcome([source], {"addr:C0:11:22:33:44:55": "STRM26138003393"})
    )
    log.set_clock_offset(stored[0].id, 250_000)
    beside = log.advertisements_path(stored[0])
    beside.parent.mkdir()
    table = pa.table({
        "t_us": pa.array([1, 2], pa.int64()), "device": pa.array(["addr:C0:11:22:33:44:55", "addr:00:11:22:33:44:66"]).dictionary_encode(),
        "rssi_dbm": pa.array([-50, -60], pa.int8()), "record": pa.array([1, 2], pa.int64()),
    })  # fmt: skip
    pq.write_table(table, beside)
    return log


SECRETS = ("26138003393", "C0:11:22", "c01122334455", "00:11:22:33", "Kasse Eins", "kate", "btsnoop_hci")


def test_a_redacted_log_is_the_same_log_under_other_names(tmp_path) -> None:
    with sample_log(tmp_path / "bench.db") as log:
        target = tmp_path / "out" / "case.db"
        target.parent.mkdir()
        steps: list[tuple[int, int]] = []
        redactor = redact_log(log, target, key=KEY, on_progress=lambda done, total: steps.append((done, total)))
        assert steps[-1] == (log.last_seq(), log.last_seq())
        with EventLog(target) as made:
            before, after = log.frame(radio="all"), made.frame(radio="all")
            same = [name for name in before if name not in ("reader", "text", "extra", "file", "location", "terminal")]
            pd.testing.assert_frame_equal(before[same], after[same])
            assert after["reader"].dropna().unique().tolist() == ["", redactor.name("STRM26138003393")]
            assert after["text"][2].endswith("by the door")
            assert [source.sha256 for source in made.sources()] == ["ab" * 32]
            assert made.sources()[0].clock_offset_us == 250_000
            assert made.runs()[0].app == "kit 1.2.3.4"
            assert made.runs()[0].host != log.runs()[0].host
            devices = pq.read_table(made.advertisements_path(made.sources()[0]))
            assert devices["device"].to_pylist()[0] in made.aliases()
            assert devices["rssi_dbm"].to_pylist() == [-50, -60]
    for file in [path for path in target.parent.rglob("*") if path.is_file()]:
        content = file.read_bytes().decode("latin-1")
        assert not [secret for secret in SECRETS if secret in content], file
    assert sorted(path.name for path in target.parent.iterdir()) == ["case.db", "case.db.advertisements"]


def test_the_same_key_extends_a_case(tmp_path) -> None:
    with sample_log(tmp_path / "bench.db") as log:
        first = redact_log(log, tmp_path / "a.db")
        second = redact_log(log, tmp_path / "b.db", key=first.key)
        assert second.name("STRM26138003393") == first.name("STRM26138003393")
        assert redact_log(log, tmp_path / "c.db").name("STRM26138003393") != first.name("STRM26138003393")


def test_a_file_that_is_there_is_never_written_over_and_a_failure_leaves_nothing(tmp_path, monkeypatch) -> None:
    with sample_log(tmp_path / "bench.db") as log:
        target = tmp_path / "case.db"
        target.write_text("mine")
        with pytest.raises(EventLogError, match="there already"):
            redact_log(log, target)
        assert target.read_text() == "mine"

        def stop(done: int, total: int) -> None:
            raise KeyboardInterrupt

        before = sorted(tmp_path.iterdir())
        with pytest.raises(KeyboardInterrupt):
            redact_log(log, tmp_path / "other.db", on_progress=stop)
        assert sorted(tmp_path.iterdir()) == before


def test_rows_are_redacted_at_the_door_with_what_was_learned_of_them() -> None:
    redactor = Redactor(KEY)
    rows = {
        "t_us": [1], "kind": ["app_message"], "reader": ["WPC323105002323"], "source": [0],
        "text": ["Kasse Zwei says 3105002323"], "extra": [{"name": "Kasse Zwei", "bytes": "0102", "count": 3}],
    }  # fmt: skip
    found = redactor.columns(rows)
    assert found["reader"][0].startswith("WPC32-")
    assert "Kasse" not in found["text"][0]
    assert "3105002323" not in found["text"][0]
    assert found["extra"][0] == {"name": redactor.name("Kasse Zwei"), "count": 3}
    assert (found["t_us"], found["kind"]) == ([1], ["app_message"])
    with pytest.raises(TypeError):
        Redactor(3.5)  # type: ignore[arg-type]
