"""An HTTP server that records what it is sent and answers as scripted: a receiver, a gateway."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from simulator.origin.server import InProcessServer


@dataclass(frozen=True)
class Request:
    """What was sent; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What is answered.

    Attributes:
        hangs: never answers.
        is_endless: the body never ends.
        stands_still: the body begins, and no more of it comes.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    hangs: bool = False
    is_endless: bool = False
    stands_still: bool = False


class ScriptedServer:
    """Answers one request after the other; the last answer stays.

    Attributes:
        hanging: requests that wait for an answer which never comes.
    """

    def __init__(self, answers: Sequence[Answer]) -> None:
        self.requests: list[Request] = []
        self.url = ""
        self.hanging = 0
        self._answers = list(answers) or [Answer()]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        body = await _whole_body(receive)
        self.requests.append(Request(scope["method"], scope["path"], headers, body))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if answer.hangs:
            await self._hang(receive)
            return
        raw = [(name.lower().encode(), value.encode()) for name, value in answer.headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": raw})
        if answer.stands_still:
            await send({"type": "http.response.body", "body": b"{", "more_body": True})
            await self._hang(receive)
            return
        while answer.is_endless:
            await send({"type": "http.response.body", "body": bytes(8192), "more_body": True})
            if await _is_gone(receive):
                return
        body = b"" if answer.status in (204, 304) else answer.body
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _hang(self, receive: Any) -> None:
        self.hanging += 1
        try:
            await _gone(receive)
        finally:
            self.hanging -= 1


async def _whole_body(receive: Any) -> bytes:
    body: bytes = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


async def _gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _is_gone(receive: Any) -> bool:
    try:
        async with asyncio.timeout(0.01):
            await _gone(receive)
    except TimeoutError:
        return False
    return True


@asynccontextmanager
async def scripted(*answers: Answer) -> AsyncIterator[ScriptedServer]:
    """Serve until the block ends."""
    script = ScriptedServer(answers)
    server = InProcessServer(script, "127.0.0.1", 0)
    host, port = await server.start()
    script.url = f"http://{host}:{port}"
    try:
        yield script
    finally:
        await server.stop()
