"""Writes events until it is killed; prints `ack N` when N events are durable. Run as: crash_writer.py LOG."""

import random
import sys

from terminal_kit.eventlog import EventLog
from terminal_kit.events import Event

with EventLog(sys.argv[1]) as log:
    rng = random.Random()
    while True:
        for number in range(rng.randint(1, 30)):
            kind = "disconnected" if rng.random() < 0.1 else "signal"
            log.append(Event(kind=kind, t_us=number, reader="A", text="x" * rng.randint(0, 400)), run="r")
        log.flush()
        print("ack", log.last_seq(), flush=True)
