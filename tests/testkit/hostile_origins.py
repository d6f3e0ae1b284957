"""Origins that mean no good, by what they try."""

import asyncio
from typing import Any

from tests.testkit.crafted_media import (
    animation,
    bomb,
    picture,
    playlist,
    segments,
    squeezed,
)
from tests.testkit.stand_ins import Answer, always, by_path, endlessly, reply

LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE MPD [<!ENTITY a "ha">'
    + b"".join(
        f'<!ENTITY {after} "{f"&{before};" * 10}">'.encode()
        for before, after in zip("abcdefghi", "bcdefghij", strict=True)
    )
    + b"]><MPD>&j;</MPD>"
)
CHUNKED = b"HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n"
CHUNK = b"10000\r\n" + bytes(0x10000) + b"\r\n"


def with_segment(segment: bytes, lines: list[str] | None = None) -> Answer:
    """Serve a playlist of ten segments that are all the same."""
    listed = playlist(*(lines or segments(10)))
    return by_path({"/": reply(listed), "/segment.ts": reply(segment)})


def zipped(content: bytes) -> bytes:
    return reply(content, content_encoding="gzip")


async def endless_segment(request: Any, writer: asyncio.StreamWriter) -> None:
    if request.path == "/":
        writer.write(reply(playlist(*segments(10))))
    else:
        await endlessly(CHUNKED, CHUNK)(request, writer)


ATTACKS: dict[str, Answer] = {
    "a playlist without end": endlessly(CHUNKED, CHUNK),
    "100,000 lines": always(zipped(squeezed(playlist(*segments(50_000, uri="a"))))),
    "more segments than any stream has": always(zipped(squeezed(playlist(*segments(21_000))))),
    "a gzip bomb": always(zipped(bomb())),
    "a playlist that drips": endlessly(CHUNKED, b"1\r\n#\r\n", pause_sec=0.05),
    "an XML bomb": always(reply(LAUGHS)),
    "a sequence beyond 64 bits": always(reply(playlist(*segments(3), sequence="1" * 30))),
    "a negative sequence": always(reply(playlist(*segments(3), sequence="-7"))),
    "a master playlist of itself": always(reply(b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n/\n")),
    "redirects in a circle": always(reply(status=302, location="/")),
    "a segment without end": endless_segment,
    "a segment of 16k x 16k": with_segment(picture(16_384, 16_384)),
    "a segment that costs CPU time": with_segment(animation(4_000, 4_000, 3_000)),
    "a segment that costs memory": with_segment(animation(5_800, 5_800, 3_000)),
    "durations of 1e308": with_segment(b"x", segments(5, "1e308")),
    "negative durations": with_segment(b"x", segments(5, "-1")),
    "durations that are no number": with_segment(b"x", segments(5, "NaN")),
}
