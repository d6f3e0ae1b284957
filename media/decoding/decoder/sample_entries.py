"""What an MP4 says of its tracks' codecs, and whether they are encrypted.

ffmpeg takes an encrypted track for one of the codec inside, and tells nothing of a codec that it
does not know. Source: ISO/IEC 14496-12 8.5.2 (sample descriptions) and 8.12 (protection).
"""

from collections.abc import Iterator
from string import ascii_letters, digits
from typing import NamedTuple

from media.codecs import undecodable_codec

NAME_CHARACTERS = frozenset(ascii_letters + digits + "-._+ ")
MOST_BOXES = 1_000  # in one box. A segment has tens.
KINDS = {b"vide": "video", b"soun": "audio"}  # by the track's handler
HEADER_BYTES = {"video": 86, "audio": 36}  # a sample entry's own fields; its boxes follow


ENCRYPTED, UNSUPPORTED_CODEC = "encrypted", "unsupported_codec"


class UnmeasurableCodec(NamedTuple):
    """Why a track cannot be measured, though nothing is wrong with it."""

    codec: str
    reason: str


class SampleEntry(NamedTuple):
    """The first sample entry of a track."""

    kind: str  # `video` or `audio`
    codec: str  # its four characters, of an encrypted track those inside
    scheme: str | None  # how it is encrypted (`cenc`, `cbcs`, ...)

    def why_not(self) -> UnmeasurableCodec | None:
        """Why the track cannot be measured, if something speaks against it."""
        if self.scheme:
            return UnmeasurableCodec(self.codec, ENCRYPTED)
        is_unsupported = undecodable_codec([self.codec]) is not None
        return UnmeasurableCodec(self.codec, UNSUPPORTED_CODEC) if is_unsupported else None


class _Box(NamedTuple):
    kind: bytes
    start: int
    body: int
    end: int


def sample_entries(segment: bytes) -> dict[int, SampleEntry]:
    """By track id; nothing for what is no MP4."""
    moov = _child(segment, _Box(b"", 0, 0, len(segment)), b"moov")
    if moov is None:
        return {}
    tracks = (_track(segment, each) for each in _boxes(segment, moov) if each.kind == b"trak")
    return dict(each for each in tracks if each)


def unmeasurable_kinds(segment: bytes) -> dict[str, UnmeasurableCodec]:
    """Return why no track of a kind can be measured, where a segment is an MP4 that says so."""
    found: dict[str, list[UnmeasurableCodec | None]] = {}
    for entry in sample_entries(segment).values():
        found.setdefault(entry.kind, []).append(entry.why_not())
    return {kind: whys[0] for kind, whys in found.items() if whys[0] and all(whys)}


def _track(data: bytes, trak: _Box) -> tuple[int, SampleEntry] | None:
    header = _child(data, trak, b"tkhd")
    handler = _child(data, trak, b"mdia", b"hdlr")
    table = _child(data, trak, b"mdia", b"minf", b"stbl", b"stsd")
    if header is None or handler is None or table is None:
        return None
    kind = KINDS.get(data[handler.body + 8 : handler.body + 12])
    entries = table._replace(body=table.body + 8)
    first = next(_boxes(data, entries), None)
    if first is None or kind is None:
        return None
    at = header.body + (20 if data[header.body : header.body + 1] == b"\1" else 12)
    children = first._replace(body=first.start + HEADER_BYTES[kind])
    return int.from_bytes(data[at : at + 4]), _entry(data, kind, first, children)


def _entry(data: bytes, kind: str, entry: _Box, children: _Box) -> SampleEntry:
    original = _child(data, children, b"sinf", b"frma")
    scheme = _child(data, children, b"sinf", b"schm")
    codec = data[original.body : original.body + 4] if original else entry.kind
    if entry.kind not in (b"encv", b"enca"):
        return SampleEntry(kind, _text(entry.kind), None)
    name = _text(data[scheme.body + 4 : scheme.body + 8]) if scheme else ""
    return SampleEntry(kind, _text(codec), name or ENCRYPTED)


def _child(data: bytes, box: _Box, *path: bytes) -> _Box | None:
    found: _Box | None = box
    for kind in path:
        found = next((it for it in _boxes(data, found) if it.kind == kind), None) if found else None
    return found


def _boxes(data: bytes, parent: _Box) -> Iterator[_Box]:
    at = parent.body
    for _ in range(MOST_BOXES):
        if at + 8 > parent.end:
            return
        size, kind, head = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8], 8
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16]), 16
        end = parent.end if size == 0 else at + size
        if end < at + head or end > parent.end:
            return
        yield _Box(kind, at, at + head, end)
        at = end


def _text(name: bytes) -> str:
    """The characters that a codec's name may have."""
    return "".join(chr(byte) if chr(byte) in NAME_CHARACTERS else "." for byte in name)
