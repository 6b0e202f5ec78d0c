"""Runs where smpclient is installed with its own Bumble, and nothing of ours: updates a reader, prints what it saw.

    python theirs.py HCI ADDRESS BONDS pair|plain DIGEST [IMAGE]

With an image it uploads and marks it, and ends when the reader has left to restart; without one it waits until the
reader is back, and confirms. Prints JSON.
"""

import asyncio
import json
import sys
from pathlib import Path

from bumble.pairing import PairingDelegate
from smpclient import SMPClient
from smpclient.generics import success
from smpclient.requests.image_management import ImageStatesRead, ImageStatesWrite
from smpclient.requests.os_management import ResetWrite
from smpclient.transport.bumble import SMPBumbleTransport
from smpclient.transport.bumble.keystore import Custom

BACK_S = 60.0
"""A reader that restarts is back within some ten seconds."""


async def ask(client, request):
    answer = await client.request(request)
    assert success(answer), answer
    return answer


def shown(states):
    return [
        {"slot": each.slot, "version": each.version, "active": bool(each.active), "confirmed": bool(each.confirmed)}
        for each in states.images
        if each.image in (0, None)
    ]


async def main(hci, address, bonds, pairing, digest, image):
    digest = bytes.fromhex(digest)
    delegate = PairingDelegate(PairingDelegate.IoCapability.NO_OUTPUT_NO_INPUT) if pairing == "pair" else None
    transport = SMPBumbleTransport(hci=hci, keystore=Custom(Path(bonds)), pair_on_connect=delegate)
    client = SMPClient(transport, address, timeout_s=5.0)
    async with asyncio.timeout(BACK_S):
        await client.connect(BACK_S)
    if image is None:
        running = shown(await ask(client, ImageStatesRead()))
        confirmed = shown(await ask(client, ImageStatesWrite(hash=digest, confirm=True)))
        await client.disconnect()
        return {"running": running, "confirmed": confirmed}
    offsets = [offset async for offset in client.upload(image)]
    uploaded = shown(await ask(client, ImageStatesRead()))
    await ask(client, ImageStatesWrite(hash=digest))
    await ask(client, ResetWrite())
    async with asyncio.timeout(BACK_S):
        await transport._disconnected_event.wait()
    # No `disconnect`: it would ask the reader, which has left, to end the notifications, and wait 30 s for that.
    return {"offsets": offsets, "uploaded": uploaded}


if __name__ == "__main__":
    to_upload = Path(sys.argv[6]).read_bytes() if len(sys.argv) > 6 else None
    print(json.dumps(asyncio.run(main(*sys.argv[1:6], to_upload))))
