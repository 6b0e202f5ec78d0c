"""Bytes ↔ records, for any bytes at all."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal_kit import profile
from terminal_kit.errors import InvalidParameterError
from terminal_kit.events import DisconnectReason
from terminal_kit.profile import AdvertisedState, BatteryState, LastStop, Notice, NoticeCode, ReaderState, StateFlag
from terminal_kit.reader import DeviceType

percent = st.integers(0, 100).map(lambda level: level / 100)
flags = st.integers(0, 15).map(StateFlag)
RECORDS = st.one_of(
    st.builds(AdvertisedState, st.sampled_from(DeviceType), st.none() | percent, flags),
    st.builds(ReaderState, st.integers(0, 2**32 - 1), flags, st.none() | st.integers(-127, 20)),
    st.builds(LastStop, st.sampled_from(DisconnectReason), st.integers(0, 65535), st.none() | st.integers(1, 255)),
    st.builds(BatteryState, st.none() | percent, st.booleans()),
    st.sampled_from([code for code in NoticeCode if code is not NoticeCode.FAREWELL]).map(Notice),
    st.builds(Notice, st.just(NoticeCode.FAREWELL), st.sampled_from(DisconnectReason)),
)


@given(RECORDS)
def test_what_is_encoded_is_decoded(record: object) -> None:
    assert type(record).decode(record.encode()) == record


@given(st.binary(max_size=12), st.sampled_from([AdvertisedState, ReaderState, LastStop, BatteryState, Notice]))
def test_hostile_bytes_are_refused_or_read_and_never_crash(data: bytes, kind: type) -> None:
    with contextlib.suppress(InvalidParameterError):
        kind.decode(data)
    profile.decode_text(data)
    level = profile.decode_battery_level(data)
    assert level is None or 0 <= level <= 1


def test_a_value_that_is_too_short_says_which() -> None:
    with pytest.raises(InvalidParameterError, match="state value has 2 bytes"):
        ReaderState.decode(b"ab")


def test_an_advertisement_fits_the_air() -> None:
    """31 bytes: flags 3, a 128-bit UUID 18, and the manufacturer's data with its header."""
    state = AdvertisedState(DeviceType.STRIPE_M2, 0.5)
    assert 3 + 18 + 4 + len(state.encode()) <= 31
