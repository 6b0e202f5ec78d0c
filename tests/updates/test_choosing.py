"""Who is offered what: a table, and what no share may do."""

from typing import Any

import pytest
from feeds import BAR, DAY, DESK, M2, NEW, NOW, OLD, WISEPAD, a_manifest, a_reader, a_release, at
from hypothesis import given
from hypothesis import strategies as st

from terminal_kit.events import UpdateComponent
from terminal_kit.reader import EstimatedUpdateTime, SoftwareUpdate
from terminal_kit.updates.choosing import choose, is_in_share
from terminal_kit.updates.manifest import time_of

FIRMWARE, CONFIG, KEYS = UpdateComponent.FIRMWARE, UpdateComponent.CONFIG, UpdateComponent.KEYS
NEWER = "2.03.00.00-SZZZ_Prod_US_v14-481003"
ALL = ("firmware", "config", "keys")


def chosen(*releases: dict[str, Any], location: str = DESK, now_us: int = NOW, **reader: Any) -> SoftwareUpdate | None:
    return choose(a_manifest(*releases), a_reader(**reader), location, now_us)


def name(update: SoftwareUpdate | None) -> str | None:
    return update and update.release_id


TABLE: list[tuple[str, str | None, list[dict[str, Any]], dict[str, Any]]] = [
    ("nothing is released", None, [], {}),
    ("one for everybody", "r1", [a_release()], {}),
    ("a reader that tells no version", None, [a_release()], {"firmware": None}),
    ("for its type", "r1", [a_release(device_types=["stripe_m2"])], {}),
    ("for another type", None, [a_release(device_types=["stripe_m2"])], {"serial": WISEPAD}),
    ("a board is of no type", "r1", [a_release()], {"serial": "BOARD1"}),
    ("for its location", "r1", [a_release(locations=[DESK])], {}),
    ("for another location", None, [a_release(locations=[DESK])], {"location": BAR}),
    ("from its version", "r1", [a_release(from_versions=[OLD])], {}),
    ("from another version", None, [a_release(from_versions=[NEW])], {}),
    ("not yet released", None, [a_release(released_at=at(1))], {}),
    ("released this moment", "r1", [a_release(released_at=at(0))], {}),
    ("not yet released here", None, [a_release(released_at={DESK: at(1), "*": at(-1)})], {}),
    ("released here, and not elsewhere", "r1", [a_release(released_at={DESK: at(-1), "*": at(1)})], {}),
    ("paused", None, [a_release(paused=True)], {}),
    ("withdrawn", None, [a_release(withdrawn=True)], {}),
    ("for nobody", None, [a_release(share=0.0)], {}),
    ("what it runs already", None, [a_release(version=OLD, names=ALL)], {}),
    ("an increment to what it runs already", None, [a_release(version=OLD, names=("incremental",))], {}),
    (
        "its configuration is there already",
        None,
        [a_release(version=OLD.replace("2.01", "2.09"), names=("config",))],
        {},
    ),
    ("a downgrade", None, [a_release(version="2.00.09.00-SZZZ_Prod_US_v12-481001")], {}),
    ("an older configuration", None, [a_release(version=NEW.replace("v13", "v11"), names=("firmware", "config"))], {}),
    (
        "another region's is no downgrade",
        "r1",
        [a_release(version=OLD.replace("US_v12", "EU_v3"), names=("config",))],
        {},
    ),
    ("older keys", None, [a_release(version=OLD.replace("481001", "480999"), names=("keys",))], {}),
    ("released last", "r2", [a_release("r1", released_at=at(-9)), a_release("r2", NEWER, released_at=at(-8))], {}),
    (
        "released last, though first in the file",
        "r2",
        [a_release("r2", NEWER), a_release("r1", released_at=at(-11))],
        {},
    ),
    ("of two at once the later in the file", "r2", [a_release("r1"), a_release("r2", NEWER)], {}),
    (
        "the newest that it can take from its version",
        "r1",
        [a_release("r1"), a_release("r2", NEWER, released_at=at(-1), from_versions=[NEW])],
        {},
    ),
    (
        "the step after that",
        "r2",
        [a_release("r1"), a_release("r2", NEWER, released_at=at(-1), from_versions=[NEW])],
        {"firmware": NEW},
    ),
    ("an older one where the newest is paused", "r1", [a_release("r1"), a_release("r2", NEWER, paused=True)], {}),
    (
        "what is newer is not brought back by an older release",
        None,
        [
            a_release("us", OLD, ("config",), released_at=at(-9)),
            a_release("eu", OLD.replace("US_v12", "EU_v3"), ("config",), released_at=at(-1)),
        ],
        {"firmware": "2.00.00.00-SZZZ_Prod_EU_v3-481001"},
    ),
    (
        "what a newer release does not have comes from an older one",
        "fw",
        [
            a_release("fw", NEW.replace("v13-481002", "v12-481001"), released_at=at(-9)),
            a_release("cfg", NEW, ("config",), released_at=at(-1)),
        ],
        {"firmware": OLD.replace("v12", "v13")},
    ),
]


@pytest.mark.parametrize(("why", "expected", "releases", "options"), TABLE, ids=[row[0] for row in TABLE])
def test_the_table(why: str, expected: str | None, releases: list[dict[str, Any]], options: dict[str, Any]) -> None:
    assert name(chosen(*releases, **options)) == expected


def test_an_update_says_all_that_a_terminal_needs() -> None:
    release = a_release(
        names=ALL, minimum_battery=0.6, required_at={DESK: at(7)}, estimated_update_time="2_to_5_minutes"
    )
    update = chosen(release)
    assert update.version == NEW
    assert update.components == FIRMWARE | CONFIG | KEYS
    assert update.estimated_time is EstimatedUpdateTime.TWO_TO_FIVE_MINUTES
    assert update.minimum_battery == 0.6
    assert update.required_at_us == NOW + 7 * DAY
    assert update.superseded_at_us == NOW - 10 * DAY
    assert [part.component for part in update.parts] == [FIRMWARE, CONFIG, KEYS]
    assert update.total_bytes == 3000
    assert chosen(release, location=BAR).required_at_us is None


def test_only_what_is_missing_is_installed() -> None:
    update = chosen(a_release(version=NEW.replace("481002", "481001"), names=ALL))
    assert update.components == FIRMWARE | CONFIG
    assert update.version == "2.02.00.00-SZZZ_Prod_US_v13-481001"


def test_the_version_after_is_the_readers_own() -> None:
    """A configuration for any firmware leaves the firmware as it is; an increment leads where the release says."""
    assert chosen(a_release(names=("config",))).version == OLD.replace("v12", "v13")
    assert chosen(a_release(names=("incremental",))).version == NEW
    assert chosen(a_release(version="1.3.0"), firmware="1.2.0").version == "1.3.0"


def test_an_increment_alone_cannot_be_canceled() -> None:
    """U6."""
    assert not chosen(a_release(names=("incremental",))).can_be_canceled


def test_skipping_a_required_update_does_not_make_it_optional() -> None:
    """U8: the newer, optional release takes the place of one that is required by now."""
    update = chosen(a_release("r1", required_at=at(-1)), a_release("r2", NEWER, required_at=at(30)))
    assert update.release_id == "r2"
    assert update.is_required(NOW)


def test_the_grace_begins_with_the_first_newer_release_whoever_gets_it() -> None:
    """U5: shares and steps in between do not prolong it; what is paused or withdrawn does not shorten it."""
    releases = (
        a_release("gone", "2.01.02.00-SZZZ_Prod_US_v12-481001", released_at=at(-50), withdrawn=True),
        a_release("held", "2.01.02.00-SZZZ_Prod_US_v12-481001", released_at=at(-45), paused=True),
        a_release("rare", "2.01.03.00-SZZZ_Prod_US_v12-481001", released_at=at(-40), share=0.0),
        a_release("other", "2.01.04.00-SZZZ_Prod_US_v12-481001", released_at=at(-39), locations=[BAR]),
        a_release("here", released_at=at(-5)),
    )
    update = chosen(*releases)
    assert update.release_id == "here"
    assert update.superseded_at_us == NOW - 40 * DAY
    assert not update.has_grace(NOW)


def test_what_the_reader_runs_does_not_count_as_newer() -> None:
    update = chosen(a_release("mine", OLD, ALL, released_at=at(-90)), a_release("next", released_at=at(-5)))
    assert update.superseded_at_us == NOW - 5 * DAY


serials = st.text(min_size=1, max_size=20)
shares = st.floats(0, 1)


@given(serials, st.from_regex(r"\A[a-z0-9][a-z0-9.-]{0,15}\Z"), shares, shares)
def test_raising_a_share_only_adds_readers(serial: str, release: str, one: float, other: float) -> None:
    lower, higher = sorted((one, other))
    assert is_in_share(release, serial, higher) or not is_in_share(release, serial, lower)
    assert is_in_share(release, serial, 1.0)
    assert not is_in_share(release, serial, 0.0)


@given(st.integers(0, 10**6), st.sampled_from([0.01, 0.1, 0.5, 0.9]))
def test_shares_are_about_right(seed: int, share: float) -> None:
    """Within six standard deviations of 2,000 draws: about one run in half a billion would fail by chance."""
    readers = 2000
    taken = sum(is_in_share(f"r{seed}", f"STRM2{number:08}", share) for number in range(readers))
    assert abs(taken / readers - share) <= 6 * (share * (1 - share) / readers) ** 0.5


def test_how_a_share_is_counted_can_be_checked_by_hand() -> None:
    """`printf 'r1:STRM26138003393' | sha256sum` begins with 24f1ff91: 0x24f1ff91 / 2³² is 0.144317."""
    assert not is_in_share("r1", M2, 0.144316)
    assert is_in_share("r1", M2, 0.144318)
    assert time_of(at(0)) == NOW
