"""Clients of the gateway that mean no good, without a key and with one.

`python -m benchmarks.hostile.clients PORT ...` runs those without a key in a process of their own.
"""

import asyncio
import itertools
import json
import random
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress

import httpx

from benchmarks.hostile.zone import SILENT_ZONE
from tests.testkit.rest import Rest

CONNECTIONS = 300
HELD_SEC = 60.0
PAUSE_SEC = 1.0
BODY_BYTES = 64 * 1024
FLOOD_BYTES = 64 * 1024 * 1024
PIECE = b"x" * 4096
CREATION_SEC = 60 / 25
"""Between two creations: what the default rate limit leaves to one key."""

RawAttack = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _head(*lines: str) -> bytes:
    first = ["POST /api/v1/monitors HTTP/1.1", "Host: gateway.example"]
    return "\r\n".join([*first, *lines, "", ""]).encode()


async def _flood(writer: asyncio.StreamWriter, start: bytes, piece: bytes) -> None:
    writer.write(start)
    for _ in range(FLOOD_BYTES // len(piece)):
        writer.write(piece)
        await writer.drain()


async def endless_head(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send header lines without end."""
    await _flood(writer, _head()[:-2], b"X-More: " + PIECE + b"\r\n")


async def endless_trailer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """End a chunked body and go on with its trailer."""
    start = _head("Transfer-Encoding: chunked") + b"2\r\n{}\r\n0\r\n"
    await _flood(writer, start, b"X-More: " + PIECE + b"\r\n")


async def endless_chunk_extension(
    _reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Describe a chunk without end."""
    await _flood(writer, _head("Transfer-Encoding: chunked") + b"2;", PIECE)


async def endless_body(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Announce little and send a lot."""
    await _flood(writer, _head("Transfer-Encoding: chunked"), b"1000\r\n" + PIECE + b"\r\n")


async def one_byte_chunks(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send a body in the smallest pieces."""
    await _flood(writer, _head("Transfer-Encoding: chunked"), b"1\r\n \r\n" * 500)


async def dripping_head(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send a head so slowly that no pause is long."""
    for byte in _head() * 100:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(PAUSE_SEC)


async def unread_answers(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Ask again and again, and read nothing."""
    await _flood(writer, b"", b"GET /metrics HTTP/1.1\r\nHost: gateway.example\r\n\r\n" * 50)


async def garbage(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send what is no HTTP."""
    await _flood(writer, b"", random.Random(1).randbytes(4096))  # noqa: S311


RAW_ATTACKS: tuple[RawAttack, ...] = (
    endless_head,
    endless_trailer,
    endless_chunk_extension,
    endless_body,
    one_byte_chunks,
    dripping_head,
    unread_answers,
    garbage,
)


async def attack_port(port: int) -> None:
    """Try everything that needs no key, again and again, until cancelled."""
    attacks = [_repeat(attack, port) for attack in RAW_ATTACKS]
    await asyncio.gather(*attacks, *(_say_nothing(port) for _ in range(CONNECTIONS)))


async def _repeat(attack: RawAttack, port: int) -> None:
    while True:
        with suppress(OSError):
            await _converse(attack, port)
        await asyncio.sleep(PAUSE_SEC)


async def _converse(attack: RawAttack, port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        await asyncio.wait_for(attack(reader, writer), HELD_SEC)
    except TimeoutError:
        pass
    finally:
        writer.transport.abort()


async def _say_nothing(port: int) -> None:
    async def wait(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    await _repeat(wait, port)


def _bodies() -> Iterator[bytes]:
    """Return JSON bodies just under the size limit, each costly in another way."""
    room = BODY_BYTES - 200
    yield b"[" * room
    yield b'{"a":' * (room // 5)
    yield b"[" + b"0," * (room // 2) + b"0]"
    yield b'{"config":[' + b"[]," * (room // 3) + b"[]]}"
    yield b'{"metadata":{' + b",".join(b'"%05d":0' % n for n in range(room // 10)) + b"}}"
    yield b'{"stream_url":"' + b"\\ud800" * (room // 6) + b'"}'
    yield b'{"config":{"recovery_sec":' + b"9" * room + b"}}"
    yield b'{"config":{"recovery_sec":1e' + b"9" * 300 + b"}}"
    yield b'{"' + b"k" * room + b'":1}'


def _monitors() -> Iterator[dict[str, str]]:
    """Return monitors whose hosts are never found, do not decode, or have long names."""
    good = "http://127.0.0.1:9/live.m3u8"
    for number in itertools.count():
        silent = f"https://{number}.{SILENT_ZONE}/live.m3u8"
        yield {"stream_url": silent, "callback_url": good}
        yield {"stream_url": f"{good}?{number}", "callback_url": silent}
        yield {"stream_url": good, "callback_url": f"https://xn--a{number}/"}
        yield {"stream_url": f"https://{'a' * 63}.{'b' * 63}.example/l.m3u8", "callback_url": good}
        yield {"stream_url": "https://example.com/" + "a" * 60_000, "callback_url": good}


class KeyedAttack:
    """Sends bodies and monitors that mean no good, as fast as one key may.

    Attributes:
        failures: answers that say the gateway failed, and to what.
    """

    def __init__(self, rest: Rest) -> None:
        self.failures: list[str] = []
        self._http = rest.http

    async def run(self) -> None:
        """Go on until cancelled."""
        await asyncio.gather(self._send_bodies(), self._create(), self._read())

    async def _send_bodies(self) -> None:
        for body in itertools.cycle(_bodies()):
            await self._post(body)
            await asyncio.sleep(CREATION_SEC)

    async def _create(self) -> None:
        for monitor in _monitors():
            await self._post(json.dumps(monitor).encode())
            await asyncio.sleep(CREATION_SEC)

    async def _read(self) -> None:
        queries = ("limit=1e9", "offset=" + "9" * 400, "status=%00", "status=" + "a" * 4000)
        for query in itertools.cycle(queries):
            await self._record(self._http.get(f"/monitors?{query}"))
            await asyncio.sleep(PAUSE_SEC)

    async def _post(self, body: bytes) -> None:
        headers = {"Content-Type": "application/json"}
        await self._record(self._http.post("/monitors", content=body, headers=headers))

    async def _record(self, request: Awaitable[httpx.Response]) -> None:
        with suppress(httpx.HTTPError):
            answer = await request
            if answer.status_code == httpx.codes.INTERNAL_SERVER_ERROR:
                asked = answer.request.content[:80] or answer.request.url
                self.failures.append(f"500 for {asked!r}")


async def _attack_ports(ports: list[int]) -> None:
    await asyncio.gather(*map(attack_port, ports))


if __name__ == "__main__":
    print("ready", flush=True)
    asyncio.run(_attack_ports([int(port) for port in sys.argv[1:]]))
