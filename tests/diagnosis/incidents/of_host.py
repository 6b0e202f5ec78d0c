"""Incidents of the host: its radio, its internet, the app, and other hosts."""

from terminal_kit.events import Cause

from .scene import NothingHappenedError, Scene
from .story import Story


async def radio_off(scene: Scene) -> None:
    """Somebody switches the phone's Bluetooth off, and mostly on again."""
    await scene.set_out()
    scene.mark()
    off = scene.fault("bluetooth_off")
    await scene.until_lost()
    await scene.wait(scene.rng.uniform(3.0, 60.0))
    if scene.rng.random() < 0.8:
        off.undo()
    await scene.finish()


async def radio_restarts(scene: Scene) -> None:
    """The phone's Bluetooth crashes and is back in two seconds."""
    await scene.set_out()
    scene.mark()
    off = scene.fault("bluetooth_off")
    await scene.wait(scene.rng.uniform(0.8, 3.0))
    off.undo()
    await scene.until_lost()
    await scene.finish()


async def permission_taken(scene: Scene) -> None:
    """The system takes the app's right to use Bluetooth. The radio stays on: a capture shows a host that hangs up."""
    await scene.set_out()
    scene.mark()
    scene.fault("deny_permission")
    await scene.until_lost()
    await scene.finish()


async def app_disconnects(scene: Scene) -> None:
    """The app asks for it."""
    await scene.set_out()
    scene.mark()
    await scene.terminal.disconnect_reader()
    await scene.finish()


async def to_background(scene: Scene) -> None:
    """The app goes to the background, and closes its link."""
    await scene.set_out()
    scene.background()
    await scene.wait(scene.rng.uniform(0.2, 20.0))
    scene.mark()
    await scene.terminal.disconnect_reader()
    await scene.finish()


async def program_ends(scene: Scene) -> None:
    """The program ends in an orderly way."""
    await scene.set_out()
    await scene.scan_off()
    scene.mark()
    await scene.terminal.close(force=True)
    scene.end_run()


async def saves_power(scene: Scene) -> None:
    """An app that disconnects after each use, to save the reader's power (C5)."""
    for _ in range(scene.rng.randint(3, 6)):
        if not await scene.connect():
            raise NothingHappenedError
        await scene.wait(scene.rng.uniform(10.0, 60.0))
        scene.mark()
        await scene.terminal.disconnect_reader()
        await scene.wait(scene.rng.uniform(30.0, 300.0))


async def cut_internet(scene: Scene) -> None:
    """The phone loses the internet, and half a minute later the reader leaves (X2)."""
    await scene.set_out()
    scene.mark()
    cut = scene.fault("cut_internet")
    await scene.until_lost()
    await scene.wait(scene.rng.uniform(5.0, 90.0))
    if scene.rng.random() < 0.7:
        cut.undo()
    await scene.finish()


async def stolen(scene: Scene) -> None:
    """Another host takes the reader."""
    await scene.set_out()
    scene.mark()
    theft = scene.fault("steal")
    await scene.until_lost()
    await scene.wait(scene.rng.uniform(20.0, 240.0))
    if scene.rng.random() < 0.5:
        theft.undo()
    await scene.finish()


async def taken_before(scene: Scene) -> None:
    """Another host has it when the phone wants to connect."""
    scene.fault("steal")
    await scene.wait(scene.rng.uniform(1.0, 10.0))
    scene.mark()
    if await scene.connect(timeout_s=30.0) or not scene.is_lost():
        raise NothingHappenedError
    await scene.finish()


async def paired_in_system(scene: Scene) -> None:
    """Somebody has paired the reader in the phone's settings."""
    scene.fault("pair_in_system")
    await scene.wait(scene.rng.uniform(1.0, 10.0))
    scene.mark()
    if await scene.connect(timeout_s=30.0) or not scene.is_lost():
        raise NothingHappenedError
    await scene.finish()


STORIES = (
    Story("Bluetooth switched off", Cause.HOST_RADIO_OFF, radio_off),
    Story("Bluetooth restarts", Cause.HOST_RADIO_OFF, radio_restarts),
    Story("permission taken", Cause.HOST_RADIO_OFF, permission_taken, views=("live", "log")),
    Story("the app disconnects", Cause.HOST_CLOSED, app_disconnects),
    Story("the app goes to the background", Cause.HOST_CLOSED, to_background),
    Story("the program ends", Cause.HOST_CLOSED, program_ends),
    Story("an app that saves power", Cause.HOST_CLOSED, saves_power),
    Story("internet lost", Cause.INTERNET_LOST, cut_internet),
    Story("taken by another host", Cause.TAKEN_BY_ANOTHER_HOST, stolen, {"closed": False}),
    Story("another host had it", Cause.TAKEN_BY_ANOTHER_HOST, taken_before, {"closed": False}),
    Story("paired in the system", Cause.PAIRED_IN_SYSTEM_SETTINGS, paired_in_system, views=("live", "log")),
)
