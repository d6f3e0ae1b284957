"""The programs of a transport stream, as its tables name them.

PyAV does not show ffmpeg's own list. Without it picture and sound of two programs get mixed up.
Source: ISO/IEC 13818-1 2.4.3 (packets) and 2.4.4 (tables).
"""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from media.decoding.decoder.whitelist import TS_PACKET_BYTES, TS_SYNC_BYTE

READ_BYTES = 5 * 1024 * 1024  # as far as ffmpeg reads to find the streams
PAT_PID, PAT_TABLE, PMT_TABLE = 0, 0, 2
METADATA_TYPE = 0x15  # metadata in PES packets (ISO/IEC 13818-1 table 2-34)
HEAD_BYTES, CRC_BYTES = 3, 4  # sizes of a section's head and checksum; a section has at most 4 KiB


class TsProgram(NamedTuple):
    """`pids` are those of its streams."""

    number: int
    pids: frozenset[int]


def ts_programs(segment: bytes) -> list[TsProgram]:
    """In the order of their table; empty where there is only one."""
    tables: dict[int, int] = {}
    found: dict[int, TsProgram] = {}
    for pid, section in _program_tables(segment, tables):
        if len(tables) < 2:
            return []
        pids = frozenset(stream for _, stream in _streams(section))
        found[pid] = TsProgram(tables[pid], pids)
    return [found[pid] for pid in tables if pid in found]


def metadata_pids(segment: bytes) -> frozenset[int]:
    """Return the PIDs of timed metadata."""
    # Where the table has no descriptor that says ID3, ffmpeg takes it for the beginning of an MP3.
    return frozenset(
        pid
        for _, section in _program_tables(segment, {})
        for kind, pid in _streams(section)
        if kind == METADATA_TYPE
    )


def first_ts_program(known: Sequence[TsProgram], media: Collection[int]) -> TsProgram | None:
    """The first that has one of the streams `media`, given by their PIDs."""
    return next((each for each in known if not each.pids.isdisjoint(media)), None)


def _program_tables(segment: bytes, tables: dict[int, int]) -> Iterator[tuple[int, bytes]]:
    """Yield the first PMT of each program with its PID; fill `tables` from the PAT before."""
    seen = set[int]()
    for pid, section in _sections(segment, tables):
        if pid == PAT_PID and section[:1] == bytes([PAT_TABLE]) and not tables:
            tables.update(_tables(section))
        elif section[:1] == bytes([PMT_TABLE]) and pid in tables and pid not in seen:
            seen.add(pid)
            yield pid, section
        if tables and len(seen) == len(tables):
            return


def _sections(segment: bytes, tables: Collection[int]) -> Iterator[tuple[int, bytes]]:
    """Yield the sections of the PAT and of the PMTs that `tables` names by then."""
    begun: dict[int, bytes] = {}
    for start in range(0, min(len(segment), READ_BYTES) - TS_PACKET_BYTES + 1, TS_PACKET_BYTES):
        if segment[start] != TS_SYNC_BYTE:
            return
        pid = (segment[start + 1] & 0x1F) << 8 | segment[start + 2]
        if pid != PAT_PID and pid not in tables:
            continue
        begins, payload = segment[start + 1] & 0x40, _payload(segment, start)
        if begins:
            begun[pid] = payload[1 + payload[0] :] if payload else b""
        elif pid in begun:
            begun[pid] += payload
        section = begun.get(pid, b"")
        if len(section) < HEAD_BYTES:
            continue
        length = HEAD_BYTES + ((section[1] & 0x0F) << 8 | section[2])
        if length <= len(section):
            del begun[pid]
            yield pid, section[: max(0, length - CRC_BYTES)]


def _payload(segment: bytes, start: int) -> bytes:
    control = segment[start + 3] >> 4 & 0b11
    skipped = 4 + (1 + segment[start + 4] if control & 0b10 else 0)
    return segment[start + skipped : start + TS_PACKET_BYTES] if control & 0b01 else b""


def _tables(section: bytes) -> Iterator[tuple[int, int]]:
    for at in range(8, len(section) - 3, 4):
        number = section[at] << 8 | section[at + 1]
        if number:  # 0 is the network
            yield (section[at + 2] & 0x1F) << 8 | section[at + 3], number


def _streams(section: bytes) -> Iterator[tuple[int, int]]:
    """Type and PID of each."""
    if len(section) < 12:
        return
    at = 12 + ((section[10] & 0x0F) << 8 | section[11])
    while at + 5 <= len(section):
        yield section[at], (section[at + 1] & 0x1F) << 8 | section[at + 2]
        at += 5 + ((section[at + 3] & 0x0F) << 8 | section[at + 4])
