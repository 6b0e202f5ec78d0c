"""Which captures are one phone's."""

from itertools import pairwise

from capture_writers import COMMAND, EVENT, RECEIVED, SENT, Packet, btsnoop, pcap
from hypothesis import given
from hypothesis import strategies as st

from terminal_kit.importers.content import Content
from terminal_kit.importers.grouping import Span, grouped, span_of

T_US = 1_764_072_000_000_000
MINUTE = 60_000_000
HOUR = 60 * MINUTE
MINE, OTHER = frozenset({"AA:BB:CC:00:00:01"}), frozenset({"AA:BB:CC:00:00:02"})


def span(
    begin_min: float, end_min: float, addresses=frozenset(), archive="", container="btsnoop 1002", records=100
) -> Span:
    return Span(
        container, T_US + int(begin_min * MINUTE), T_US + int(end_min * MINUTE), records, frozenset(addresses), archive
    )


def read_address(t_us: int, address: str) -> Packet:
    """The answer to Read BD_ADDR."""
    payload = bytes([0x0E, 10, 1, 0x09, 0x10, 0]) + bytes.fromhex(address.replace(":", ""))[::-1]
    return Packet(t_us, EVENT, RECEIVED, payload)


RESET = bytes([0x03, 0x0C, 0])


def test_a_span_tells_times_and_the_controllers_address() -> None:
    packets = [
        Packet(T_US, COMMAND, SENT, RESET),
        read_address(T_US + 5, "AA:BB:CC:00:00:01"),
        Packet(T_US + HOUR, COMMAND, SENT, RESET),
    ]
    for data, name in ((btsnoop(packets, 1002), "btsnoop 1002"), (pcap(packets, 201), "pcap 201")):
        found = span_of(Content("a", data), "x.zip")
        assert found == Span(name, T_US, T_US + HOUR, 3, MINE, "x.zip")


def test_a_capture_without_records_has_no_span() -> None:
    assert span_of(Content("a", btsnoop([], 1002))) is None


def test_a_refused_answer_tells_no_address() -> None:
    refused = Packet(T_US, EVENT, RECEIVED, bytes([0x0E, 10, 1, 0x09, 0x10, 0x0C]) + bytes(6))
    found = span_of(Content("a", btsnoop([refused], 1002)))
    assert found is not None
    assert found.addresses == frozenset()


def test_the_parts_of_a_rotation_are_one_timeline_in_the_order_of_time() -> None:
    assert grouped([span(5, 10), span(0, 5)]) == ([[1, 0]], {})


def test_two_phones_at_once_are_two() -> None:
    assert grouped([span(0, 10), span(3, 12)]) == ([[0], [1]], {})


def test_files_of_one_archive_are_one_phone_however_far_apart() -> None:
    assert grouped([span(0, 5, archive="bug.zip"), span(900, 910, archive="bug.zip")])[0] == [[0, 1]]
    assert grouped([span(0, 5, archive="bug.zip"), span(900, 910, archive="other.zip")])[0] == [[0], [1]]


def test_another_controller_is_another_phone() -> None:
    assert grouped([span(0, 5, MINE, "a.zip"), span(6, 10, OTHER, "a.zip")])[0] == [[0], [1]]


def test_the_same_controller_within_a_day_is_one_phone() -> None:
    assert grouped([span(0, 5, MINE), span(300, 310, MINE)])[0] == [[0, 1]]
    assert grouped([span(0, 5, MINE), span(3000, 3010, MINE)])[0] == [[0], [1]]


def test_what_says_nothing_of_its_controller_goes_on_only_at_once_and_in_the_same_format() -> None:
    assert grouped([span(0, 5), span(5.5, 8)])[0] == [[0, 1]]
    assert grouped([span(0, 5), span(7, 8)])[0] == [[0], [1]]
    assert grouped([span(0, 5), span(5.5, 8, container="pcap 201")])[0] == [[0], [1]]


def test_a_digest_beside_the_full_capture_is_left_out() -> None:
    digest = span(-30, 10, archive="bug.zip", container="btsnooz", records=5000)
    assert grouped([digest, span(0, 10, archive="bug.zip")]) == ([[1]], {0: 1})
    assert grouped([digest, span(0, 10)])[1] == {}


def test_a_filtered_copy_is_left_out() -> None:
    full, copy = span(0, 10, MINE, "bug.zip", records=500), span(0, 10, MINE, "bug.zip", records=500)
    assert grouped([full, copy])[1] in ({0: 1}, {1: 0})
    fewer = span(1, 9, MINE, "bug.zip", records=50)
    assert grouped([fewer, full]) == ([[1]], {0: 1})


SPANS = st.lists(
    st.builds(
        lambda begin, length, addresses, archive, container, records: span(
            begin, begin + length, addresses, archive, container, records
        ),
        st.integers(0, 50),
        st.integers(0, 20),
        st.sampled_from([frozenset(), MINE, OTHER]),
        st.sampled_from(["", "a.zip"]),
        st.sampled_from(["btsnoop 1002", "btsnooz 2"]),
        st.integers(1, 5),
    ),
    max_size=8,
)


@given(SPANS)
def test_every_capture_is_in_one_group_or_left_out_for_one_that_is(spans) -> None:
    groups, doubles = grouped(spans)
    assert sorted([place for group in groups for place in group] + list(doubles)) == list(range(len(spans)))
    for place, fuller in doubles.items():
        assert fuller not in doubles
        assert place != fuller
        assert spans[place].archive == spans[fuller].archive != ""
    for group in groups:
        told = [spans[place] for place in group]
        assert len({address for each in told for address in each.addresses}) <= 1
        assert told == sorted(told, key=lambda each: each.first_us)
        assert all(later.first_us >= earlier.last_us - 2_000_000 for earlier, later in pairwise(told))
