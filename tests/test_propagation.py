"""What arrives: loss grows with distance, shadows last, streams are apart."""

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal_kit.simulator.propagation import (
    SENSITIVITY_DBM,
    SHADOWING_DB,
    Channel,
    Place,
    arrives,
    path_loss_db,
    stream,
)


def test_path_loss_is_known_at_a_metre_and_grows_25_db_a_decade() -> None:
    assert path_loss_db(1.0) == pytest.approx(40.0)
    assert path_loss_db(10.0) - path_loss_db(1.0) == pytest.approx(25.0)
    assert path_loss_db(0.0) == path_loss_db(0.1)


@given(st.floats(-130, 0), st.floats(0, 30))
def test_a_stronger_packet_never_arrives_less_often(rssi_dbm: float, more_db: float) -> None:
    assert 0 <= arrives(rssi_dbm) <= arrives(rssi_dbm + more_db) <= 1


def test_half_arrive_at_the_sensitivity() -> None:
    assert arrives(SENSITIVITY_DBM) == 0.5


def received(distance_m: float, **place: float) -> float:
    """The share of packets that arrive, over many shadows."""
    heard = 0
    for seed in range(200):
        channel = Channel(Place(distance_m, **place), stream(seed, "reader", "channel"), 0.0)
        heard += sum(channel.receive(second * 1.0) is not None for second in range(10))
    return heard / 2000


def test_fewer_packets_arrive_from_farther_away() -> None:
    shares = [received(distance_m) for distance_m in (2, 75, 150, 300)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == 1.0
    assert 0.05 < shares[2] < 0.6
    assert shares[3] < 0.02


def test_a_body_and_other_traffic_take_their_share() -> None:
    assert received(75, body_loss_db=20.0) < received(75) / 2
    assert received(2, interference=0.6) == pytest.approx(0.4, abs=0.05)


def test_events_that_the_host_leaves_out_cost_links_and_not_advertisements() -> None:
    assert received(2, unserved=0.9) == 1.0
    channel = Channel(Place(2.0, unserved=0.75), stream(3, "reader", "channel"), 0.0)
    both_packets = statistics.fmean(channel.success(second * 1.0) ** 2 for second in range(1, 500))
    assert both_packets == pytest.approx(0.25, abs=0.01)


def test_shadows_have_their_depth_and_change_within_tens_of_seconds() -> None:
    channel = Channel(Place(10.0), stream(3, "reader", "channel"), 0.0)
    levels = [channel.mean_dbm(second * 1.0) for second in range(1, 20_000)]
    assert statistics.stdev(levels) == pytest.approx(SHADOWING_DB, abs=0.4)
    for gap_s, low, high in ((1, 0.85, 0.95), (10, 0.25, 0.5), (60, -0.15, 0.15)):
        assert low < statistics.correlation(levels[gap_s:], levels[:-gap_s]) < high, gap_s


def test_each_entity_and_purpose_has_a_stream_of_its_own() -> None:
    first = [stream(7, who, what).random() for who in ("a", "b") for what in ("link", "channel")]
    assert len(set(first)) == 4
    assert first == [stream(7, who, what).random() for who in ("a", "b") for what in ("link", "channel")]
