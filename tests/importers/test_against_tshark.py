"""Against Wireshark on the same files: advertisements, connections, disconnections, ATT errors.

Differences are explained one by one, here where they are allowed:

- tshark has no reader for btsnooz, so generated captures are compared in every other container.
- pcap's link type 187 tells no direction of data: ATT errors are left out of its comparison.
- An advertisement that a controller reports in fragments counts once with us, once a fragment with tshark; generated
  captures have none.
- Where an advertising payload is malformed, tshark stops reading the report before its RSSI; ours lies where the
  report's own length says. Such frames (two of the samples') are left out on both sides.
- An RSSI of 127 means "not available": with us the cell is empty, tshark prints 127.
"""

import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import capture_writers as writers
import pytest
from hci_packets import Venue

from terminal_kit.events import Kind
from terminal_kit.importers.captures.tables import CaptureTables, read_tables

SAMPLES = Path(__file__).resolve().parents[2].parent / "shared" / "samples" / "captures"
FORMS = {name: form for name, form in writers.FORMS.items() if "btsnooz" not in name}
needs_tshark = pytest.mark.skipif(
    shutil.which("tshark") is None and not os.environ.get("CI"), reason="tshark is not installed"
)
pytestmark = [needs_tshark, pytest.mark.slow]


def tshark(path: Path, filtered: str, *fields: str) -> list[list[str]]:
    """What tshark says of the frames that a filter takes: a list of values for each."""
    chosen = [part for field in fields for part in ("-e", field)]
    command = ["tshark", "-n", "-r", str(path), "-Y", filtered, "-T", "fields", "-E", "occurrence=a", *chosen]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines() if line]


def their_advertisements(path: Path) -> Counter[tuple[int, int]]:
    rows = tshark(path, "bthci_evt.code == 0x3e", "frame.number", "bthci_evt.le_meta_subevent", "bthci_evt.rssi")
    found: Counter[tuple[int, int]] = Counter()
    for frame, subevent, rssi in rows:
        if int(subevent.split(",")[0], 0) in (0x02, 0x0B, 0x0D):
            found.update((int(frame), int(value)) for value in rssi.split(",") if value)
    return found


def our_advertisements(tables: CaptureTables) -> Counter[tuple[int, int]]:
    rows = tables.advertisements[["record", "rssi_dbm"]].fillna(127)
    return Counter((record + 1, int(rssi)) for record, rssi in rows.itertuples(index=False))


def ours(tables: CaptureTables, *kinds: Kind, columns: tuple[str, ...]) -> list[tuple[int, ...]]:
    rows = tables.events[tables.events["kind"].isin([kind.value for kind in kinds])]
    told = rows.reindex(columns=["record", *columns])
    return sorted(
        (int(record) + 1, *(round(float(cell), 3) for cell in cells)) for record, *cells in told.itertuples(index=False)
    )


def compare(path: Path, *, att: bool = True) -> int:
    """Compares a file; gives how many facts were the same."""
    tables = read_tables(path)
    malformed = {int(frame) for frame, *_ in tshark(path, "_ws.malformed", "frame.number")}
    theirs, mine = (
        Counter({key: count for key, count in found.items() if key[0] not in malformed})
        for found in (their_advertisements(path), our_advertisements(tables))
    )
    assert mine == theirs

    rows = tshark(
        path,
        "bthci_evt.le_meta_subevent in {0x01, 0x0a} && bthci_evt.status == 0",
        "frame.number",
        "bthci_evt.le_con_interval",
        "bthci_evt.le_con_latency",
        "bthci_evt.le_supv_timeout",
    )
    made = sorted((int(n), int(i, 0) * 1.25, float(int(l, 0)), int(t, 0) / 100) for n, i, l, t in rows)
    columns = ("interval_ms", "peripheral_latency", "supervision_timeout_s")
    assert ours(tables, Kind.LINK_CONNECTED, columns=columns) == made

    rows = tshark(path, "bthci_evt.code == 0x05 && bthci_evt.status == 0", "frame.number", "bthci_evt.reason")
    ended = sorted((int(n), float(int(reason, 0))) for n, reason in rows)
    known = ours(tables, Kind.LINK_DISCONNECTED, columns=("hci_code",))
    # Classic links end by the same event: ours are those of LE alone.
    assert set(known) <= set(ended)
    classic = {int(n) for n, *_ in tshark(path, "bthci_evt.code == 0x03", "frame.number")}
    if not classic:
        assert known == ended

    refused: list[tuple[int, ...]] = []
    if att:
        rows = tshark(path, "btatt.opcode == 0x01", "frame.number", "btatt.error_code")
        refused = sorted((int(n), float(int(code, 0))) for n, code in rows)
        assert ours(tables, Kind.ATT_ERROR, columns=("att_code",)) == refused
    return sum(theirs.values()) + len(made) + len(ended) + len(refused)


@pytest.mark.parametrize("name", sorted(FORMS))
def test_generated_captures(name: str, tmp_path: Path) -> None:
    path = tmp_path / "capture"
    form = FORMS[name]
    packets = [packet for packet in Venue(11, devices=25).packets(1500) if packet.kind in form.kinds]
    path.write_bytes(form.write(packets))
    assert compare(path, att=form.data_directions) > 800


@pytest.mark.parametrize("name", ["wban.btsnoop", "cnrd_yeelock.btsnoop", "csacca_horizon.btsnoop", "isap_2010.pklg"])
def test_samples_of_the_field(name: str) -> None:
    path = SAMPLES / name
    if not path.exists():
        pytest.skip("the samples are not at hand")
    compare(path)
