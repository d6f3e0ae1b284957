"""Small files that claim to be enormous, and playlists that mean no good. All made here."""

import gzip
import struct
import zlib
from collections.abc import Callable

MEBI = 1024 * 1024


def _chunk(name: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(name + data))
    return struct.pack(">I", len(data)) + name + data + check


def picture(width: int, height: int) -> bytes:
    """Return a PNG that announces a size and then says nothing."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = (
        _chunk(b"IHDR", head),
        _chunk(b"IDAT", zlib.compress(bytes(100))),
        _chunk(b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def animation(width: int, height: int, frames: int) -> bytes:
    """Return a GIF whose frames paint one pixel each: 22 bytes that cost a whole canvas."""
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    control = b"\x21\xf9\x04\x04\x01\x00\x00\x00"
    pixel = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return head + (control + pixel) * frames + b"\x3b"


def _box(name: bytes, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return struct.pack(">I", len(content) + 8) + name + content


def _full(name: bytes, *parts: bytes) -> bytes:
    return _box(name, bytes(4), *parts)


def movie(*, tracks: int, samples: int, width: int = 640) -> bytes:
    """Return an MP4 of a few hundred bytes a track, each of which claims so many pictures."""
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    header = _full(
        b"mvhd",
        struct.pack(">IIIIIH", 0, 0, 1000, 0xFFFFFFFF, 0x10000, 0x100),
        bytes(10),
        matrix,
        bytes(24),
        struct.pack(">I", tracks + 1),
    )
    track = _track(matrix, samples, width)
    contents = _box(b"moov", header, *[track(number) for number in range(1, tracks + 1)])
    return _box(b"ftyp", b"isom\0\0\2\0isom") + contents + _box(b"mdat", bytes(64))


def _track(matrix: bytes, samples: int, width: int) -> Callable[[int], bytes]:
    picture = _box(
        b"avc1",
        bytes(6) + struct.pack(">H", 1) + bytes(16),
        struct.pack(">HHII", width, width, 0x480000, 0x480000) + bytes(4),
        struct.pack(">H", 1) + bytes(32) + struct.pack(">Hh", 24, -1),
    )
    table = _box(
        b"stbl",
        _full(b"stsd", struct.pack(">I", 1), picture),
        _full(b"stts", struct.pack(">III", 1, samples, 1)),
        _full(b"stsc", struct.pack(">IIII", 1, 1, samples, 1)),
        _full(b"stsz", struct.pack(">II", 1, samples)),
        _full(b"stco", struct.pack(">II", 1, 48)),
    )
    source = _box(b"dinf", _full(b"dref", struct.pack(">I", 1), _full(b"url ")))
    information = _box(b"minf", _full(b"vmhd", bytes(8)), source, table)
    times = _full(b"mdhd", struct.pack(">IIIIHH", 0, 0, 1000, 0xFFFFFFFF, 0x55C4, 0))
    handler = _full(b"hdlr", bytes(4), b"vide", bytes(13))

    def numbered(number: int) -> bytes:
        head = struct.pack(">IIIII", 0, 0, number, 0, 0xFFFFFFFF)
        size = struct.pack(">II", width << 16, width << 16)
        shown = _box(b"tkhd", b"\0\0\0\7", head, bytes(16), matrix, size)
        return _box(b"trak", shown, _box(b"mdia", times, handler, information))

    return numbered


def playlist(*lines: str, sequence: str = "7", target: str = "1") -> bytes:
    """Return a live media playlist of these lines."""
    head = ["#EXTM3U", f"#EXT-X-TARGETDURATION:{target}", f"#EXT-X-MEDIA-SEQUENCE:{sequence}"]
    return "\n".join([*head, *lines, ""]).encode()


def segments(count: int, duration: str = "1", uri: str = "segment.ts") -> list[str]:
    """Return the lines of `count` segments with the same URI."""
    return [f"#EXTINF:{duration},", uri] * count


def bomb(size: int = 256 * MEBI) -> bytes:
    """Return a playlist's beginning and zeros, gzipped to a thousandth of its size."""
    packer = zlib.compressobj(level=9, wbits=31)
    parts = [packer.compress(playlist(*segments(1)))]
    parts += [packer.compress(bytes(MEBI)) for _ in range(size // MEBI)]
    return b"".join([*parts, packer.flush()])


def squeezed(content: bytes) -> bytes:
    """Return `content`, gzipped."""
    return gzip.compress(content, compresslevel=1)
