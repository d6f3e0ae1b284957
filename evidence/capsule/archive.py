"""The archive of a capsule: a ZIP that can be written in one way only.

Members are stored one after the other, with the same few header fields in each, and the central
directory follows at once (APPNOTE.TXT 4.3). So every byte that is no member's content can be
computed from names and contents: a reader compares, and nothing can hide between.
"""

import hashlib
import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

MOST_BYTES: Final = 128 * 1024 * 1024
MOST_MEMBERS: Final = 20_000
NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]*(?:/[a-z0-9][a-z0-9_-]*)?\.[a-z0-9]{1,8}")
MOST_NAME: Final = 120
PIECE_BYTES: Final = 1024 * 1024

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_LOCAL_MARK, _CENTRAL_MARK, _END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_MADE_BY, _NEEDED = 0x031E, 10  # UNIX, version 3.0; version 1.0 reads it
_TIME, _DATE = 0, 0x21  # 1980-01-01
_REGULAR_FILE = 0o100644 << 16


class InvalidCapsule(ValueError):
    """It is no capsule as they are written; the message says where it differs."""


class CapsuleTooLarge(Exception):
    """What belongs into a capsule has no room in one."""


@dataclass(frozen=True)
class Member:
    name: str
    offset: int
    size_bytes: int
    crc: int
    sha256: str

    @property
    def header(self) -> bytes:
        sizes = (self.crc, self.size_bytes, self.size_bytes)
        return (
            _LOCAL.pack(_LOCAL_MARK, _NEEDED, 0, 0, _TIME, _DATE, *sizes, len(self.name), 0)
            + self.name.encode()
        )

    @property
    def entry(self) -> bytes:
        """Its record in the central directory."""
        sizes = (self.crc, self.size_bytes, self.size_bytes)
        places = (len(self.name), 0, 0, 0, 0, _REGULAR_FILE, self.offset - len(self.header))
        return (
            _CENTRAL.pack(_CENTRAL_MARK, _MADE_BY, _NEEDED, 0, 0, _TIME, _DATE, *sizes, *places)
            + self.name.encode()
        )


class ArchiveWriter:
    """Writes an archive from the present position of a file on; `close` completes it."""

    def __init__(self, file: BinaryIO, members: Iterable[Member] = ()) -> None:
        self._file = file
        self._members = list(members)

    def add(self, name: str, content: bytes) -> None:
        """Add a file; raise `CapsuleTooLarge` where there is no room for it."""
        start = self._file.tell()
        member = _member(name, start, content)
        if start + len(content) > MOST_BYTES or len(self._members) >= MOST_MEMBERS:
            raise CapsuleTooLarge(f"{name} has no room in a capsule")
        self._file.write(member.header)
        self._file.write(content)
        self._members.append(member)

    def close(self) -> None:
        """Write the central directory, and leave nothing behind it."""
        self._file.write(_directory(self._members, self._file.tell()))
        self._file.truncate()


def _member(name: str, start: int, content: bytes) -> Member:
    return Member(
        name,
        offset=start + _LOCAL.size + len(name),
        size_bytes=len(content),
        crc=zlib.crc32(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _directory(members: Iterable[Member], offset: int) -> bytes:
    entries = [each.entry for each in members]
    records = b"".join(entries)
    count = len(entries)
    end = _END.pack(_END_MARK, 0, 0, count, count, len(records), offset, 0)
    return records + end


def read_archive(file: BinaryIO) -> list[Member]:
    """Return the members of an archive of which every byte is as it must be.

    Raises:
        InvalidCapsule: a byte is not.
    """
    file.seek(0)
    members: list[Member] = []
    names: set[str] = set()
    for member in _members(file):
        if member.name in names:
            raise InvalidCapsule(f"{member.name} is there twice")
        if len(members) >= MOST_MEMBERS:
            raise InvalidCapsule("it has too many files")
        names.add(member.name)
        members.append(member)
    directory_at = file.tell()
    expected = _directory(members, directory_at)
    if file.read(len(expected) + 1) != expected:
        raise InvalidCapsule("its directory is not that of its files")
    return members


def content_of(file: BinaryIO, member: Member, most_bytes: int = MOST_BYTES) -> bytes:
    """Return a member's content; raise `InvalidCapsule` where it is larger than it may be."""
    if member.size_bytes > most_bytes:
        raise InvalidCapsule(f"{member.name} is too large")
    file.seek(member.offset)
    return file.read(member.size_bytes)


def _members(file: BinaryIO) -> Iterator[Member]:
    while True:
        start = file.tell()
        head = file.read(_LOCAL.size)
        if not head.startswith(_LOCAL_MARK) or len(head) < _LOCAL.size:
            file.seek(start)
            return
        yield _read_member(file, head, start)


def _read_member(file: BinaryIO, head: bytes, start: int) -> Member:
    *_, size_bytes, name_bytes, _ = _LOCAL.unpack(head)
    raw_name = file.read(min(name_bytes, MOST_NAME + 1))
    name = raw_name.decode("ascii", errors="replace")
    if len(raw_name) > MOST_NAME or not NAME.fullmatch(name):
        raise InvalidCapsule("a file of it has a name that none may have")
    if start + size_bytes > MOST_BYTES:
        raise InvalidCapsule(f"{name} is too large")
    crc, digest = _digested(file, size_bytes)
    offset = start + _LOCAL.size + len(name)
    member = Member(name, offset, size_bytes, crc, digest)
    if member.header != head + raw_name:
        raise InvalidCapsule(f"the header of {name} is not that of its content")
    return member


def _digested(file: BinaryIO, size_bytes: int) -> tuple[int, str]:
    """Read `size_bytes`; return their CRC-32 and SHA-256."""
    crc, digest, left = 0, hashlib.sha256(), size_bytes
    while left:
        piece = file.read(min(left, PIECE_BYTES))
        if not piece:
            raise InvalidCapsule("it ends in the middle of a file")
        crc = zlib.crc32(piece, crc)
        digest.update(piece)
        left -= len(piece)
    return crc, digest.hexdigest()
