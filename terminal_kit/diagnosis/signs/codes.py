"""The link-layer code of the end of a link.

The codes' meaning: Core Vol 1 Part F, 2, and the facts about card readers in the field. A code says who ended a link
and seldom why, so its weight against what it excludes is larger than for what it allows.
"""

from terminal_kit.diagnosis.facts import Facts
from terminal_kit.diagnosis.signs.sign import Seen, Sign, sign
from terminal_kit.words import hci_words

CODES: list[Sign] = []


def _code(facts: Facts, *codes: int) -> Seen | None:
    link = facts.link
    if link.hci_code not in codes:
        return None
    return Seen(f"the link-layer code is {hci_words(link.hci_code)}", link.code_at)


@sign(
    CODES,
    range=1.0,
    body_or_interference_fade=1.0,
    reader_reset_or_power_loss=1.0,
    host_radio_overloaded=1.0,
    host_closed=-4.0,
    host_radio_off=-4.0,
    idle_power_down=-3.0,
    security_reboot=-3.0,
    internet_lost=-4.0,
    taken_by_another_host=-3.0,
    bond_lost=-3.0,
    failed_to_establish=-4.0,
)
def code_timeout(facts: Facts) -> Seen | None:
    """Nothing was heard for the supervision timeout: nobody ended it."""
    return _code(facts, 0x08) if facts.is_drop else None


_SAID_GOODBYE = {
    "range": -5.0,
    "body_or_interference_fade": -5.0,
    "host_radio_overloaded": -5.0,
    "failed_to_establish": -5.0,
    "host_radio_off": -4.0,
    "reader_reset_or_power_loss": -3.0,
}
"""A reader that hangs up itself was heard and had power, on a link that stood."""


@sign(
    CODES,
    reader_powered_off=1.0,
    idle_power_down=1.0,
    security_reboot=1.0,
    taken_by_another_host=1.0,
    critically_low_battery=0.5,
    internet_lost=0.5,
    host_closed=-3.0,
    firmware_hang=-3.0,
    **_SAID_GOODBYE,
)
def code_reader_ended(facts: Facts) -> Seen | None:
    """The reader hung up, and was well enough to say so."""
    return _code(facts, 0x13)


@sign(
    CODES,
    reader_powered_off=2.5,
    idle_power_down=1.5,
    critically_low_battery=1.0,
    security_reboot=1.0,
    host_closed=-4.0,
    taken_by_another_host=-2.0,
    firmware_hang=-4.0,
    **_SAID_GOODBYE,
)
def code_power_off(facts: Facts) -> Seen | None:
    """The reader hung up because it powers off, for whatever reason."""
    return _code(facts, 0x15)


@sign(
    CODES,
    critically_low_battery=3.5,
    reader_powered_off=0.5,
    host_closed=-4.0,
    **_SAID_GOODBYE,
)
def code_low_resources(facts: Facts) -> Seen | None:
    """The reader hung up for want of something, mostly power."""
    return _code(facts, 0x14)


@sign(
    CODES,
    host_closed=2.0,
    host_radio_off=1.0,
    firmware_hang=0.5,
    range=-4.0,
    body_or_interference_fade=-4.0,
    host_radio_overloaded=-3.0,
    reader_reset_or_power_loss=-4.0,
    reader_powered_off=-4.0,
    idle_power_down=-4.0,
    security_reboot=-4.0,
    critically_low_battery=-3.0,
    taken_by_another_host=-4.0,
    internet_lost=-2.0,
    failed_to_establish=-3.0,
)
def code_host_ended(facts: Facts) -> Seen | None:
    """The host hung up."""
    return _code(facts, 0x16) if facts.is_drop else None


@sign(CODES, bond_lost=4.5, range=-2.0, body_or_interference_fade=-2.0, cannot_tell=-2.0)
def code_keys(facts: Facts) -> Seen | None:
    """The keys of the two sides differ, or one side has none."""
    return _code(facts, 0x05, 0x06, 0x25, 0x29, 0x2F, 0x3D)


@sign(CODES, failed_to_establish=6.0, cannot_tell=-3.0, range=0.5)
def code_not_established(facts: Facts) -> Seen | None:
    """Six connection intervals without an answer."""
    link = facts.link
    if link.never_at is None:
        return None
    many = f" ({link.never_established} tries)" if link.never_established > 1 else ""
    return Seen(f"the reader never answered the connection request: {hci_words(0x3E)}{many}", link.never_at)


@sign(
    CODES,
    firmware_hang=4.5,
    range=0.5,
    body_or_interference_fade=0.5,
    host_closed=-4.0,
    host_radio_off=-4.0,
    cannot_tell=-2.5,
)
def code_no_answer(facts: Facts) -> Seen | None:
    """A link-layer procedure got no answer in 40 s."""
    return _code(facts, 0x22)


@sign(CODES, body_or_interference_fade=2.0, range=1.0, firmware_hang=0.5, host_closed=-3.0)
def code_instant_passed(facts: Facts) -> Seen | None:
    """A change of parameters missed its moment: a weak or disturbed link."""
    return _code(facts, 0x28)


@sign(CODES, host_radio_overloaded=3.5, cannot_tell=-1.0)
def code_too_many(facts: Facts) -> Seen | None:
    """The host's controller has no room."""
    return _code(facts, 0x07, 0x09, 0x0D)
