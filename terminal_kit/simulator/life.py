"""A reader's life as a model without I/O and without a clock: power, battery, standby, restarts, and what it reports.

Whoever serves it asks `next_deadline_s()`, lets time pass with `advance()`, and carries out `take_outputs()`.
The same seed and the same calls give the same life. Figures that the vendor does not publish are assumptions, stated
where they stand.
"""

import math
import random
from collections.abc import Callable

from terminal_kit import profile
from terminal_kit.errors import InvalidParameterError
from terminal_kit.events import DisconnectReason
from terminal_kit.profile import BatteryState, Notice, NoticeCode, ReaderState, StateFlag
from terminal_kit.reader import LOW_BATTERY, DeviceType
from terminal_kit.simulator import figures
from terminal_kit.simulator.deadlines import Deadlines
from terminal_kit.simulator.gatt import Leave, Notify, Output, Vanish


class Life:
    """One life. It knows time only by `advance()`, and its host only by what `link_opened()` and its kin tell."""

    def __init__(
        self, device_type: DeviceType, *, battery: float, charging: bool, uptime_s: float, rng: random.Random
    ) -> None:
        self.device_type = device_type
        self.battery = battery
        self.charging = charging
        self.host_rssi_dbm: int | None = None
        self.is_on = True
        self.is_booting = False
        self.is_hung = False
        self.delay_s = 0.0
        self.is_switched_off = False
        self.boots_in_s: float | None = None  # None: what its device type takes
        self.hangs_up_with: int | None = None  # None: the link-layer code that fits the reason
        self._rng = rng
        self._started_s = -uptime_s
        self._drain_per_h: float | None = None
        self._peer: str | None = None
        self._subscribed: set[str] = set()
        self._outputs: list[Output] = []
        self._flags = StateFlag(0)
        self._boots = 1
        self._stop_reason = DisconnectReason.UNKNOWN
        self._link_code: int | None = None
        self._reported: tuple[int, bool] | None = None
        self._deadlines = Deadlines()
        self._handlers: dict[str, Callable[[], None]] = {
            "booted": self._booted,
            "power fails": self.cut_power,
            "gone": self._gone,
            "standby": self._enter_standby,
            "idle": self._power_down_idle,
            "restart": lambda: self.reboot(DisconnectReason.SECURITY_REBOOT),
            "state": self._report_state,
            "battery": self._report_battery,
            "true battery": self._true_battery,
            "low": self._report_battery,
            "flat": self._flat,
        }
        self._leaving: tuple[DisconnectReason, Callable[[], None] | None] = (DisconnectReason.UNKNOWN, None)
        self._leave_with = figures.REMOTE_USER_TERMINATED
        self._arm()

    # ---- the link

    def link_opened(self, peer: str) -> None:
        """A host with this address is connected."""
        self._peer = peer
        self._subscribed.clear()
        self._reported = None
        self._wake()

    def link_closed(self, hci_code: int) -> None:
        """The link is over, as the reader's own controller saw it."""
        self._peer, self._link_code = None, hci_code
        self._subscribed.clear()
        self._deadlines.drop("state", "battery")

    def subscribe(self, uuid: str, on: bool) -> None:
        """The host's choice of notifications."""
        (self._subscribed.add if on else self._subscribed.discard)(uuid)
        if uuid == profile.STATE:
            self._deadlines.set("state", figures.STATE_REPORT_S if on else None)
        if uuid in (profile.BATTERY_LEVEL, profile.BATTERY_LEVEL_STATUS) and on:
            self._reported = self._battery_now()
            self._deadlines.set("battery", figures.BATTERY_REPORT_S)

    # ---- time

    @property
    def uptime_s(self) -> float:
        """Seconds since it started."""
        return self._deadlines.now_s - self._started_s if self.is_on else 0.0

    def next_deadline_s(self) -> float:
        """Seconds until something happens by itself; infinite if never."""
        return self._deadlines.next_s()

    def advance(self, seconds: float) -> None:
        """Lets time pass, from deadline to deadline, so that one long step equals many short ones."""
        end_s = self._deadlines.now_s + seconds
        while due := self._deadlines.first_until(end_s):
            name, at_s = due
            self._pass_to(max(self._deadlines.now_s, at_s))
            self._deadlines.drop(name)
            self._handlers[name]()
        self._pass_to(max(self._deadlines.now_s, end_s))

    def take_outputs(self) -> list[Output]:
        """What it did by itself since the last call, in order."""
        outputs, self._outputs = self._outputs, []
        return outputs

    # ---- life on request

    @property
    def response_delay_s(self) -> float:
        """How much longer than usual every answer takes; infinite while the firmware hangs."""
        return math.inf if self.is_hung else self.delay_s

    def switch_off(self, *, farewell: bool = True) -> None:
        """The power switch; without a farewell it is a battery pulled out."""
        self.is_switched_off = True
        if not self.is_on:
            return
        if farewell:
            self._stop(DisconnectReason.POWERED_OFF, figures.REMOTE_POWER_OFF)
        else:
            self._vanish(DisconnectReason.POWERED_OFF)

    def cut_power(self) -> None:
        """A brown-out: it is gone without a word, and starts again by itself."""
        if self.is_on:
            self._vanish(DisconnectReason.UNKNOWN)
            self.start()

    def switch_on(self) -> None:
        """The power switch, the other way."""
        self.is_switched_off = False
        self.start()

    def start(self) -> None:
        """Starts it, unless it is switched off or the battery is flat."""
        if "gone" in self._deadlines:
            self._deadlines.drop("gone")
            self._gone()
        flat = self.battery <= figures.POWERS_OFF_AT and not self.charging
        if not (self.is_on or self.is_switched_off or flat):
            self._power(on=True)

    def reboot(self, reason: DisconnectReason = DisconnectReason.REBOOT_REQUESTED) -> None:
        """Leaves, restarts, and comes back (R1, R2)."""
        if self.is_on:
            self._stop(reason, figures.REMOTE_USER_TERMINATED, then=self.start)

    def leave(self, reason: DisconnectReason, hci_code: int = figures.REMOTE_USER_TERMINATED) -> None:
        """Ends its link after a farewell, and stays on."""
        if self._peer is not None and "gone" not in self._deadlines:
            self._say_goodbye(reason, hci_code, None)

    def set_battery(self, level: float) -> None:
        """Sets the level, 0…1."""
        if not 0 <= level <= 1:
            raise InvalidParameterError(f"a battery cannot be at {level}", parameter="level", value=level)
        self.battery = level
        self._arm()
        self._report_battery()

    def set_charging(self, on: bool) -> None:
        """Plugs it in, or out."""
        self.charging = on
        self._arm()
        self._report_battery()

    def drain(self, per_hour: float | None) -> None:
        """Empties it at this share an hour; None for its natural rate."""
        self._drain_per_h = per_hour
        self._arm()

    def false_battery_reading(self) -> None:
        """Reports one 0 between two healthy levels (B3)."""
        self._notify(profile.BATTERY_LEVEL, profile.encode_battery_level(0.0))
        self._notify(profile.BATTERY_LEVEL_STATUS, BatteryState(0.0, self.charging).encode())
        self._deadlines.set("true battery", 2.0)

    def hang(self, on: bool) -> None:
        """The firmware answers nothing more; the link layer lives on."""
        self.is_hung = on

    def slow(self, delay_s: float) -> None:
        """Every answer takes this much longer."""
        self.delay_s = delay_s

    def set_busy(self, on: bool) -> None:
        """A transaction begins or ends."""
        self._flag(StateFlag.BUSY, on, NoticeCode.BUSY_STARTED, NoticeCode.BUSY_ENDED)

    def insert_card(self) -> None:
        """A card goes in (B4)."""
        self._flag(StateFlag.CARD_INSERTED, True, NoticeCode.CARD_INSERTED, NoticeCode.CARD_REMOVED)

    def remove_card(self) -> None:
        """The card comes out (B4)."""
        self._flag(StateFlag.CARD_INSERTED, False, NoticeCode.CARD_INSERTED, NoticeCode.CARD_REMOVED)

    # ---- inside

    def _rate_per_h(self) -> float:
        return figures.rate_per_h(
            self.device_type,
            is_on=self.is_on,
            charging=self.charging,
            standby=StateFlag.STANDBY in self._flags,
            forced=self._drain_per_h,
        )

    def _pass_to(self, now_s: float) -> None:
        seconds = now_s - self._deadlines.now_s
        self.battery = min(1.0, max(0.0, self.battery + self._rate_per_h() * seconds / 3600))
        self._deadlines.now_s = now_s

    def _arm(self) -> None:
        """Sets the deadlines that follow from the state."""
        rate = self._rate_per_h()
        flat = self.is_on and rate < 0 and not self.charging
        self._deadlines.set("flat", max(0.0, (self.battery - figures.POWERS_OFF_AT) / -rate * 3600) if flat else None)
        sinks = flat and self.battery > LOW_BATTERY
        self._deadlines.set("low", (self.battery - LOW_BATTERY) / -rate * 3600 + 1 if sinks else None)
        reboots = self.is_on and self.device_type is not DeviceType.CHIPPER_2X
        self._deadlines.set("restart", max(0.0, figures.SECURITY_REBOOT_S - self.uptime_s) if reboots else None)
        if self.is_on and not self.charging:
            self._deadlines.keep("idle", figures.IDLE_POWER_DOWN_S)
        else:
            self._deadlines.drop("idle")
        if self.is_on and StateFlag.STANDBY not in self._flags:
            self._deadlines.keep("standby", figures.STANDBY_AFTER_S)

    def _wake(self) -> None:
        if StateFlag.STANDBY in self._flags:
            self._flag(StateFlag.STANDBY, False, NoticeCode.STANDBY_ENTERED, NoticeCode.STANDBY_LEFT)
        self._deadlines.drop("idle", "standby")
        self._arm()

    def _is_updating(self) -> bool:
        """Whether it is in the middle of an update, in which it neither sleeps nor powers down by itself."""
        return False

    def _run_bootloader(self) -> tuple[float, bool | None]:
        """The seconds before the application starts, and whether there is one; None: the power fails instead."""
        return 0.0, True

    def _lose_memory(self) -> None:
        """The power is gone, and with it all that was only in memory."""

    def _power_down_idle(self) -> None:
        if self._is_updating():
            self._deadlines.set("idle", figures.IDLE_POWER_DOWN_S)
        else:
            self._stop(DisconnectReason.IDLE_POWER_DOWN, figures.REMOTE_POWER_OFF)

    def _enter_standby(self) -> None:
        if StateFlag.BUSY in self._flags or self._is_updating():
            self._deadlines.set("standby", figures.STANDBY_AFTER_S)
            return
        self._flag(StateFlag.STANDBY, True, NoticeCode.STANDBY_ENTERED, NoticeCode.STANDBY_LEFT)
        self._arm()

    def _flat(self) -> None:
        self._stop(DisconnectReason.CRITICALLY_LOW_BATTERY, figures.REMOTE_LOW_RESOURCES)

    def _stop(self, reason: DisconnectReason, hci_code: int, then: Callable[[], None] | None = None) -> None:
        """Says goodbye, ends the link a moment later, and powers down; `then` it may start again."""

        def down() -> None:
            self._power(on=False)
            if then is not None:
                then()

        if "gone" not in self._deadlines or self._leaving[1] is None:
            self._stop_reason = reason
            self._say_goodbye(reason, hci_code, down)

    def _say_goodbye(self, reason: DisconnectReason, hci_code: int, then: Callable[[], None] | None) -> None:
        self._leaving, self._leave_with = (reason, then), self.hangs_up_with or hci_code
        self._notice(NoticeCode.FAREWELL, reason)
        self._deadlines.set("gone", figures.GOODBYE_S if self._peer else 0.0)

    def _gone(self) -> None:
        reason, then = self._leaving
        if self._peer is not None:
            self._outputs.append(Leave(self._leave_with, reason, self._deadlines.now_s))
        if then is not None:
            then()

    def _vanish(self, reason: DisconnectReason) -> None:
        self._stop_reason = reason
        self._power(on=False)
        if self._peer is not None:
            self._outputs.append(Vanish(self._deadlines.now_s))
            self._peer = None
            self._subscribed.clear()

    def _power(self, *, on: bool) -> None:
        if not on:
            self._lose_memory()
        self.is_on = on
        self.is_booting = on
        self._deadlines.clear()
        self._flags = StateFlag(0)
        if on:
            self._boots += 1
            self._started_s = self._deadlines.now_s
            usual_s = self.boots_in_s or figures.BOOTS_IN_S[self.device_type]
            boots_in_s = usual_s * self._rng.uniform(0.9, 1.1)
            swaps_in_s, is_good = self._run_bootloader()
            if is_good is None:
                self._deadlines.set("power fails", swaps_in_s)
            elif is_good:
                self._deadlines.set("booted", swaps_in_s + boots_in_s)
        self._arm()

    def _booted(self) -> None:
        self.is_booting = False

    def _battery_now(self) -> tuple[int, bool]:
        return round(self.battery * 100), self.charging

    def _report_battery(self) -> None:
        if self._peer is None or not self._subscribed & {profile.BATTERY_LEVEL, profile.BATTERY_LEVEL_STATUS}:
            return
        self._deadlines.set("battery", figures.BATTERY_REPORT_S)
        if self._battery_now() != self._reported:
            self._true_battery()

    def _true_battery(self) -> None:
        self._reported = self._battery_now()
        self._notify(profile.BATTERY_LEVEL, profile.encode_battery_level(self.battery))
        self._notify(profile.BATTERY_LEVEL_STATUS, BatteryState(self.battery, self.charging).encode())

    def _report_state(self) -> None:
        self._notify(profile.STATE, self._state().encode())
        self._deadlines.set(
            "state", figures.STANDBY_REPORT_S if StateFlag.STANDBY in self._flags else figures.STATE_REPORT_S
        )

    def _state(self) -> ReaderState:
        return ReaderState(int(self.uptime_s), self._all_flags(), self.host_rssi_dbm)

    def _all_flags(self) -> StateFlag:
        return self._flags | StateFlag.CHARGING if self.charging else self._flags

    def _flag(self, flag: StateFlag, on: bool, entered: NoticeCode, left: NoticeCode) -> None:
        if on != (flag in self._flags):
            self._flags ^= flag
            self._notice(entered if on else left)
            if flag is not StateFlag.STANDBY:
                self._wake()

    def _notice(self, code: NoticeCode, reason: DisconnectReason | None = None) -> None:
        self._notify(profile.NOTICE, Notice(code, reason).encode())

    def _notify(self, uuid: str, value: bytes) -> None:
        if self._peer is not None and uuid in self._subscribed and not self.is_hung:
            self._outputs.append(Notify(uuid, value, self._deadlines.now_s))
