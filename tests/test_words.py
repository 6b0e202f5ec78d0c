"""Plain English for everything, and one door for hostile text."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal_kit.events import (
    ConnectionStatus,
    DisconnectReason,
    Kind,
    ReasonSource,
    RssiSource,
    UpdateComponent,
)
from terminal_kit.reader import BatteryStatus, DeviceType, EstimatedUpdateTime
from terminal_kit.words import (
    HOST_FAULTS,
    RADIOS,
    advice,
    component_words,
    escape,
    hci_words,
    kind_words,
    notice_words,
    reason_words,
    stage_words,
    visible,
    why_update,
    words,
)

ENUMS = (
    ConnectionStatus,
    DisconnectReason,
    ReasonSource,
    RssiSource,
    BatteryStatus,
    EstimatedUpdateTime,
    DeviceType,
    Kind,
)


@pytest.mark.parametrize("enum", ENUMS, ids=lambda enum: enum.__name__)
def test_every_member_has_its_own_words(enum) -> None:
    told = [words(member) for member in enum]
    assert all(told)
    assert len(set(told)) == len(told)
    assert not any("_" in text for text in told)


def test_members_that_share_a_value_keep_their_words() -> None:
    assert words(DeviceType.UNKNOWN) == "other device"
    assert words(DisconnectReason.UNKNOWN) == "unknown"


# The table of X2: who is told what.
@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("disconnect_requested", ""),
        ("reboot_requested", "It restarts and comes back."),
        ("security_reboot", "It restarts and comes back."),
        ("bluetooth_signal_lost", "Bring it closer."),
        ("powered_off", "Switch it on."),
        ("idle_power_down", "Switch it on."),
        ("critically_low_battery", "Charge it."),
        ("bluetooth_disabled", "Turn Bluetooth on."),
        ("internet_lost", "Check the host's network."),
        ("peer_removed_pairing_information", "Forget it and pair through the kit."),
        ("unknown", ""),
        ("a_newer_reason", ""),
        (None, ""),
    ],
)
def test_x2_what_the_user_is_told(reason, told) -> None:
    assert advice(reason) == told


@pytest.mark.parametrize("code", [0x06, 0x08, 0x13, 0x14, 0x15, 0x16, 0x22, 0x3B, 0x3D, 0x3E])
def test_link_codes_have_number_and_words(code) -> None:
    number, _, text = hci_words(code).partition(" ")
    assert int(number, 16) == code
    assert text != "not in our table"


def test_an_unknown_link_code_keeps_its_number() -> None:
    assert hci_words(0xEE) == "0xEE not in our table"


def test_columns_of_a_newer_version_are_shown_as_they_are() -> None:
    assert kind_words("moon_phase") == "moon_phase"
    assert reason_words("eaten\u202eby") == "eaten⟨U+202E⟩by"
    assert reason_words(None) == "unknown"
    assert reason_words("powered_off") == "switched off"
    assert kind_words("link_disconnected") == "link ended"


def test_x9_the_three_notices() -> None:
    assert notice_words("connection_lost", "bluetooth_signal_lost") == (
        "Connection lost (signal lost), reconnecting. Bring it closer."
    )
    assert notice_words("reconnected") == "Reconnected, working normally."
    assert notice_words("disconnected", "powered_off") == "Disconnected unexpectedly: switched off. Switch it on."
    assert notice_words("disconnected", "unknown") == "Disconnected unexpectedly: unknown."


def test_what_an_update_replaces_and_why() -> None:
    both = UpdateComponent.FIRMWARE | UpdateComponent.KEYS
    assert component_words(both) == "firmware and keys"
    assert component_words(both | UpdateComponent.CONFIG) == "firmware, regional configuration and keys"
    assert component_words(0) == "nothing"
    assert "card networks" in why_update(UpdateComponent.CONFIG)


def test_what_an_installation_does() -> None:
    stages = ("checking", "uploading", "activating", "restarting", "confirming")
    told = [stage_words(stage) for stage in stages]
    assert len(set(told)) == len(stages)
    assert stage_words("uploading", "config") == "sending regional configuration"
    assert stage_words("confirming", "config") == stage_words("confirming")
    assert stage_words("uploading", "\u202e") == "sending"
    assert stage_words("polishing\u202e") == "polishing⟨U+202E⟩"
    assert stage_words(None) == "starting"
    assert notice_words("update_failed") == "A required update was not installed."


def test_radios_and_host_faults() -> None:
    assert set(RADIOS) == {"native", "simulated", "virtual", "import"}
    assert set(HOST_FAULTS) == {"radio_off", "permission_denied", "le_unsupported", "no_adapter", "no_service"}


def test_markup_is_shown_not_obeyed() -> None:
    assert escape("<img src=x onerror=\"alert('1')\">&") == (
        "&lt;img src=x onerror=&quot;alert(&#x27;1&#x27;)&quot;&gt;&amp;"
    )


def test_control_and_direction_marks_are_shown() -> None:
    assert visible("a\0b\nc\x7fd\u202ee\u2066f\u200bg\u2028") == ("a␀b␊c␡d⟨U+202E⟩e⟨U+2066⟩f⟨U+200B⟩g⟨U+2028⟩")
    assert visible("Grüße 東京 🛒") == "Grüße 東京 🛒"


@given(st.text())
def test_nothing_that_acts_comes_through_the_door(text: str) -> None:
    shown = escape(text)
    assert not set(shown) & set("<>\"'")
    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in shown)
