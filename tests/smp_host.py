"""A host for a reader model: asks over SMP, lets the model's time pass until it answers, and connects again."""

import hashlib
from typing import Any

import cbor2
from smp.header import Header
from smp.image_management import ImageStatesReadRequest, ImageStatesWriteRequest, ImageUploadWriteRequest
from smp.message import Request
from smp.os_management import ResetWriteRequest

from terminal_kit import profile
from terminal_kit.events import UpdateComponent
from terminal_kit.image import Image, make_image
from terminal_kit.simulator.demo_key import DEMO_KEY
from terminal_kit.simulator.firmware import ReaderModel
from terminal_kit.simulator.gatt import Leave, Notify, Output, Vanish

PEER = "02:00:00:00:00:01"
PIECE_BYTES = 244

Body = dict[str, Any]


def image(version: str, *, component: UpdateComponent = UpdateComponent.FIRMWARE, size: int = 5000, **facts) -> Image:
    """A signed image; `facts` as `make_image` takes them."""
    body = (version.encode() * size)[:size]
    return make_image(body, component=component, version=version, **{"key": DEMO_KEY} | facts)


class Host:
    """Connected to `model` whenever that is possible, and subscribed to its answers and notices."""

    def __init__(self, model: ReaderModel) -> None:
        self.model = model
        self.heard: list[Output] = []
        self.waited_s = 0.0
        self.connect()

    def connect(self) -> None:
        self.model.link_opened(PEER)
        for uuid in (profile.SMP_CHARACTERISTIC, profile.NOTICE):
            self.model.subscribe(uuid, True)

    def send(self, frame: bytes, piece_bytes: int = PIECE_BYTES) -> None:
        for start in range(0, len(frame), piece_bytes):
            piece = frame[start : start + piece_bytes]
            self.model.write(profile.SMP_CHARACTERISTIC, piece, peer=PEER, encrypted=True)

    def frames(self, within_s: float = 60.0) -> list[bytes]:
        """The next answers: those of the first moment that has any, none if there is none in time or the link ends."""
        left_s = within_s
        while left_s > 0:
            step_s = min(left_s, self.model.next_deadline_s())
            self.model.advance(step_s)
            self.waited_s += step_s
            left_s -= max(step_s, 1e-6)
            outputs = self.model.take_outputs()
            self.heard += outputs
            found = [each.value for each in outputs if isinstance(each, Notify) and each.uuid.startswith("da2e")]
            if found or any(isinstance(each, Leave | Vanish) for each in outputs):
                return found
        return []

    def ask_raw(self, frame: bytes) -> tuple[Header, Body]:
        self.send(frame)
        (answer,) = self.frames()
        return Header.loads(answer[: Header.SIZE]), cbor2.loads(answer[Header.SIZE :])

    def ask(self, request: Request) -> Body:
        header, body = self.ask_raw(bytes(request))
        assert header.sequence == request.header.sequence
        return body

    def upload(self, data: bytes, number: int = 0, *, chunk: int = 2000, sha: bool = True, **facts: Any) -> Body:
        """Uploads until the model has it all, or refuses; gives the last answer."""
        first = {"image": number, "len": len(data), "sha": hashlib.sha256(data).digest() if sha else None, **facts}
        answer = self.ask(ImageUploadWriteRequest(off=0, data=data[:chunk], **first))
        while "off" in answer and answer["off"] < len(data):
            offset = answer["off"]
            answer = self.ask(ImageUploadWriteRequest(off=offset, data=data[offset : offset + chunk]))
        return answer

    def mark(self, digest: bytes | None, *, confirm: bool = False) -> Body:
        return self.ask(ImageStatesWriteRequest(hash=digest, confirm=confirm))

    def images(self) -> list[Body]:
        return self.ask(ImageStatesReadRequest())["images"]

    def restart(self) -> None:
        """Restarts the model by SMP and connects again when it advertises."""
        self.ask(ResetWriteRequest())
        self.model.advance(1.0)
        self.come_back()

    def come_back(self) -> None:
        """Waits until the model advertises, and connects."""
        self.heard += self.model.take_outputs()
        self.model.link_closed(0x13)
        for _ in range(600):
            if self.model.advertisement() is not None:
                break
            self.model.advance(1.0)
        assert self.model.advertisement() is not None, "the reader does not start"
        self.connect()

    def install(self, *images: tuple[int, Image]) -> None:
        """The whole way: upload, test, restart, confirm."""
        for number, new in images:
            assert self.upload(new.data, number)["match"] is True
        for _, new in images:
            assert "images" in self.mark(new.digest)
        self.restart()
        for _, new in images:
            assert "images" in self.mark(new.digest, confirm=True)
