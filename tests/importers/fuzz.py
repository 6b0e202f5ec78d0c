"""Coverage-guided fuzzing of whatever decodes what strangers wrote.

`python tests/importers/fuzz.py TARGET --seconds N` feeds a target until the time is over; it ends with 0 where nothing
was raised but `CaptureFormatError`. `--list` names the targets, `--corpus` is a folder to begin with and to add to; what
broke a target is left in the working folder as `crash-…`, and `--again FILE` gives it to the target once more.
"""

import argparse
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["terminal_kit.importers"]):
    from capture_packets import BEGIN_US, packets, read
    from capture_writers import COMPRESS, FORMS, Packet, btsnooz_block, bug_report, tarred, zipped
    from hci_packets import Venue
    from reading_rows import read_capture, read_log

    from terminal_kit.errors import CaptureFormatError
    from terminal_kit.importers import archives
    from terminal_kit.importers.captures import containers
    from terminal_kit.importers.content import Content


@dataclass(frozen=True)
class Target:
    """`feed` is given any bytes; `seeds` are some that it should know how to read."""

    feed: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]


def feed_container(data: bytes) -> None:
    """Reads a capture, whatever it is."""
    with contextlib.suppress(CaptureFormatError):
        read(data)


def container(prefix: str) -> Target:
    """The containers whose names in `FORMS` begin so."""
    forms = [form for name, form in FORMS.items() if name.startswith(prefix)]
    return Target(feed_container, lambda: [form.write(packets(form, 12)) for form in forms])


def feed_btsnooz(data: bytes) -> None:
    """What lies behind the base64 of a bug report: a fuzzer does not find its way through it."""
    feed_container(bug_report([data], end_mark=len(data) % 2 == 0))


def feed_archive(data: bytes) -> None:
    """Opens an archive, and sniffs what is in it."""
    for each in archives.members(Content("any", data)):
        with contextlib.suppress(CaptureFormatError):
            containers.sniff(each)


def archive_seeds() -> Iterable[bytes]:
    files = {"a/hci.log": FORMS["btsnoop-1002"].write(packets(FORMS["btsnoop-1002"], 4)), "b.txt": b"a log\n" * 9}
    yield zipped(files)
    yield tarred(files)
    for pack in COMPRESS.values():
        yield pack(b"a log\n" * 9)
        yield pack(tarred(files))
    yield zipped({"in.zip": zipped(files)})


def feed_decoder(data: bytes) -> None:
    """HCI packets one after the other: kind and direction, length, and as many bytes as there are."""
    found, at = [], 0
    while at + 2 <= len(data):
        kind, length = data[at], data[at + 1]
        found.append(Packet(BEGIN_US + at * 1000, kind % 5 + 1, kind >> 7, data[at + 2 : at + 2 + length]))
        at += 2 + length
    read_capture(FORMS["btsnoop-1002"].write(found))


def decoder_seeds() -> Iterable[bytes]:
    for seed in range(3):
        venue = Venue(seed, devices=3).packets(40)
        yield b"".join(
            bytes((packet.kind - 1 | packet.direction << 7, min(255, len(packet.payload)))) + packet.payload[:255]
            for packet in venue
        )


LOG_SEEDS = (
    b"01-07 08:24:02.064  1372  1983 D StripeTerminal: class=Terminal message=discoverReaders\n",
    b'I/StripeTerminal(10): class=DisconnectReasonRepository message="Disconnect reason set to POWERED_OFF at 9"\n',
    b' LOG  [Stripe terminal]: didReportReaderSoftwareUpdateProgress {"progress": "0.26"}\n',
    b'[Stripe terminal]: didUpdateDiscoveredReaders Array [\n  Object {\n    "serialNumber": "1",\n  },\n]\n',
    b'"l scope=SCPTerminal event=state_change logpoint_level=info reader_status=connecting time=1649065225850"\n',
    b'Error Domain=com.stripe-terminal Code=2320 "Off." UserInfo={a=b}\n',
    b"2021-12-24 16:05:01.814 Log.w onUnexpectedReaderDisconnect\xef\xbc\x9aDevice STRM26138002625 DISCONNECTED\n",
    b"05-22 18:10:13.000 1 2 D BluetoothGatt: onClientConnectionState() - status=8 clientIf=7 device=00:11:22:33:44:55\n",
)


def feed_log(data: bytes) -> None:
    """A log of an app: every line is counted once, whatever it holds."""
    read_log(data)


TARGETS: dict[str, Target] = {
    "hci": Target(feed_decoder, decoder_seeds),
    "sdk_log": Target(feed_log, lambda: (*LOG_SEEDS, b"".join(LOG_SEEDS))),
    "btsnoop": container("btsnoop-"),
    "packetlogger": container("packetlogger"),
    "pcap": container("pcap-"),
    "pcapng": container("pcapng"),
    "btsnooz": Target(feed_btsnooz, lambda: [btsnooz_block(packets(FORMS[f"btsnooz-{n}"], 12), n) for n in (1, 2)]),
    "bug_report": container("btsnooz"),
    "archives": Target(feed_archive, archive_seeds),
}
"""Every decoder of what strangers wrote, by name."""


ROUND_S = 45
"""Seconds after which a fresh process goes on with the corpus: Atheris keeps every array that was compared."""


def run(target: Target, seconds: float, corpus: Path) -> None:
    """Feeds a target; the process ends with it."""
    for number, seed in enumerate(target.seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = [f"-max_total_time={int(seconds)}", "-timeout=20", "-rss_limit_mb=4000", "-max_len=4096", str(corpus)]
    atheris.Setup([sys.argv[0], *options], atheris.instrument_func(target.feed))
    atheris.Fuzz()


def rounds(name: str, seconds: float, corpus: Path) -> int:
    """Feeds a target in several processes, one after the other; gives the exit code of the first that fails."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) >= 1:
        command = [sys.executable, __file__, name, "--round", "--seconds", str(min(ROUND_S, left)), "--corpus", corpus]
        if code := subprocess.run(command, check=False).returncode:
            return code
    return 0


def main() -> int:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description="Feeds a decoder with what it has never seen.")
    parser.add_argument("target", nargs="?", choices=TARGETS)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--again", type=Path)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--round", action="store_true", help="one of the processes that `--seconds` are parted into")
    chosen = parser.parse_args()
    if chosen.list or chosen.target is None:
        print(*TARGETS, sep="\n")
        return 0
    target = TARGETS[chosen.target]
    if chosen.again:
        target.feed(chosen.again.read_bytes())
        return 0
    with tempfile.TemporaryDirectory() as folder:
        corpus = chosen.corpus or Path(folder)
        corpus.mkdir(parents=True, exist_ok=True)
        if not chosen.round:
            return rounds(chosen.target, chosen.seconds, corpus)
        run(target, chosen.seconds, corpus)
    return 0


if __name__ == "__main__":
    sys.exit(main())
