"""A webhook receiver that trusts nothing it cannot verify."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import uvicorn
from standardwebhooks import Webhook as StandardWebhook
from standardwebhooks import WebhookVerificationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runtime.serving import serve_in_background
from tests.testkit.ports import free_port
from tests.testkit.waiting import until

Answer = Callable[["Received"], Awaitable[int]]


@dataclass(frozen=True)
class Received:
    """One request, verified.

    Attributes:
        at: unix seconds of its arrival.
    """

    event: dict[str, Any]
    body: bytes
    headers: dict[str, str]
    at: float

    @property
    def event_type(self) -> str:
        """Return the event's type."""
        return str(self.event["event_type"])


class Receiver:
    """Takes webhooks at `/NAME`, each name a receiver of its own.

    Attributes:
        keys: signing keys that are trusted; those of destinations as the API gives them.
        problems: why requests were not.
        answers: how a name answers; 200 where nothing is said.
    """

    def __init__(self, *keys: str) -> None:
        self.keys = [*keys]
        self.problems: list[str] = []
        self.answers: dict[str, Answer] = {}
        self.port = free_port()
        self._received: dict[str, list[Received]] = {}
        self._serving = AsyncExitStack()

    async def start(self) -> None:
        """Take requests from now on."""
        app = Starlette(routes=[Route("/{name}", self._take, methods=["POST"])])
        config = uvicorn.Config(
            app, port=self.port, log_config=None, access_log=False, lifespan="off"
        )
        await self._serving.enter_async_context(serve_in_background(config))

    async def stop(self) -> None:
        """Take none any more."""
        await self._serving.aclose()

    def url(self, name: str) -> str:
        """Return the callback URL of a name."""
        return f"http://127.0.0.1:{self.port}/{name}"

    def requests(self, name: str) -> list[Received]:
        """Return all requests to a name, oldest first."""
        return self._received.get(name, [])

    def events(self, name: str) -> list[Received]:
        """Return the first request of each event, oldest first."""
        first = {each.event["event_id"]: each for each in reversed(self.requests(name))}
        return [each for each in self.requests(name) if first[each.event["event_id"]] is each]

    def types(self, name: str) -> list[str]:
        """Return the types of a name's events, in the order of their first arrival."""
        return [each.event_type for each in self.events(name)]

    async def until(
        self, name: str, event_type: str, *, count: int = 1, within_sec: float = 60.0
    ) -> Received:
        """Wait until an event of this type came, the `count`th of them, and return it."""

        async def came() -> list[Received] | None:
            found = [each for each in self.events(name) if each.event_type == event_type]
            return found if len(found) >= count else None

        what = f"{event_type} number {count} at {name}"
        return (await until(came, what, within_sec=within_sec))[count - 1]

    async def _take(self, request: Request) -> Response:
        name, at = request.path_params["name"], time.time()
        body, headers = await request.body(), dict(request.headers)
        problem = self._problem(body, headers)
        if problem:
            self.problems.append(f"{name}: {problem}")
            return Response(status_code=401)
        received = Received(json.loads(body), body, headers, at)
        self._received.setdefault(name, []).append(received)
        answer = self.answers.get(name, _accept)
        return Response(status_code=await answer(received))

    def _problem(self, body: bytes, headers: dict[str, str]) -> str | None:
        problems = [_mistrust(_key_bytes(key), body, headers) for key in self.keys]
        return None if None in problems else str(problems)


def _key_bytes(key: str) -> bytes:
    secret = key.removeprefix("whsec_")
    return key.encode() if secret == key else base64.b64decode(secret)


def _mistrust(key: bytes, body: bytes, headers: dict[str, str]) -> str | None:
    try:
        StandardWebhook(key).verify(body, headers)
    except WebhookVerificationError as error:
        return str(error)
    message = f"{headers['x-timestamp']}.".encode() + body
    expected = "sha256=" + hmac.new(key, message, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, headers["x-signature-256"]):
        return "X-Signature-256 does not fit"
    ids = {headers["x-event-id"], headers["webhook-id"], json.loads(body)["event_id"]}
    return None if len(ids) == 1 else f"different ids: {ids}"


async def _accept(_received: Received) -> int:
    return 200
