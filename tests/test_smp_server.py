"""The reader's SMP server: what it answers, when, and what it drops, as Zephyr's does."""

import asyncio
import hashlib
import math

import cbor2
import pytest
from bleak import BleakScanner
from smp.header import OP, Header
from smp.image_management import ImageEraseRequest, ImageStatesReadResponse, ImageUploadWriteRequest
from smp.os_management import (
    BootloaderInformationReadRequest,
    EchoWriteRequest,
    MCUMgrParametersReadRequest,
    MCUMgrParametersReadResponse,
    OSApplicationInfoReadRequest,
    ResetWriteRequest,
)
from smp_host import PEER, PIECE_BYTES, Host, image
from smpclient import SMPClient
from smpclient.generics import success
from smpclient.requests.image_management import ImageStatesRead, ImageStatesWrite
from smpclient.requests.os_management import EchoWrite, ResetWrite

from terminal_kit import profile
from terminal_kit.events import DisconnectReason, UpdateComponent
from terminal_kit.profile import Notice, NoticeCode
from terminal_kit.radio.virtual import virtual_radio
from terminal_kit.simulator.firmware import ReaderModel
from terminal_kit.simulator.gatt import AttributeFault, Notify

M2 = "STRM26138003393"
NEW = image("2.02.00.00", device_types=("stripe_m2",))


@pytest.fixture
def host() -> Host:
    return Host(ReaderModel(M2))


def group_error(code: int) -> dict[str, dict[str, int]]:
    return {"err": {"group": 1, "rc": code}}


# ---- frames


def test_it_tells_its_buffers() -> None:
    host = Host(ReaderModel(M2, smp_buffer_bytes=384, smp_buffers=2))
    assert host.ask(MCUMgrParametersReadRequest()) == {"buf_size": 384, "buf_count": 2}


def test_a_request_may_come_in_any_pieces(host: Host) -> None:
    frame = bytes(EchoWriteRequest(d="hello" * 20))
    for piece_bytes in (1, 3, 8, 20, len(frame)):
        host.send(frame, piece_bytes)
        (answer,) = host.frames()
        assert cbor2.loads(answer[8:]) == {"r": "hello" * 20}


def test_an_answer_is_one_frame_however_long(host: Host) -> None:
    (answer,) = (host.send(bytes(EchoWriteRequest(d="x" * 1500))), host.frames())[1]
    assert len(answer) > 1500


def test_requests_are_answered_in_order_and_only_so_many_as_there_are_buffers() -> None:
    host = Host(ReaderModel(M2, smp_buffers=3))
    for number in range(5):
        host.send(bytes(EchoWriteRequest(d=str(number), sequence=number)))
    answers = [frame for _ in range(5) for frame in host.frames(within_s=0.1)]
    assert [cbor2.loads(answer[8:])["r"] for answer in answers] == ["0", "1", "2"]
    assert [answer[6] for answer in answers] == [0, 1, 2]


def test_a_frame_larger_than_a_buffer_is_dropped_and_the_next_one_is_heard() -> None:
    host = Host(ReaderModel(M2, smp_buffer_bytes=256))
    host.send(bytes(EchoWriteRequest(d="x" * 400)))
    assert host.frames(within_s=1) == []
    assert host.ask(EchoWriteRequest(d="small")) == {"r": "small"}


def test_a_link_that_ends_takes_its_requests_along(host: Host) -> None:
    host.send(bytes(EchoWriteRequest(d="for nobody")))
    host.send(bytes(EchoWriteRequest(d="cut off"))[:10])
    host.model.link_closed(0x08)
    host.connect()
    assert host.frames(within_s=1) == []
    assert host.ask(EchoWriteRequest(d="new")) == {"r": "new"}


@pytest.mark.parametrize(
    "data", [b"\xff", b"\x81\x01", b"\xa1\x61\x64\x01", b""], ids=["broken", "list", "type", "none"]
)
def test_nonsense_is_refused_with_einval_or_taken_as_nothing(host: Host, data: bytes) -> None:
    _, body = host.ask_raw(bytes([0x0A, 0, 0, len(data), 0, 0, 1, 0]) + data)
    assert body == ({"rc": 3} if data else {"r": ""})


def test_what_it_does_not_know_is_not_supported(host: Host) -> None:
    for group, command in ((9, 0), (0, 7), (0, 99), (1, 3)):
        host.send(bytes([0x08, 0, 0, 1, 0, group, 7, command]) + b"\xa0")
        (answer,) = host.frames()
        assert answer[:8] == bytes([0x09, 0, 0, 5, 0, group, 7, command])
        assert cbor2.loads(answer[8:]) == {"rc": 8}


@pytest.mark.parametrize(("version", "body"), [(0, {"rc": 3}), (1, group_error(24))])
def test_errors_of_a_group_have_the_form_of_the_protocols_version(host: Host, version: int, body: object) -> None:
    data = cbor2.dumps({"hash": b"short"})
    header, answer = host.ask_raw(bytes([version << 3 | 2, 0, 0, len(data), 0, 1, 0, 0]) + data)
    assert answer == body
    assert header.version == version


def test_a_newer_protocol_is_named_as_too_new(host: Host) -> None:
    host.send(bytes([2 << 3, 0, 0, 1, 0, 0, 0, 6]) + b"\xa0")
    (answer,) = host.frames()
    assert (answer[0] >> 3 & 3, cbor2.loads(answer[8:])) == (1, {"rc": 13})


def test_the_bootloader_is_mcuboot_and_refuses_downgrades(host: Host) -> None:
    assert host.ask(BootloaderInformationReadRequest()) == {"bootloader": "MCUboot"}
    assert host.ask(BootloaderInformationReadRequest(query="mode")) == {"mode": 3, "no-downgrade": True}
    assert host.ask(BootloaderInformationReadRequest(query="colour")) == {"err": {"group": 0, "rc": 3}}
    assert host.ask(OSApplicationInfoReadRequest()) == {"rc": 8}


def test_the_answers_are_what_the_package_smp_expects(host: Host) -> None:
    host.send(bytes(MCUMgrParametersReadRequest()))
    (answer,) = host.frames()
    assert MCUMgrParametersReadResponse.loads(answer).buf_count == 4


# ---- pairing


def test_it_asks_for_pairing_unless_it_is_a_board_that_does_not() -> None:
    """C8."""
    frame = bytes(EchoWriteRequest(d="x"))
    with pytest.raises(AttributeFault) as refused:
        ReaderModel(M2).write(profile.SMP_CHARACTERISTIC, frame, peer=PEER, encrypted=False)
    assert refused.value.att_code == 0x05
    board = Host(ReaderModel("board", smp_needs_pairing=False))
    board.model.write(profile.SMP_CHARACTERISTIC, frame, peer=PEER, encrypted=False)
    assert len(board.frames()) == 1
    (service,) = [service for service in board.model.services if service.uuid == profile.SMP]
    assert not service.characteristics[0].write_needs_encryption


def test_a_closed_reader_has_no_smp_server() -> None:
    closed = ReaderModel(M2, closed=True)
    assert profile.SMP not in [service.uuid for service in closed.services]
    with pytest.raises(AttributeFault):
        closed.write(profile.SMP_CHARACTERISTIC, b"", peer=PEER, encrypted=True)


# ---- uploads


def test_an_upload_is_resumed_over_a_new_link_and_forgotten_by_a_restart(host: Host) -> None:
    """U10."""
    first = ImageUploadWriteRequest(
        off=0, data=NEW.data[:1000], len=len(NEW.data), sha=hashlib.sha256(NEW.data).digest()
    )
    assert host.ask(first) == {"off": 1000}
    assert host.ask(ImageUploadWriteRequest(off=1000, data=NEW.data[1000:2000])) == {"off": 2000}
    host.model.link_closed(0x08)
    host.connect()
    assert host.ask(first) == {"off": 2000}
    host.restart()
    assert host.ask(ImageUploadWriteRequest(off=2000, data=NEW.data[2000:2100])) == {"off": 0}
    assert host.ask(first) == {"off": 1000}


def test_a_wrong_offset_writes_nothing_and_tells_the_right_one(host: Host) -> None:
    data = NEW.data
    host.ask(ImageUploadWriteRequest(off=0, data=data[:500], len=len(data), sha=hashlib.sha256(data).digest()))
    for offset in (400, 600, len(data)):
        assert host.ask(ImageUploadWriteRequest(off=offset, data=b"wrong" * 20)) == {"off": 500}
    assert host.upload(data) == {"off": len(data), "match": True}


def test_another_image_takes_the_place_of_the_one_under_way(host: Host) -> None:
    other = image("2.03.00.00")
    host.ask(ImageUploadWriteRequest(off=0, data=NEW.data[:500], len=len(NEW.data), sha=b"\1" * 32))
    assert host.upload(other.data) == {"off": len(other.data), "match": True}
    assert host.images()[1]["hash"] == other.digest


def test_what_is_there_already_is_not_sent_again(host: Host) -> None:
    host.upload(NEW.data)
    sha = hashlib.sha256(NEW.data).digest()
    first = ImageUploadWriteRequest(off=0, data=NEW.data[:100], len=len(NEW.data), sha=sha)
    assert host.ask(first) == {"off": len(NEW.data), "match": True}


def test_without_a_digest_nothing_is_said_of_a_match(host: Host) -> None:
    assert host.upload(NEW.data, sha=False) == {"off": len(NEW.data)}


def test_a_chunk_that_is_damaged_on_its_way_shows_in_the_match(host: Host) -> None:
    host.model.corrupt_next_chunk = 1
    assert host.upload(NEW.data)["match"] is False
    assert NEW.digest not in [entry["hash"] for entry in host.images()]
    assert host.mark(NEW.digest) == group_error(8)
    assert host.upload(NEW.data)["match"] is True


def test_uploads_that_cannot_be_are_refused_at_once(host: Host) -> None:
    data, size = NEW.data, len(NEW.data)
    huge = data[:12] + (5 * 1024 * 1024).to_bytes(4, "little") + data[16:]
    upgraded = image("2.01.01.00")
    for code, fields in {
        20: {"off": None, "data": data[:100]},
        22: {"off": 0, "data": data[:31], "len": size},
        21: {"off": 0, "data": data[:100]},
        23: {"off": 0, "data": b"\0" * 100, "len": size},
        24: {"off": 0, "data": data[:100], "len": size, "sha": b"short"},
        30: {"off": 0, "data": huge[:100], "len": size},
        31: {"off": 0, "data": data[:100], "len": 99},
        9: {"off": 0, "data": data[:100], "len": size, "image": 4},
        27: {"off": 0, "data": upgraded.data[:100], "len": size, "upgrade": True},
    }.items():
        body = cbor2.dumps({name: value for name, value in fields.items() if value is not None})
        _, answer = host.ask_raw(bytes([0x0A, 0, *len(body).to_bytes(2, "big"), 0, 1, 0, 1]) + body)
        assert answer == group_error(code)
    assert len(host.images()) == 4


def test_more_than_was_announced_is_an_overrun(host: Host) -> None:
    host.ask(ImageUploadWriteRequest(off=0, data=NEW.data[:100], len=200))
    assert host.ask(ImageUploadWriteRequest(off=100, data=NEW.data[100:201])) == group_error(31)
    assert host.ask(ImageUploadWriteRequest(off=100, data=NEW.data[100:200])) == {"off": 0}  # it has given up


def test_there_is_no_free_slot_while_a_swap_waits_or_a_trial_runs(host: Host) -> None:
    host.upload(NEW.data)
    host.mark(NEW.digest)
    assert host.upload(image("2.03.00.00").data) == group_error(9)
    assert host.ask(ImageEraseRequest()) == group_error(9)
    host.restart()
    assert host.upload(image("2.03.00.00").data) == group_error(9)
    host.mark(None, confirm=True)
    assert host.upload(image("2.03.00.00").data)["match"] is True


def test_a_slot_is_erased(host: Host) -> None:
    config = image("SZZZ_Prod_US_v13", component=UpdateComponent.CONFIG)
    host.upload(NEW.data)
    host.upload(config.data, 1)
    assert host.ask(ImageEraseRequest()) == {}
    assert [(entry["image"], entry["slot"]) for entry in host.images()] == [(0, 0), (1, 0), (1, 1), (2, 0), (3, 0)]
    assert host.ask(ImageEraseRequest(slot=3)) == {}
    assert len(host.images()) == 4
    assert host.ask(ImageEraseRequest(slot=2)) == group_error(9)
    assert host.ask(ImageEraseRequest(slot=8)) == group_error(14)


@pytest.mark.parametrize(
    "strange",
    [
        image("2.02.00.00", device_types=("chipper_2x", "wisepad_3")),
        image("SZZZ_Prod_US_v13", component=UpdateComponent.CONFIG),
    ],
    ids=["device type", "component"],
)
def test_an_image_for_another_reader_or_component_cannot_be_marked(host: Host, strange) -> None:
    """U13."""
    host.upload(strange.data)
    assert host.mark(strange.digest) == {"rc": 11}
    assert host.mark(strange.digest, confirm=True) == {"rc": 11}
    host.restart()
    assert host.model.firmware.startswith("2.01.01.00-")


# ---- states


def flags(host: Host, number: int = 0) -> list[set[str]]:
    """The flags of an image's slots."""
    names = {"pending", "confirmed", "active", "permanent"}
    return [names & entry.keys() for entry in host.images() if entry["image"] == number]


def test_the_states_of_an_image_through_its_life(host: Host) -> None:
    host.upload(NEW.data)
    assert flags(host) == [{"active", "confirmed"}, set()]
    assert host.mark(NEW.digest)["images"][1]["pending"] is True
    assert host.mark(NEW.digest)["images"][1]["pending"] is True  # once more changes nothing
    assert host.mark(NEW.digest, confirm=True) == group_error(28)
    assert host.mark(None, confirm=True) == group_error(28)
    host.restart()
    assert flags(host) == [{"active"}, {"confirmed"}]
    old = host.images()[1]["hash"]
    assert host.mark(old) == group_error(28)
    assert host.mark(NEW.digest) == group_error(33)
    assert host.mark(NEW.digest, confirm=True)["images"][0]["confirmed"] is True
    assert flags(host) == [{"active", "confirmed"}, set()]


def test_an_image_that_is_confirmed_before_it_ran_is_permanent(host: Host) -> None:
    host.upload(NEW.data)
    host.mark(NEW.digest, confirm=True)
    assert flags(host) == [{"active", "confirmed"}, {"pending", "permanent"}]
    assert host.mark(NEW.digest) == group_error(28)
    host.restart()
    assert flags(host) == [{"active", "confirmed"}, set()]


def test_marks_that_name_nothing_are_refused(host: Host) -> None:
    assert host.mark(None) == group_error(24)
    assert host.mark(b"short") == group_error(24)
    assert host.mark(b"\1" * 32) == group_error(8)


# ---- time


def test_a_request_waits_for_the_flash() -> None:
    """The first chunk waits until its slot is erased, where there is something to erase."""
    slow, fast = Host(ReaderModel(M2, flash_bytes_per_s=10_000)), Host(ReaderModel(M2, flash_bytes_per_s=math.inf))
    for host in (slow, fast):
        host.upload(NEW.data)
    assert slow.waited_s - fast.waited_s == pytest.approx(len(NEW.data) / 10_000)
    other = image("2.03.00.00")
    before_s = slow.waited_s
    slow.upload(other.data)
    erased = 4096 * (math.ceil(len(other.data) / 4096) + 7)  # the trailer has seven sectors
    assert slow.waited_s - before_s == pytest.approx((erased + len(other.data)) / 10_000, rel=0.01)


def test_a_slow_reader_takes_its_time_and_a_hung_one_is_silent(host: Host) -> None:
    host.model.slow(3.0)
    host.ask(EchoWriteRequest(d="x"))
    assert host.waited_s == pytest.approx(3.0, abs=0.01)
    host.model.hang(True)
    host.send(bytes(EchoWriteRequest(d="x")))
    assert host.frames() == []
    host.model.hang(False)
    assert host.ask(EchoWriteRequest(d="y")) == {"r": "y"}


def test_a_reset_is_answered_then_it_says_goodbye_and_restarts(host: Host) -> None:
    """R1, U12."""
    assert host.ask(ResetWriteRequest()) == {}
    uptime_s = host.model.uptime_s
    host.frames(within_s=5)
    farewells = [Notice.decode(each.value) for each in host.heard if isinstance(each, Notify) and len(each.value) == 2]
    assert farewells == [Notice(NoticeCode.FAREWELL, DisconnectReason.REBOOT_REQUESTED)]
    assert host.heard[-1].at_s - uptime_s == pytest.approx(0.25 + 0.15, abs=0.01)
    host.come_back()


# ---- software that others wrote


class ModelTransport:
    """smpclient's transport, in memory: a model at the other end."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.mtu = self.max_unencoded_size = PIECE_BYTES

    async def connect(self, address: str, timeout_s: float) -> None:
        pass

    async def disconnect(self) -> None:
        pass

    def initialize(self, smp_server_transport_buffer_size: int) -> None:
        self.max_unencoded_size = smp_server_transport_buffer_size

    async def send_and_receive(self, data: bytes) -> bytes:
        self.host.send(data)
        (answer,) = self.host.frames()
        return answer


async def test_smpclient_updates_a_reader(host: Host) -> None:
    client = SMPClient(ModelTransport(host), "in memory")
    await client.connect()
    assert success(echo := await client.request(EchoWrite(d="hello")))
    assert echo.r == "hello"
    offsets = [offset async for offset in client.upload(NEW.data)]
    assert offsets[-1] == len(NEW.data)
    assert len(offsets) == math.ceil(len(NEW.data) / 2400)  # it learned the size of the buffers
    listed = await client.request(ImageStatesRead())
    assert isinstance(listed, ImageStatesReadResponse)
    (new,) = [entry for entry in listed.images if entry.slot == 1]
    assert (new.hash, new.version) == (NEW.digest, "2.2.0")
    assert success(await client.request(ImageStatesWrite(hash=new.hash)))
    assert success(await client.request(ResetWrite()))
    host.model.advance(1.0)
    host.come_back()
    assert host.model.firmware.startswith("2.02.00.00-")
    assert success(confirmed := await client.request(ImageStatesWrite(hash=new.hash, confirm=True)))
    assert [entry.confirmed for entry in confirmed.images if entry.image == 0] == [True, None]


def test_the_header_is_the_one_of_the_package_smp(host: Host) -> None:
    request = EchoWriteRequest(d="x", sequence=200)
    header, _ = host.ask_raw(bytes(request))
    assert header == Header(OP.WRITE_RSP, request.header.version, header.flags, 5, 0, 200, 0)


# ---- served by Bumble


@pytest.mark.parametrize("needs_pairing", [True, False])
async def test_bumble_carries_frames_in_pieces_both_ways(needs_pairing: bool) -> None:
    """C8: a request on a link that is not encrypted is refused without a word."""
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    frame = bytes(EchoWriteRequest(d="x" * 1500))
    async with virtual_radio(ReaderModel(M2, smp_needs_pairing=needs_pairing)) as radio:
        device = await BleakScanner.find_device_by_name(M2, 2.0, backend=radio.backends.scanner)
        client = radio.client(device, on_disconnect=lambda _client: None, timeout_s=5.0)
        await client.connect()
        await client.start_notify(profile.SMP_CHARACTERISTIC, lambda _c, data: heard.put_nowait(bytes(data)))
        for try_again in (False, True):
            for start in range(0, len(frame), 500):
                await client.write_gatt_char(profile.SMP_CHARACTERISTIC, frame[start : start + 500], response=False)
            await client.read_gatt_char(profile.SERIAL_NUMBER)  # by now the reader has them
            if needs_pairing and not try_again:
                await client.pair()
                continue
            answer = b"".join([await heard.get() for _ in range(3)])
            assert cbor2.loads(answer[8:]) == {"r": "x" * 1500}
        assert heard.empty()
        await client.disconnect()
