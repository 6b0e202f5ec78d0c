"""Progress never goes back, whatever a device says and in whatever order (U4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal_kit.events import UpdateComponent
from terminal_kit.updates.progress import RESTART_S, UPLOADED, Gauge, UpdateStage

PARTS = [(UpdateComponent.CONFIG, 100), (UpdateComponent.FIRMWARE, 900)]

SAID = st.one_of(
    st.tuples(st.just("stage"), st.sampled_from(list(UpdateStage))),
    st.tuples(st.just("offset"), st.tuples(st.integers(0, 1), st.integers(-50, 1200))),
)


@given(st.lists(st.tuples(SAID, st.floats(0, 10)), max_size=60))
def test_nothing_that_a_device_says_makes_it_go_back(said: list) -> None:
    gauge, now_s = Gauge(PARTS), 0.0
    before = gauge.enter(UpdateStage.CHECKING, now_s)
    for (kind, what), passes_s in said:
        now_s += passes_s
        after = gauge.enter(what, now_s) if kind == "stage" else gauge.uploaded(*what, now_s)
        assert before.fraction <= after.fraction < 1
        assert before.sent_bytes <= after.sent_bytes <= after.total_bytes == 1000
        assert before.part <= after.part <= after.parts == 2
        assert list(UpdateStage).index(before.stage) <= list(UpdateStage).index(after.stage)
        assert after.bytes_per_s is None or after.bytes_per_s > 0
        assert after.left_s is None or after.left_s >= 0
        before = after
    assert gauge.finish(now_s).fraction == 1


def test_the_fraction_spans_all_components() -> None:
    gauge = Gauge(PARTS)
    gauge.enter(UpdateStage.UPLOADING, 0.0)
    assert gauge.uploaded(0, 100, 1.0).fraction == pytest.approx(UPLOADED * 0.1)
    half = gauge.uploaded(1, 400, 2.0)
    assert (half.component, half.part, half.parts) == (UpdateComponent.FIRMWARE, 2, 2)
    assert half.fraction == pytest.approx(UPLOADED * 0.5)
    later = [gauge.enter(stage, 3.0).fraction for stage in list(UpdateStage)[2:]]
    assert UPLOADED < later[0] < later[1] < later[2] < 1


def test_the_rate_is_of_the_last_seconds_and_leaves_out_what_was_there() -> None:
    gauge = Gauge([(UpdateComponent.FIRMWARE, 100_000)])
    gauge.enter(UpdateStage.UPLOADING, 0.0)
    assert gauge.uploaded(0, 50_000, 0.0).bytes_per_s is None  # resumed: nothing was sent yet
    assert gauge.uploaded(0, 51_000, 1.0).bytes_per_s == 1000
    for second in range(2, 20):
        now = gauge.uploaded(0, 51_000 + 2000 * (second - 1), float(second))
    assert now.bytes_per_s == 2000
    assert now.left_s == (100_000 - now.sent_bytes) / 2000 + RESTART_S
    assert gauge.enter(UpdateStage.RESTARTING, 21.0).left_s is None
