"""`feed`: makes an update feed, and steers it; `feed check` reads one as a terminal does."""

import argparse
import asyncio
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

from terminal_kit.cli import values
from terminal_kit.cli.options import Commands, command
from terminal_kit.cli.output import printable
from terminal_kit.events import UpdateComponent
from terminal_kit.reader import MINIMUM_BATTERY, DeviceType, EstimatedUpdateTime
from terminal_kit.updates.choosing import is_in_share
from terminal_kit.updates.drafting import Draft, ImageFile
from terminal_kit.updates.feed import Feed
from terminal_kit.updates.keys import shown_id
from terminal_kit.updates.manifest import ANY, NAME, VERSION, Release, time_of, time_text
from terminal_kit.updates.publishing import Publication
from terminal_kit.updates.store import FeedStore
from terminal_kit.words import component_words

_ADD = "terminal-kit feed add feed app.bin --id 2.02-desk --version 2.02.00.00-SZZZ_Prod_US_v12-481001 --raw"
_TYPES = tuple(str(kind) for kind in DeviceType if kind is not DeviceType.UNKNOWN)


def add_to(commands: Commands) -> None:
    """Adds the command and what it does."""
    parser = command(commands, "feed", "makes, steers and checks an update feed", "terminal-kit feed init feed")
    actions = cast("Commands", parser.add_subparsers(metavar="ACTION", required=True))
    init = command(actions, "init", "makes an empty, signed feed and its key", "terminal-kit feed init feed")
    init.add_argument("folder", type=Path)
    init.add_argument("--key", type=Path, help="a private key that you have (Ed25519, PEM; default: a new one)")
    init.set_defaults(run=run_init)
    check = command(
        actions,
        "check",
        "checks all of a feed, images too",
        "terminal-kit feed check https://example.com/feed --key k.pem",
    )
    check.add_argument("feed", help="its folder or http(s) address")
    check.add_argument("--key", type=Path, help="the publisher's public key (default: one that was made here)")
    check.add_argument("--serial", help="a reader's serial number: tells whether it is in each release's share")
    check.set_defaults(run=run_check)
    _add_add(actions)
    stage = _steering(actions, "stage", "sets the share of readers that get a release", run_stage, "2.02-desk 10%")
    stage.add_argument("share", type=share, help="0 to 1, or per cent; raising it only adds readers")
    for name, summary, run in (
        ("pause", "offers a release to nobody for now", run_pause),
        ("resume", "offers a paused release again", run_resume),
        ("withdraw", "offers a release never again; its id stays taken", run_withdraw),
    ):
        _steering(actions, name, summary, run, "2.02-desk")
    sign = command(
        actions,
        "sign",
        "signs the manifest as it is, with a new serial",
        "terminal-kit feed sign feed --expires-in 90d",
    )
    sign.add_argument("folder", type=Path)
    sign.add_argument("--expires-in", type=lifetime_s, help="terminals that have not seen it refuse it after that")
    _add_key(sign)
    sign.set_defaults(run=run_sign)


def run_init(chosen: argparse.Namespace) -> int:
    """Makes a feed and tells where its key is."""
    store = FeedStore()
    made = Publication.init(chosen.folder, store, _now_us(), key=chosen.key)
    private, public = store.key_paths(made.key_id)
    private = chosen.key or private
    print(f"{printable(str(chosen.folder))} is a feed without releases, signed")
    print(f"public key:  {printable(str(public))}  (for whoever uses the feed elsewhere)")
    print(f"private key: {printable(str(private))}  (for imgtool sign -k; keep it to yourself)")
    return 0


def run_add(chosen: argparse.Namespace) -> int:
    """Adds a release."""
    draft = Draft(
        id=chosen.id,
        version=chosen.version,
        released_at=dict(chosen.released_at or [(ANY, _now_us())]),
        device_types=tuple(chosen.device_type or ()),
        locations=tuple(chosen.location or (ANY,)),
        from_versions=tuple(chosen.from_version or (ANY,)),
        required_at=dict(chosen.required_at or ()),
        minimum_battery=chosen.minimum_battery,
        estimated_time=EstimatedUpdateTime(chosen.estimated_time) if chosen.estimated_time else None,
        share=chosen.share,
    )
    feed = _open(chosen)
    print(_summary(feed.add(draft, chosen.image, _now_us(), raw=chosen.raw)))
    return _told(chosen, feed)


def run_stage(chosen: argparse.Namespace) -> int:
    """Sets a share, and says what that means for readers."""
    feed = _open(chosen)
    before = feed.stage(chosen.release, chosen.share, _now_us()).share
    means = "the same" if chosen.share == before else "this only adds readers"
    if chosen.share < before:
        means = "fewer readers are offered it; those that have installed it keep it"
    print(f"{printable(chosen.release)}: {before:.4g} → {chosen.share:.4g} of the readers: {means}")
    return _told(chosen, feed)


def run_pause(chosen: argparse.Namespace) -> int:
    """Pauses a release."""
    feed = _open(chosen)
    feed.pause(chosen.release, _now_us())
    print(f"{printable(chosen.release)} is paused: no reader is offered it until `feed resume`")
    return _told(chosen, feed)


def run_resume(chosen: argparse.Namespace) -> int:
    """Resumes a release."""
    feed = _open(chosen)
    share_now = feed.resume(chosen.release, _now_us()).share
    print(f"{printable(chosen.release)} is offered to {share_now:.4g} of the readers")
    return _told(chosen, feed)


def run_withdraw(chosen: argparse.Namespace) -> int:
    """Withdraws a release."""
    feed = _open(chosen)
    feed.withdraw(chosen.release, _now_us())
    print(f"{printable(chosen.release)} is withdrawn; readers that have installed it keep it")
    return _told(chosen, feed)


def run_sign(chosen: argparse.Namespace) -> int:
    """Signs the manifest."""
    feed, now_us = _open(chosen), _now_us()
    feed.sign(now_us, expires_us=now_us + round(chosen.expires_in * 1e6) if chosen.expires_in else None)
    return _told(chosen, feed)


def run_check(chosen: argparse.Namespace) -> int:
    """Prints a line a release where all is well. Raises the first fault, with its place."""
    feed = Feed(chosen.feed, key=chosen.key)
    manifest = asyncio.run(feed.check(_now_us()))
    until = "" if manifest.expires is None else f", expires {time_text(manifest.expires)}"
    for release in manifest.releases:
        print(_summary(release) + _share_words(release, chosen.serial))
    print(f"{printable(feed.address)} is good: serial {manifest.serial}, issued {time_text(manifest.issued)}{until}")
    return 0


def share(text: str) -> float:
    """A share of readers, 0…1, from `0.1` or `10%`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(%?)", text.strip(), re.ASCII)
    part = float(match[1]) / (100 if match[2] else 1) if match else -1.0
    if not 0 <= part <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share; write 0 to 1, or 0% to 100%")
    return part


def lifetime_s(text: str) -> float:
    """How long a signature is good, in seconds."""
    seconds = values.duration_s(text)
    try:
        time_text(_now_us() + round(seconds * 1e6))
    except OverflowError as error:
        raise argparse.ArgumentTypeError(f"{text!r} from now is after the year 9999") from error
    return seconds


def release_id(text: str) -> str:
    """A release's id."""
    return _named(text, NAME, "id")


def version(text: str) -> str:
    """A reader's version."""
    return _named(text, VERSION, "version")


def from_version(text: str) -> str:
    """A version, or `*`."""
    return text if text == ANY else version(text)


def _named(text: str, pattern: str, what: str) -> str:
    if not re.fullmatch(pattern, text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no {what}; write up to 64 letters, digits, dots and dashes, a letter or digit first"
        )
    return text


def located_time(text: str) -> tuple[str, int]:
    """A time for every location, or `tml_…=TIME` for one: location and UTC microseconds."""
    place, _, when = text.rpartition("=")
    try:
        return location(place or ANY), time_of(when)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from error


def location(text: str) -> str:
    """A location's id, or `*`."""
    return text if text == ANY else values.location_id(text)


def image_file(text: str) -> ImageFile:
    """A path, or `COMPONENT=PATH` where the image does not say what it is for."""
    name, _, path = text.rpartition("=")
    if name.upper() in UpdateComponent.__members__:
        return ImageFile(Path(path), UpdateComponent[name.upper()])
    return ImageFile(Path(text))


def _add_add(actions: Commands) -> None:
    add = command(actions, "add", "adds a release of one or more images", _ADD)
    add.add_argument("folder", type=Path)
    add.add_argument(
        "image",
        nargs="+",
        type=image_file,
        metavar="[COMPONENT=]FILE",
        help="an image signed by the feed's key (imgtool sign -k); COMPONENT is firmware, config, keys or incremental",
    )
    add.add_argument("--id", type=release_id, required=True, help="the release's name, which is never used again")
    add.add_argument(
        "--version", type=version, required=True, help="FIRMWARE-CONFIG-KEYPROFILE of a reader that has it"
    )
    add.add_argument("--raw", action="store_true", help="the files are no images yet: wrap and sign them")
    add.add_argument("--device-type", action="append", choices=(*_TYPES, ANY), help="default: those the images name")
    add.add_argument("--location", action="append", type=location, metavar="tml_…", help="default: all")
    add.add_argument(
        "--from",
        dest="from_version",
        action="append",
        type=from_version,
        metavar="VERSION",
        help="default: any version",
    )
    add.add_argument(
        "--released-at", action="append", type=located_time, metavar="[tml_…=]TIME", help="default: now, everywhere"
    )
    add.add_argument(
        "--required-at", action="append", type=located_time, metavar="[tml_…=]TIME", help="default: it stays optional"
    )
    add.add_argument(
        "--minimum-battery",
        type=values.level,
        default=MINIMUM_BATTERY,
        help="it begins above this level only (default: %(default)s, and no less)",
    )
    add.add_argument(
        "--estimated-time", choices=[str(known) for known in EstimatedUpdateTime], help="default: by its components"
    )
    add.add_argument("--share", type=share, default=1.0, help="of the readers, 0 to 1 or per cent (default: all)")
    _add_key(add)
    add.set_defaults(run=run_add)


def _steering(
    actions: Commands, name: str, summary: str, run: Callable[[argparse.Namespace], int], example: str
) -> argparse.ArgumentParser:
    parser = command(actions, name, summary, f"terminal-kit feed {name} feed {example}")
    parser.add_argument("folder", type=Path)
    parser.add_argument("release", help="its id")
    _add_key(parser)
    parser.set_defaults(run=run)
    return parser


def _add_key(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--key", type=Path, help="the feed's key (default: the one that was made here)")


def _open(chosen: argparse.Namespace) -> Publication:
    return Publication(chosen.folder, FeedStore(), key=chosen.key)


def _told(chosen: argparse.Namespace, feed: Publication) -> int:
    folder = printable(str(chosen.folder))
    if feed.is_signed:
        until = "" if feed.manifest.expires is None else f", until {time_text(feed.manifest.expires)}"
        print(f"{folder}: serial {feed.manifest.serial}, signed by {shown_id(feed.key_id)}{until}")
    else:
        print(f"{folder}: serial {feed.manifest.serial}, not signed: run terminal-kit feed sign where the key is")
    return 0


def _summary(release: Release) -> str:
    state = "withdrawn" if release.withdrawn else "paused" if release.paused else f"share {release.share:.4g}"
    flags = sum(component.part().component for component in release.components)
    places = (", ".join(release.device_types), ", ".join(release.locations))
    return printable(f"{release.id:<24} {release.version}  {component_words(flags)}  {' at '.join(places)}  {state}")


def _share_words(release: Release, serial: str | None) -> str:
    if serial is None:
        return ""
    place = "in its share" if is_in_share(release.id, serial, release.share) else "not in its share"
    return printable(f"  {serial} is {place}")


def _now_us() -> int:
    return time.time_ns() // 1000
