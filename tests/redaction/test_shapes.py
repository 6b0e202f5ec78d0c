"""Shapes of addresses, tokens, folders and payloads: what is found, and what an engineer keeps."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terminal_kit.redaction import Redactor

KEY = b"a key for tests"

HIDDEN = {
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-DEF_123": "token {} used",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0": "cut {}",
    "tok.en-xyz1234567890": "with Bearer {} sent",
    "abcdefghij1": "got Bearer {}",
    "pst_live_abcdefg12345": "secret {}.",
    "pst_test_YWNjdF8xLGFiYw": '{{"secret":"{}"}}',
    "3Abc123XYZ456789_secret_AbCdEf123": "intent pi_{} made",
    "ek_live_4eC39HqLyjWDarjt": "key {}",
    "tmr_FsGk1aB2c3D4": "reader {},",
    "kate@example.org": "<{}>",
    "192.168.17.44": "it was {}.",
    "10.0.0.3": "/{}:8080",
    "2001:db8:17:2::": "net {} up",
    "fe80::1c2d:3e4f:5a6b": "at {}%wlan0",
    "Home Net 5G": "ssid={}, rssi=-60",
    "Netz am Markt": 'SSID: "{}", level: -60',
    "aa:bb:cc:11:22:33": 'SSID: "", BSSID: {}',
    "Mary Jones": "read /Users/{}/log.txt",
    "Mary J. Jones": r"open C:\Users\{}\log.txt",
    "Mary Ann Jones": r'"C:\\Users\\{}\\log.txt"',
    "Kate Jones": '"/home/{}"',
    "001122334455": "mac={}",
    "112233445566": "wifiMacAddress: {} x",
    "DF87280501": "Local(version=4.01.00.32, hex={}...))",
    "12345678": "hex={} x",
    "DF87280502": '{{"hex": "{}"}}',
    "DF87280503": r"{{\"rawHex\":\"{}\"}}",
    "DF87280504": "data: '{}'",
    "0xdeadbeef12": "data={}",
    "01020304050607": "rawData: <{}>",
    "0102 0304 0506": "value = {};",
    "1, 2, -3, 44": "bytes=[{}]",
    "AQIDBAUGBw==": "payload={}",
    "9f 26 08 1a": "tlv={}",
    "0x9f, 0x26, 0x08": "apdu: [{}]",
    "0x0102030405060708": "{{length = 8, bytes = {}}}",
    "at.beispiel.kasse": "app_id={} event=state_change",
    "hunter22": "password={}",
    "a1b2": "client_secret: '{}'",
}


@pytest.mark.parametrize("secret", HIDDEN)
def test_what_names_somebody_or_was_sent_is_found(secret) -> None:
    text = HIDDEN[secret].format(secret)
    found = Redactor(KEY).text(text)
    for begin in range(max(len(secret) - 5, 1)):
        assert secret[begin : begin + 6] not in found
    head, _, tail = HIDDEN[secret].format("\0").partition("\0")
    assert found.startswith(head.rstrip("_ ").removesuffix("pi"))
    assert found.endswith(tail)


KEPT = (
    "l scope=SCPTerminal event=state_change name=location_manager time=1649065225849",
    "h name=connection_token_manager status=✔ detail=has_token",
    "h name=pos_battery status=✔ detail=battery_percentage value=93",
    "value=12:30:45 value=0x08 value=93 bytes=4096 raw=123456 data=connected record=1234567",
    "bearer certificate failed",
    "firmware 2.01.00.24 of 1.2.3",
    "error_code=3200 error_domain=com.stripe-terminal",
    "wrote to /data/local/tmp and to /var/log in a moment",
    "userId = 0, location: null, token=undefined",
    "class_name=Reader thread_name=main event_name=tick",
    "started at 2024-05-07 after 00:12:30",
    "device: 3 of 4; label: unknown",
)


@pytest.mark.parametrize("text", KEPT)
def test_what_engineers_need_is_kept(text) -> None:
    assert Redactor(KEY).text(text) == text


def test_a_name_that_may_be_a_readers_is_replaced_also_where_it_looks_like_a_programs() -> None:
    """iOS writes underscores for blanks: `front_desk` may be what a person called a reader."""
    redactor = Redactor(KEY)
    for text in ("name=front_desk status=online", "label=location_manager x=1", "device_name=till_two"):
        key, _, value = text.partition("=")
        assert value.partition(" ")[0] not in redactor.text(text).partition("=")[2]
        assert redactor.text(text).startswith(f"{key}=")


def test_where_a_sentence_goes_on_after_a_name_it_is_kept() -> None:
    redactor = Redactor(KEY)
    assert redactor.text("label=Theke Nord disconnected: READER_BUSY").endswith(" disconnected: READER_BUSY")


ways = st.sampled_from(
    (
        lambda octets: octets.hex(":"),
        lambda octets: octets.hex("-").upper(),
        lambda octets: ".".join((octets[:2].hex(), octets[2:4].hex(), octets[4:].hex())),
        lambda octets: "-".join((octets[:2].hex(), octets[2:4].hex(), octets[4:].hex())),
    )
)


@settings(max_examples=80)
@given(st.binary(min_size=6, max_size=6).filter(lambda octets: octets.hex().strip("0123456789")), ways)
def test_an_address_is_the_same_device_however_it_is_written(octets, way) -> None:
    redactor = Redactor(KEY)
    found = redactor.text(f"device {way(octets)}, gone")
    plain = redactor.name(octets.hex(":"))
    assert found.startswith("device ")
    assert found.endswith(", gone")
    written = found[len("device ") : -len(", gone")]
    assert "".join(filter(str.isalnum, written)).lower() == plain.replace(":", "")
    assert [char for char in written if not char.isalnum()] == [char for char in way(octets) if not char.isalnum()]


@pytest.mark.parametrize(
    "piece",
    ["label=", "label=a ", "label='a", 'label="', '\\"label\\":\\"', "hex=", "data=<", "hex=0a ", "0a0b.", "0a0b-", "payload=aaaaaaaaa",
     "/Users/a b", "\\Users\\a ", "bearer ", "eyJabcde.", "reader_", "readerReader", "mac_address", "name=A'b", "pi_A1234567_secret_",
     "a:b:", "label: Aa Bb Cc ", "data=1, 2, "],
)  # fmt: skip
def test_a_hostile_text_takes_no_more_than_a_moment(piece) -> None:
    text = piece * (60_000 // len(piece))
    redactor = Redactor(KEY)
    began = time.process_time()
    redactor.learn_texts([text])
    redactor.text(text)
    assert time.process_time() - began < 3
