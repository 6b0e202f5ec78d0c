"""The manifest: what may stand in it, where a fault is, and that writing it changes nothing."""

import copy
import json
from typing import Any

import pytest
from feeds import BAR, DESK, NEW, NOW, a_component, a_manifest, a_release, at, fields_of
from hypothesis import given
from hypothesis import strategies as st

from terminal_kit.errors import ManifestError
from terminal_kit.updates.manifest import (
    MAX_MANIFEST_BYTES,
    MAX_RELEASES,
    read_manifest,
    time_of,
    time_text,
    write_manifest,
)

GOOD = fields_of(
    a_release("r1", locations=["*"]),
    a_release(
        "r2",
        names=("firmware", "config", "keys", "incremental"),
        locations=[BAR, DESK],
        released_at={BAR: at(-3), "*": at(-2)},
        required_at={BAR: at(5)},
        from_versions=["2.01.01.00-SZZZ_Prod_US_v12-481001"],
    ),
    expires=at(90),
)

X = object()
"""Takes a field away."""

FAULTS: list[tuple[str, tuple[Any, ...], Any]] = [
    ("schema", ("schema",), 2),
    ("schema", ("schema",), X),
    ("serial", ("serial",), 0),
    ("serial", ("serial",), "1"),
    ("serial", ("serial",), 1.5),
    ("serial", ("serial",), 1 << 63),
    ("issued", ("issued",), "yesterday"),
    ("issued", ("issued",), "2026-03-01T06:00:00"),
    ("issued", ("issued",), 1772345678),
    ("issued", ("issued",), "0001-01-01T00:00:00+14:00"),
    ("expires", ("expires",), "9999-12-31T23:59:59-14:00"),
    ("expires", ("expires",), at(-1)),
    ("signature", ("signature",), "abc"),
    ("releases", ("releases",), {}),
    ("releases", ("releases",), [GOOD["releases"][0]] * (MAX_RELEASES + 1)),
    ("releases[1]", ("releases", 1), 7),
    ("releases[1].id", ("releases", 1, "id"), "r1"),
    ("releases[1].id", ("releases", 1, "id"), "a:b"),
    ("releases[1].id", ("releases", 1, "id"), "x\u202e"),
    ("releases[0].requierd_at", ("releases", 0, "requierd_at"), at(1)),
    ("releases[0].device_types[1]", ("releases", 0, "device_types"), ["stripe_m2", "stripe_m3"]),
    ("releases[0].device_types", ("releases", 0, "device_types"), []),
    ("releases[0].locations[0]", ("releases", 0, "locations"), ["bar"]),
    ("releases[0].locations", ("releases", 0, "locations"), "*"),
    ("releases[0].from_versions", ("releases", 0, "from_versions"), 3),
    ("releases[0].from_versions[0]", ("releases", 0, "from_versions"), ["2.01 beta"]),
    ("releases[0].version", ("releases", 0, "version"), "2.02\n"),
    ("releases[0].released_at", ("releases", 0, "released_at"), "soon"),
    ("releases[0].released_at", ("releases", 0, "released_at"), X),
    ("releases[0].released_at", ("releases", 0, "released_at"), {BAR: at(0)}),
    ("releases[0].released_at.bar", ("releases", 0, "released_at"), {"bar": at(0), "*": at(0)}),
    ("releases[1].released_at.tml_x", ("releases", 1, "released_at", "tml_x"), at(0)),
    ("releases[1].required_at.tml_x", ("releases", 1, "required_at", "tml_x"), at(5)),
    ("releases[1].required_at", ("releases", 1, "required_at"), {BAR: at(-4)}),
    ("releases[1].required_at", ("releases", 1, "required_at"), at(-2.5)),
    ("releases[0].minimum_battery", ("releases", 0, "minimum_battery"), 0.4),
    ("releases[0].minimum_battery", ("releases", 0, "minimum_battery"), 1),
    ("releases[0].minimum_battery", ("releases", 0, "minimum_battery"), float("nan")),
    ("releases[0].estimated_update_time", ("releases", 0, "estimated_update_time"), "an hour"),
    ("releases[0].share", ("releases", 0, "share"), 1.1),
    ("releases[0].share", ("releases", 0, "share"), True),
    ("releases[0].paused", ("releases", 0, "paused"), "no"),
    ("releases[0].components", ("releases", 0, "components"), []),
    ("releases[1].components[2].component", ("releases", 1, "components", 2, "component"), "certificates"),
    ("releases[1].components[1].component", ("releases", 1, "components", 1), a_component("firmware")),
    ("releases[1].components[1].version", ("releases", 1, "components", 1, "version"), "SZZZ_Prod_EU_v13"),
    ("releases[0].version", ("releases", 0, "version"), ""),
    ("releases[0].components[0].size_bytes", ("releases", 0, "components", 0, "size_bytes"), 0),
    ("releases[0].components[0].size_bytes", ("releases", 0, "components", 0, "size_bytes"), 1 << 30),
    ("releases[0].components[0].sha256", ("releases", 0, "components", 0, "sha256"), "AB" * 32),
    ("releases[0].components[0].sha256", ("releases", 0, "components", 0, "sha256"), X),
    *(
        ("releases[0].components[0].file", ("releases", 0, "components", 0, "file"), path)
        for path in (
            "/etc/passwd", "../key.pem", "images/../../key.pem", "images//x", "C:/x", "a\\b", "//host/x", "", ".hidden",
            "https://elsewhere.example/x", "a%2e%2e/b", "a?b", "a#b", "a\nb", "x" * 201,
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize(("where", "path", "value"), FAULTS)
def test_a_refused_manifest_names_the_place(where: str, path: tuple[Any, ...], value: Any) -> None:
    """U13."""
    fields = copy.deepcopy(GOOD)
    owner = fields
    for step in path[:-1]:
        owner = owner[step]
    if value is X:
        del owner[path[-1]]
    else:
        owner[path[-1]] = value
    with pytest.raises(ManifestError) as caught:
        read_manifest(json.dumps(fields).encode())
    assert caught.value.where == where
    assert str(caught.value).startswith(f"{where}: ")
    assert caught.value.code == "READER_SOFTWARE_UPDATE_FAILED_SERVER_ERROR"


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff", b"null", b'{"schema": 1', b"[" * 100_000, b'"\\ud800"'])
def test_what_is_no_manifest_at_all(text: bytes) -> None:
    with pytest.raises(ManifestError) as caught:
        read_manifest(text)
    assert caught.value.where == "feed.json"


def test_a_newer_schema_asks_for_a_newer_kit() -> None:
    with pytest.raises(ManifestError) as caught:
        a_manifest(schema=2)
    assert "Update the kit" in caught.value.hint


def test_the_first_fault_is_told_and_no_other_counted() -> None:
    with pytest.raises(ManifestError) as caught:
        a_manifest(a_release(share=2, minimum_battery=2), serial=0)
    assert str(caught.value).startswith("serial: ")
    assert "more" not in str(caught.value)


def test_writing_and_reading_are_each_others_reverse() -> None:
    manifest = read_manifest(json.dumps(GOOD).encode())
    text = write_manifest(manifest)
    assert read_manifest(text) == manifest
    assert write_manifest(read_manifest(text)) == text
    assert json.loads(text) == GOOD
    assert text.index(b'"id"') < text.index(b'"released_at"') < text.index(b'"components"') < text.index(b'"r2"')


def test_times_are_for_all_locations_or_for_each() -> None:
    first, second = read_manifest(json.dumps(GOOD).encode()).releases
    assert [first.released_us(place) for place in (BAR, DESK)] == [time_of(at(-10))] * 2
    assert first.required_us(BAR) is None
    assert [second.released_us(place) for place in (BAR, DESK, "tml_hall")] == [time_of(at(-3)), time_of(at(-2)), None]
    assert [second.required_us(place) for place in (BAR, DESK)] == [time_of(at(5)), None]


def test_a_boards_version_may_end_after_the_firmware() -> None:
    manifest = a_manifest(a_release(version="1.2.3"))
    assert manifest.releases[0].components[0].version == "1.2.3"
    with pytest.raises(ManifestError, match="says nothing of it"):
        a_manifest(a_release(version="1.2.3", components=[a_component("config", NEW)]))


def test_as_many_releases_as_there_may_be_fit() -> None:
    names = ("firmware", "config", "keys", "incremental")
    many = a_manifest(*(a_release(f"release-{index}", names=names) for index in range(MAX_RELEASES)))
    assert len(write_manifest(many)) <= MAX_MANIFEST_BYTES


@given(st.integers(-(10**15), 10**16))
def test_a_microsecond_is_not_lost(t_us: int) -> None:
    assert time_of(time_text(t_us)) == t_us


def test_offsets_are_understood() -> None:
    assert time_of("2026-03-01T13:00:00+01:00") == NOW
    for text in ("2026-03-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "", None, 5):
        with pytest.raises(ValueError, match="must look like"):
            time_of(text)
