"""Incidents of the air: range, a body or interference in the way, a radio with too much to do, links that never were."""

from terminal_kit.events import Cause
from terminal_kit.simulator.propagation import SENSITIVITY_DBM, path_loss_db
from terminal_kit.terminal import Terminal

from .scene import NothingHappenedError, Scene
from .setting import serial
from .story import Story


async def walk_slowly(scene: Scene) -> None:
    """Somebody carries the reader to another room, and it stays there."""
    await scene.set_out()
    scene.mark()
    scene.fault("walk_away", to_m=scene.rng.uniform(220.0, 400.0), speed_m_s=scene.rng.uniform(0.7, 1.2))
    await scene.until_lost()
    await scene.finish()


async def walk_fast(scene: Scene) -> None:
    """A waiter hurries away with it."""
    await scene.set_out()
    scene.mark()
    scene.fault("walk_away", to_m=scene.rng.uniform(250.0, 600.0), speed_m_s=scene.rng.uniform(1.6, 3.5))
    await scene.until_lost()
    await scene.finish()


async def walk_and_return(scene: Scene) -> None:
    """To the terrace and back."""
    await scene.set_out()
    scene.mark()
    walk = scene.fault("walk_away", to_m=scene.rng.uniform(250.0, 400.0), speed_m_s=scene.rng.uniform(1.0, 2.5))
    await scene.until_lost()
    await scene.wait(scene.rng.uniform(5.0, 90.0))
    walk.undo()
    await scene.finish()


async def phone_carried_away(scene: Scene) -> None:
    """The phone leaves, and with it every reader grows weaker."""
    await scene.set_out()
    scene.mark()
    speed_m_s = scene.rng.uniform(0.8, 1.8)
    for reader in scene.air.readers.values():
        reader.walk(scene.rng.uniform(250.0, 400.0), speed_m_s)
    await scene.until_lost()
    await scene.finish()


async def edge_of_range(scene: Scene) -> None:
    """The reader's new place is where the signal just arrives, until it does not."""
    edge_m = scene.rng.uniform(85.0, 110.0)
    await scene.set_out()
    scene.mark()
    scene.fault("walk_away", to_m=edge_m, speed_m_s=scene.rng.uniform(0.8, 1.5))
    await scene.until_lost(1800.0)
    await scene.finish()


async def body_short(scene: Scene) -> None:
    """A crowd, a steel door, a hand around the reader: for some seconds."""
    await _fade(scene, scene.rng.uniform(2.0, 12.0))


async def body_long(scene: Scene) -> None:
    """Somebody sets a metal tray on it, and takes it away minutes later."""
    await _fade(scene, scene.rng.uniform(30.0, 200.0))


async def _fade(scene: Scene, lasts_s: float) -> None:
    scene.reader.move(distance_m=scene.rng.uniform(6.0, 20.0))
    await scene.set_out()
    scene.mark()
    spare_db = _spare_db(scene)
    fault = scene.fault("body", loss_db=spare_db + scene.rng.uniform(-1.0, 6.0))
    await scene.until_lost(240.0)
    await scene.wait(lasts_s)
    fault.undo()
    await scene.finish()


def _spare_db(scene: Scene) -> float:
    """How much loss the link can bear."""
    return -SENSITIVITY_DBM - path_loss_db(scene.reader.place.distance_m)


async def interference_short(scene: Scene) -> None:
    """A microwave oven warms a plate, a jammed channel frees itself."""
    await _interference(scene, scene.rng.uniform(2.0, 15.0))


async def interference_long(scene: Scene) -> None:
    """A video link on the same band, as long as it is on."""
    await _interference(scene, scene.rng.uniform(40.0, 240.0))


async def _interference(scene: Scene, lasts_s: float) -> None:
    await scene.set_out()
    scene.mark()
    fault = scene.fault("interfere", share=scene.rng.uniform(0.86, 0.97))
    await scene.until_lost(300.0)
    await scene.wait(lasts_s)
    fault.undo()
    await scene.finish()


async def body_and_interference(scene: Scene) -> None:
    """A full shop: bodies in the way and everybody's traffic."""
    await scene.set_out()
    scene.mark()
    spare_db = _spare_db(scene)
    faults = (
        scene.fault("interfere", share=scene.rng.uniform(0.5, 0.8)),
        scene.fault("body", loss_db=spare_db - scene.rng.uniform(0.0, 6.0)),
    )
    await scene.until_lost(300.0)
    await scene.wait(scene.rng.uniform(3.0, 60.0))
    for fault in faults:
        fault.undo()
    await scene.finish()


async def many_links(scene: Scene) -> None:
    """The phone holds a watch, a printer and more readers, and has no time for this one."""
    await _company(scene, scene.rng.randint(3, 6))
    scene.mark()
    fault = scene.fault("overload", share=scene.rng.uniform(0.95, 0.985))
    await scene.until_lost(600.0)
    await scene.wait(scene.rng.uniform(2.0, 60.0))
    fault.undo()
    await scene.finish()


async def long_scan(scene: Scene) -> None:
    """The phone scans without a pause beside several links."""
    scene.scan_on()
    await _company(scene, scene.rng.randint(2, 4))
    scene.mark()
    scene.scan_on()
    fault = scene.fault("overload", share=scene.rng.uniform(0.95, 0.98))
    await scene.until_lost(600.0)
    await scene.wait(scene.rng.uniform(5.0, 120.0))
    fault.undo()
    await scene.finish()


async def _company(scene: Scene, links: int) -> None:
    """More links of the same host."""
    await scene.set_out()
    for number in range(links):
        other = serial("wisepad_3", scene.rng)
        scene.air.add_reader(other, distance_m=scene.rng.uniform(0.5, 4.0), closed=scene.rng.random() < 0.5)
        terminal = Terminal(scene.radio, sink=scene.take, name=f"phone-{number + 2}", seed=number)
        scene.others.append(terminal)
        await terminal.easy_connect("tml_front_desk", serial=other, timeout_s=60.0)
    await scene.wait(scene.rng.uniform(5.0, 60.0))
    if scene.terminal.connected_reader is None:
        raise NothingHappenedError


APART_S = 100.0
"""An end that the app wants is no part of the incident: nobody shall take it for the failed try before it."""


async def far_connect(scene: Scene) -> None:
    """Connecting at the very edge: the requests are not answered."""
    scene.reader.move(distance_m=scene.rng.uniform(125.0, 170.0))
    await _connect_in_vain(scene)


async def noisy_connect(scene: Scene) -> None:
    """Connecting in a jammed band, the reader near."""
    scene.fault("interfere", share=scene.rng.uniform(0.75, 0.9))
    await _connect_in_vain(scene)


async def _connect_in_vain(scene: Scene) -> None:
    await scene.wait(scene.rng.uniform(1.0, 10.0))
    scene.mark()
    for _ in range(12):
        if await scene.connect(timeout_s=90.0):
            await scene.wait(APART_S)
            if scene.terminal.connected_reader is not None:
                await scene.terminal.disconnect_reader(force=True)
        ends = [event for event in scene.told if event.kind == "link_failed" and event.hci_code == 0x3E]
        if ends:
            scene.mark_us = ends[0].t_us - 1
            break
        await scene.wait(APART_S)
    else:
        raise NothingHappenedError
    await scene.finish()


STORIES = (
    Story("walk away slowly", Cause.RANGE, walk_slowly),
    Story("walk away fast", Cause.RANGE, walk_fast),
    Story("walk away and come back", Cause.RANGE, walk_and_return),
    Story("the phone is carried away", Cause.RANGE, phone_carried_away),
    Story("at the edge of range", Cause.RANGE, edge_of_range, {"drops_before": 0}),
    Story("a body, short", Cause.BODY_OR_INTERFERENCE_FADE, body_short),
    Story("a body, long", Cause.BODY_OR_INTERFERENCE_FADE, body_long),
    Story("interference, short", Cause.BODY_OR_INTERFERENCE_FADE, interference_short),
    Story("interference, long", Cause.BODY_OR_INTERFERENCE_FADE, interference_long),
    Story("bodies and interference", Cause.BODY_OR_INTERFERENCE_FADE, body_and_interference),
    Story("many links", Cause.HOST_RADIO_OVERLOADED, many_links),
    Story("a scan without pause", Cause.HOST_RADIO_OVERLOADED, long_scan, {"gaps": False}),
    Story("connecting at the edge", Cause.FAILED_TO_ESTABLISH, far_connect, {"auto_reconnect": False}),
    Story("connecting in a jammed band", Cause.FAILED_TO_ESTABLISH, noisy_connect, {"auto_reconnect": False}),
)
