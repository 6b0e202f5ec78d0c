"""Says what a log holds, then writes to it until it is killed. Run as: crash_writer.py LOG.

Prints `found N` for a log of N rows without gaps, then `ack N` whenever N rows are durable.
"""

import random
import sys

from terminal_kit.eventlog import EventLog
from terminal_kit.events import Event

with EventLog(sys.argv[1]) as log:
    seqs = [event.seq for event in log.events()]
    assert seqs == list(range(1, len(seqs) + 1)), "there are gaps"
    print("found", len(seqs), flush=True)
    rng = random.Random()
    run = log.start_run(radio="simulated")
    while True:
        for number in range(rng.randint(1, 30)):
            kind = "disconnected" if rng.random() < 0.1 else "signal"
            run.append(Event(kind=kind, t_us=number, reader="A", text="x" * rng.randint(0, 400)))
        log.flush()
        print("ack", log.last_seq(), flush=True)
