"""Rewriting MPEG-TS by hand: further streams in its tables, as encoders in the field have them.

Source: ISO/IEC 13818-1 2.4.4 (tables) and 2.4.3 (packets).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

PACKET_BYTES = 188
PAT_PID = 0
DATA_PID = 0x1F0
STREAMS_AT = 12
"""Where a PMT without descriptors names its streams."""

_CRC_POLYNOMIAL = 0x04C11DB7


@dataclass(frozen=True)
class DataStream:
    """A stream that is no picture and no sound.

    Attributes:
        stream_type: of the PMT.
        descriptors: of the PMT.
        payload: what each of its packets carries.
        pid: where.
    """

    stream_type: int
    descriptors: bytes
    payload: bytes
    pid: int = DATA_PID

    def entry(self) -> bytes:
        """Return what the PMT says of it."""
        length = 0xF000 | len(self.descriptors)
        return (
            bytes([self.stream_type])
            + (0xE000 | self.pid).to_bytes(2, "big")
            + length.to_bytes(2, "big")
            + self.descriptors
        )


def _pes(stream_id: int, data: bytes) -> bytes:
    pts = bytes([0x21, 0x00, 0x07, 0xD8, 0x61])
    head = bytes([0x80, 0x80, len(pts)]) + pts
    return b"\0\0\1" + bytes([stream_id]) + (len(head) + len(data)).to_bytes(2, "big") + head + data


ID3 = DataStream(0x15, b"\x26\x0d\xff\xffID3 \xffID3 \x00\x0f", _pes(0xBD, b"ID3\4\0\0\0\0\0\0"))
SCTE_35 = DataStream(0x86, b"\x05\x04CUEI", b"\0\xfc\x30\x11" + bytes(17))
DVB_SUBTITLES = DataStream(
    0x06, b"\x59\x08eng\x10\0\1\0\1", _pes(0xBD, b"\x20\0\x0f\x10\0\1\0\2\x0a\0\xff")
)
AIT = DataStream(0x05, b"\x6f\x03\x00\x10\xe1", b"\0\x74\xb0\x05" + bytes(8))
DATA_STREAMS = {"ID3": ID3, "SCTE-35": SCTE_35, "DVB subtitles": DVB_SUBTITLES, "AIT": AIT}


def with_stream(
    segment: bytes, stream: DataStream, *, is_first: bool = True, joins_at: float = 0.0
) -> bytes:
    """Return a transport stream with one stream more.

    Args:
        segment: whole packets, one programme.
        stream: to be added.
        is_first: whether the PMT names it before all others, or behind them.
        joins_at: from which part of the segment on the PMT names it.
    """
    packets = list(_packets(segment))
    joins = round(joins_at * len(packets))
    rewritten: list[bytes] = []
    for number, packet in enumerate(packets):
        is_table = number >= joins and pid_of(packet) in pmt_pids(segment)
        if not is_table:
            rewritten.append(packet)
            continue
        rewritten.append(_with_entry(packet, stream.entry(), is_first, is_new=joins_at > 0))
        rewritten.append(_packet(stream.pid, stream.payload, len(rewritten)))
    return b"".join(rewritten)


def without(segment: bytes, is_unwanted: Callable[[bytes], bool]) -> bytes:
    """Return a transport stream without the packets for which `is_unwanted` holds."""
    return b"".join(packet for packet in _packets(segment) if not is_unwanted(packet))


def unnamed(segment: bytes, pid: int) -> bytes:
    """Return a transport stream whose tables do not name one of its streams."""
    return b"".join(
        _without_entry(packet, pid) if pid_of(packet) in pmt_pids(segment) else packet
        for packet in _packets(segment)
    )


def pid_of(packet: bytes) -> int:
    """Return the PID of a packet."""
    return int.from_bytes(packet[1:3], "big") & 0x1FFF


def pmt_pids(segment: bytes) -> set[int]:
    """Return the PIDs of the programmes' tables."""
    pat = next(packet for packet in _packets(segment) if pid_of(packet) == PAT_PID)
    section = _section(pat)
    entries = [section[at : at + 4] for at in range(8, len(section) - 4, 4)]
    return {int.from_bytes(entry[2:], "big") & 0x1FFF for entry in entries}


def _packets(segment: bytes) -> Iterator[bytes]:
    for start in range(0, len(segment), PACKET_BYTES):
        yield segment[start : start + PACKET_BYTES]


def _section(packet: bytes) -> bytes:
    """Return the table section that begins in a packet, which holds all of it."""
    start = 5 + packet[4]
    length = int.from_bytes(packet[start + 1 : start + 3], "big") & 0xFFF
    return packet[start : start + 3 + length]


def _with_entry(packet: bytes, entry: bytes, is_first: bool, *, is_new: bool) -> bytes:
    section = _section(packet)
    streams_at = STREAMS_AT + (int.from_bytes(section[10:12], "big") & 0xFFF)
    head, streams = bytearray(section[:streams_at]), section[streams_at:-4]
    body = entry + streams if is_first else streams + entry
    head[1:3] = (0xB000 | (len(head) + len(body) + 4 - 3)).to_bytes(2, "big")
    if is_new:
        head[5] ^= 0b10  # another version of the table
    return _table_packet(packet[:4], bytes(head) + body)


def _without_entry(packet: bytes, pid: int) -> bytes:
    section = _section(packet)[:-4]
    at = section.find((0xE000 | pid).to_bytes(2, "big"), STREAMS_AT) - 1
    if at < STREAMS_AT:
        return packet
    end = at + 5 + (int.from_bytes(section[at + 3 : at + 5], "big") & 0xFFF)
    shorter = bytearray(section[:at] + section[end:])
    shorter[1:3] = (0xB000 | (len(shorter) + 4 - 3)).to_bytes(2, "big")
    return _table_packet(packet[:4], bytes(shorter))


def _table_packet(head: bytes, section: bytes) -> bytes:
    return head + (b"\0" + section + _crc(section)).ljust(PACKET_BYTES - 4, b"\xff")


def _packet(pid: int, payload: bytes, counter: int) -> bytes:
    """Return a packet that holds all of a payload, behind stuffing."""
    stuffing = PACKET_BYTES - 4 - len(payload) - 2
    head = bytes([0x47]) + (0x4000 | pid).to_bytes(2, "big") + bytes([0x30 | counter % 16])
    return head + bytes([stuffing + 1, 0]) + b"\xff" * stuffing + payload


def _crc(data: bytes) -> bytes:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1) ^ (_CRC_POLYNOMIAL if crc & 0x80000000 else 0)
            crc &= 0xFFFFFFFF
    return crc.to_bytes(4, "big")
