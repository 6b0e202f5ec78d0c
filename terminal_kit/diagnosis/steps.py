"""What to do next about each cause, and which evidence to collect where the cause cannot be told."""

from collections.abc import Sequence

from terminal_kit.diagnosis.facts import Facts
from terminal_kit.diagnosis.finding import Verdict
from terminal_kit.events import Cause

_STEPS: dict[Cause, tuple[str, ...]] = {
    Cause.RANGE: (
        "Keep the reader and the host within a room of each other, or move the host to where the reader is used.",
        "Compare the signal before the drops of several days: if it is always weak, the place is the reason.",
    ),
    Cause.BODY_OR_INTERFERENCE_FADE: (
        "Look at what stands between reader and host, and what else uses 2.4 GHz there (video links, ovens, Wi-Fi).",
        "Try a longer supervision timeout: what-if shows which drops it would have bridged.",
    ),
    Cause.READER_RESET_OR_POWER_LOSS: (
        "Check the battery's seat and the charger's contacts, and whether the firmware is the newest.",
        "If it happens at the same moment of a transaction, report it with these rows to the reader's maker.",
    ),
    Cause.READER_POWERED_OFF: ("Switch it on. Ask who uses it whether the key was pressed by mistake.",),
    Cause.IDLE_POWER_DOWN: ("Switch it on. Leave it on a charger where it waits for hours: then it stays on.",),
    Cause.SECURITY_REBOOT: (
        "Nothing is wrong: it restarts once in 24 hours. Ask for a restart at a quiet hour to move it.",
        "Keep automatic reconnection on, so that it is back by itself.",
    ),
    Cause.CRITICALLY_LOW_BATTERY: ("Charge it. If it empties within a day, have the battery replaced.",),
    Cause.BOND_LOST: ("Forget the reader in the host's Bluetooth settings, then pair through the app.",),
    Cause.PAIRED_IN_SYSTEM_SETTINGS: (
        "Forget the reader in the system's Bluetooth settings; pair it only through the app.",
    ),
    Cause.TAKEN_BY_ANOTHER_HOST: (
        "Find the other phone or till that connects to this reader, and stop it or give it its own.",
    ),
    Cause.HOST_RADIO_OFF: ("Turn the host's Bluetooth on, and give the app the right to use it.",),
    Cause.HOST_CLOSED: (
        "Look in the app for what calls disconnect, or for the system closing it in the background.",
        "Do not disconnect to save power: the reader has its own standby.",
    ),
    Cause.HOST_RADIO_OVERLOADED: (
        "Close other Bluetooth links of the host, and do not scan without a pause while connected.",
    ),
    Cause.FAILED_TO_ESTABLISH: ("Bring the reader closer and try again; one failure in a row of tries is usual.",),
    Cause.FIRMWARE_HANG: (
        "Hold the reader's power key until it restarts. If it comes again, update its software.",
        "Report it with these rows to the reader's maker.",
    ),
    Cause.UPDATE_REBOOT: ("Nothing is wrong: it restarts into the new software and comes back.",),
    Cause.INTERNET_LOST: ("Check the host's network: the reader leaves when it stays without the internet.",),
}


def next_steps(facts: Facts, verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    """What to do about the first cause, and what would settle it where it is not sure."""
    first = verdicts[0]
    steps = list(_STEPS.get(first.cause, ()))
    if first.confidence < 0.8 or first.cause is Cause.CANNOT_TELL:
        steps += _evidence_to_collect(facts)
    return tuple(dict.fromkeys(steps))


def _evidence_to_collect(facts: Facts) -> list[str]:
    link, after = facts.link, facts.after
    at = facts.scope.incident.rows[0]
    wanted: list[str] = []
    is_imported = facts.scope.rows.number("source", at) is not None
    is_capture = facts.scope.rows.is_capture(at)
    if link.hci_code is None:
        wanted.append(
            "Turn on the phone's Bluetooth HCI log and pull a bug report within 9 minutes of the next drop: "
            "a busy phone keeps no more. It has the link-layer code."
        )
    if is_capture:
        wanted.append("Import the app's log of the same time: it tells what the app did and what the reader said.")
    if facts.signal.at is None or (facts.signal.age_s or 0) > 25:
        wanted.append("Let the host scan beside the link, so that the signal before and after a drop is known.")
    if after.listened_s < 20 and after.heard_after_s is None:
        wanted.append("Let it listen after the drop for a minute: whether the reader advertises tells off from near.")
    if not is_imported and after.started_at is None and after.boots_after is None:
        wanted.append("Connect it again and record: a reader of this kit then says why it stopped.")
    if facts.reader.battery is None:
        wanted.append("Note the reader's battery level and how long it has been on.")
    return wanted
