"""Incidents of the reader: power, restarts, its battery, its bonds, its firmware, its updates."""

from dataclasses import replace
from unittest.mock import patch

from terminal_kit.errors import TerminalError
from terminal_kit.events import Cause, DisconnectReason, UpdateComponent
from terminal_kit.simulator import outcomes

from .scene import NothingHappenedError, Scene
from .story import Story

HOUR_S = 3600.0


async def power_blip(scene: Scene) -> None:
    """A loose battery contact: gone without a word, and it starts again."""
    await scene.set_out()
    scene.mark()
    scene.fault("cut_power")
    await scene.until_lost()
    await scene.finish()


async def crash(scene: Scene) -> None:
    """The firmware crashes and is back within seconds, often before the host has noticed."""
    scene.model.boots_in_s = scene.rng.uniform(0.5, 2.5)
    await power_blip(scene)


async def long_boot(scene: Scene) -> None:
    """A reader that takes long to start."""
    scene.model.boots_in_s = scene.rng.uniform(20.0, 45.0)
    await power_blip(scene)


async def battery_swapped(scene: Scene) -> None:
    """The battery is taken out, and put back."""
    await scene.set_out()
    scene.mark()
    with scene.reader.handled() as model:
        model.cut_power()
        model.is_switched_off = True
        model._power(on=False)
    await scene.until_lost()
    await scene.wait(scene.rng.uniform(5.0, 60.0))
    with scene.reader.handled() as model:
        model.switch_on()
    await scene.finish()


async def switched_off(scene: Scene) -> None:
    """Somebody presses the power key, and it stays off."""
    await scene.set_out()
    scene.mark()
    scene.fault("switch_off", farewell=True)
    await scene.until_lost()
    await scene.finish()


async def off_and_on(scene: Scene) -> None:
    """Switched off, and on again after a while."""
    await scene.set_out()
    scene.mark()
    off = scene.fault("switch_off", farewell=True)
    await scene.until_lost()
    await scene.wait(scene.rng.uniform(5.0, 120.0))
    off.undo()
    await scene.finish()


async def off_without_a_word(scene: Scene) -> None:
    """Held down until it dies: no farewell. Some are switched on again."""
    await scene.set_out()
    scene.mark()
    off = scene.fault("switch_off", farewell=False)
    await scene.until_lost()
    await scene.wait(scene.rng.uniform(10.0, 120.0))
    if scene.rng.random() < 0.6:
        off.undo()
    await scene.finish()


async def idle(scene: Scene) -> None:
    """Ten hours idle and not charging (R3), before its 24 hours are over (R2)."""
    with scene.reader.handled() as model:
        model._started_s = model._deadlines.now_s - scene.rng.uniform(300.0, 12 * HOUR_S)
        model._arm()
    await scene.set_out()
    await scene.scan_off()
    scene.mark()
    await scene.until_lost(11 * HOUR_S)
    await scene.finish()


async def daily_restart(scene: Scene) -> None:
    """Its 24 hours are over (R2)."""
    scene_s = scene.setting.connected_s + 150.0 * scene.setting.drops_before
    with scene.reader.handled() as model:
        model._started_s = model._deadlines.now_s - (24 * HOUR_S - scene_s - scene.rng.uniform(60.0, 900.0))
        model._arm()
    await scene.set_out()
    scene.mark()
    await scene.until_lost(2 * HOUR_S)
    await scene.finish()


async def restart_every_day(scene: Scene) -> None:
    """The same, on the third day of a log: at the same hour each day."""
    ahead_s = scene.rng.uniform(100.0, 600.0)
    with scene.reader.handled() as model:
        model._started_s = model._deadlines.now_s - (24 * HOUR_S - ahead_s - 20.0)
        model._arm()
        model.set_charging(True)
    for day in range(3):
        if not await scene.connect():
            raise NothingHappenedError
        if day == 2:
            break
        scene.mark()
        await scene.until_lost(2 * HOUR_S)
        await scene.wait(60.0)
        if scene.terminal.connected_reader is None and not await scene.connect():
            raise NothingHappenedError
        await scene.wait(scene.rng.uniform(20.0, 200.0))
        await scene.terminal.disconnect_reader()
        left_s = 24 * HOUR_S - scene.model.uptime_s - ahead_s
        await scene.wait(left_s)
    scene.mark()
    await scene.until_lost(2 * HOUR_S)
    await scene.finish()


async def drained(scene: Scene) -> None:
    """The battery runs down to where the reader leaves."""
    with scene.reader.handled() as model:
        model.set_battery(scene.rng.uniform(0.07, 0.2))
    await scene.set_out()
    scene.mark()
    scene.fault("drain", per_hour=scene.rng.uniform(0.4, 2.0))
    await scene.until_lost(2 * HOUR_S)
    await scene.finish()


async def drained_dead(scene: Scene) -> None:
    """An old cell breaks down under load: no farewell, and low levels before it."""
    with scene.reader.handled() as model:
        model.set_battery(scene.rng.uniform(0.055, 0.09))
    await scene.set_out()
    scene.fault("drain", per_hour=scene.rng.uniform(0.4, 1.5))
    for _ in range(2000):
        await scene.wait(5.0)
        if scene.model.battery < 0.035 or scene.terminal.connected_reader is None:
            break
    scene.mark()
    if scene.terminal.connected_reader is None:
        raise NothingHappenedError
    with scene.reader.handled() as model:
        model._report_battery()
        model.battery = 0.01
        model._vanish(DisconnectReason.CRITICALLY_LOW_BATTERY)
    await scene.until_lost()
    await scene.finish()


async def bond_lost(scene: Scene) -> None:
    """The reader was reset and no longer knows the phone, which finds out at the next connection."""
    if not await scene.connect():
        raise NothingHappenedError
    await scene.wait(scene.setting.connected_s)
    await scene.terminal.disconnect_reader()
    with scene.reader.handled() as model:
        model.lose_bonds()
        model.location_id = None
    await scene.wait(scene.rng.uniform(5.0, 600.0))
    scene.mark()
    for _ in range(3):
        if await scene.connect(timeout_s=30.0):
            raise NothingHappenedError
        await scene.wait(scene.rng.uniform(2.0, 20.0))
    await scene.finish()


async def bond_lost_on_return(scene: Scene) -> None:
    """The reader forgets its bonds while away; the automatic reconnection meets it."""
    if not await scene.connect():
        raise NothingHappenedError
    await scene.wait(scene.setting.connected_s)
    off = scene.fault("switch_off", farewell=True)
    await scene.wait(scene.rng.uniform(15.0, 90.0))
    with scene.reader.handled() as model:
        model.lose_bonds()
        model.location_id = None
    scene.mark()
    off.undo()
    await scene.until_lost(200.0)
    await scene.finish()


async def hangs(scene: Scene) -> None:
    """The firmware answers nothing any more, the link layer lives on; the host gives up."""
    await scene.set_out()
    scene.mark()
    scene.fault("hang")
    await scene.until_lost(120.0)
    await scene.finish()


async def link_layer_hangs(scene: Scene) -> None:
    """Not even its link layer answers: the host's wish for other parameters times out after 40 s."""
    await scene.set_out()
    scene.mark()
    scene.fault("hang")
    await scene.wait(scene.rng.uniform(0.5, 60.0))
    scene.reader.ask_for(replace(scene.air.parameters, interval_ms=45.0))
    await scene.until_lost(120.0)
    await scene.finish()


async def slow_answers(scene: Scene) -> None:
    """Every answer takes longer than anybody waits: the next reading of the battery finds out."""
    await scene.set_out()
    scene.mark()
    scene.fault("slow", delay_s=scene.rng.uniform(11.0, 40.0))
    await scene.until_lost(900.0)
    await scene.finish()


async def hangs_at_connect(scene: Scene) -> None:
    """It advertises and takes the link, and then says nothing."""
    await scene.wait(scene.rng.uniform(2.0, 10.0))
    scene.fault("hang")
    scene.mark()
    if await scene.connect():
        raise NothingHappenedError
    await scene.finish()


async def updated(scene: Scene) -> None:
    """An update is installed, and the reader restarts into it."""
    sizes = {UpdateComponent.FIRMWARE: scene.rng.randint(6_000, 20_000), UpdateComponent.CONFIG: 1_000}
    with patch.dict(outcomes._SIZES, sizes):
        scene.fault("update", outcome="available")
    await scene.set_out()
    await scene.terminal.look_for_update()
    scene.mark()
    try:
        await scene.terminal.install_available_update()
    except TerminalError as error:
        raise NothingHappenedError from error
    await scene.finish()


def _own(**more: object) -> dict[str, object]:
    return {"closed": False, **more}


STORIES = (
    Story("power cut for a moment", Cause.READER_RESET_OR_POWER_LOSS, power_blip),
    Story("firmware crash, quick restart", Cause.READER_RESET_OR_POWER_LOSS, crash),
    Story("power cut, slow start", Cause.READER_RESET_OR_POWER_LOSS, long_boot),
    Story("battery taken out and put back", Cause.READER_RESET_OR_POWER_LOSS, battery_swapped),
    Story("switched off", Cause.READER_POWERED_OFF, switched_off),
    Story("switched off and on", Cause.READER_POWERED_OFF, off_and_on),
    Story("switched off without a word", Cause.READER_POWERED_OFF, off_without_a_word),
    Story(
        "ten hours idle", Cause.IDLE_POWER_DOWN, idle, {"phone_scans": False, "drops_before": 0, "polls_every_s": None}
    ),
    Story("the 24-hour restart", Cause.SECURITY_REBOOT, daily_restart, {"device_type": "stripe_m2"}),
    Story(
        "restart at the same hour",
        Cause.SECURITY_REBOOT,
        restart_every_day,
        {"device_type": "wisepad_3"},
        ("live", "log"),
    ),
    Story("the battery runs down", Cause.CRITICALLY_LOW_BATTERY, drained),
    Story("the battery breaks down", Cause.CRITICALLY_LOW_BATTERY, drained_dead),
    Story("a lost bond", Cause.BOND_LOST, bond_lost, _own()),
    Story("a lost bond, met on return", Cause.BOND_LOST, bond_lost_on_return, _own(auto_reconnect=True)),
    Story("the firmware hangs", Cause.FIRMWARE_HANG, hangs, _own()),
    Story("the link layer hangs", Cause.FIRMWARE_HANG, link_layer_hangs, {"closed": True}),
    Story("answers too slow", Cause.FIRMWARE_HANG, slow_answers, _own()),
    Story("the firmware hangs when connecting", Cause.FIRMWARE_HANG, hangs_at_connect),
    Story("restart of an update", Cause.UPDATE_REBOOT, updated, _own(), ("capture", "log")),
)
