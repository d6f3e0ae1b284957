"""A webhook receiver that verifies what it gets, to test an integration with."""

import asyncio
import base64
import dataclasses
import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from http.client import responses
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from monitors.webhook_signing import is_signed, is_trio_signed
from runtime.http_limits import http_config
from runtime.serving import serve_in_background, stop_signal

TOLERANCE_SEC = 300  # an older or newer timestamp is refused, against replays
NOT_SIGNED = "the signature does not fit (a destination signs with its own whsec_… key)"
TOO_LARGE = "the body is larger than any webhook"
BODY_MAX_BYTES = 64 * 1024  # more than three times the largest webhook
WHSEC = "whsec_"

GRACE_SEC = 2  # time that requests in flight get at the end


@dataclass(frozen=True)
class Received:
    """A webhook as it came.

    Attributes:
        event: its body; empty when that is no JSON object.
        problem: why it must not be trusted; None when it is verified.
        status: what was answered.
        at: unix seconds of its arrival.
    """

    event: dict[str, Any]
    problem: str | None
    status: int
    at: float


class Receiver:
    """Verifies webhooks; the first are answered with 500, the others with `status`."""

    def __init__(
        self,
        keys: Sequence[bytes],
        on_receipt: Callable[[Received], None],
        *,
        fail_first: int = 0,
        status: int = 200,
        delay_sec: float = 0.0,
    ) -> None:
        self._keys = keys
        self._on_receipt = on_receipt
        self._fail_first, self._good_status, self._delay_sec = fail_first, status, delay_sec
        self._requests = 0

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self._receive, methods=["POST"])])

    async def _receive(self, request: Request) -> Response:
        at = time.time()
        body = await _body(request)
        self._requests += 1
        problem = TOO_LARGE if body is None else self._problem(request, body, at)
        status = 413 if body is None else self._status(problem)
        await asyncio.sleep(self._delay_sec)
        self._on_receipt(Received(_event(body or b""), problem, status, at))
        return Response(status_code=status)

    def _status(self, problem: str | None) -> int:
        if self._requests <= self._fail_first:
            return 500
        return 401 if problem else self._good_status

    def _problem(self, request: Request, body: bytes, at: float) -> str | None:
        headers = request.headers
        timestamp, again = headers.get("x-timestamp", ""), headers.get("webhook-timestamp", "")
        signature = headers.get("x-signature-256", "")
        if not is_signed(self._keys, timestamp=timestamp, body=body, signature=signature):
            return NOT_SIGNED
        if not is_trio_signed(
            self._keys,
            message_id=headers.get("webhook-id", ""),
            timestamp=again,
            body=body,
            signatures=headers.get("webhook-signature", ""),
        ):
            return "the signature of Standard Webhooks does not fit"
        if not all(_is_near(moment, at) for moment in (timestamp, again)):
            return "the timestamp is too far away"
        return None


def receiving(
    receiver: Receiver, host: str, port: int, *, variables: str = "--host, --port"
) -> AbstractAsyncContextManager[None]:
    """Receive while the context is open; PortTaken names the `variables` that say where."""
    config = http_config(
        receiver.app(), host, port, lifespan="off", timeout_graceful_shutdown=GRACE_SEC
    )
    return serve_in_background(config, variables=variables)


async def run_receiver(receiver: Receiver, host: str, port: int) -> None:
    """Receive until SIGTERM or SIGINT."""
    with stop_signal() as stop:
        async with receiving(receiver, host, port):
            print(f"Receiving webhooks at http://{host}:{port}/", file=sys.stderr, flush=True)
            await stop.wait()


def signing_keys(keys: str) -> list[bytes]:
    """Return the keys that may have signed; the secret of a destination (`whsec_…`) as it is."""
    texts = [key.strip() for key in keys.split(",") if key.strip()]
    return [*(text.encode() for text in texts), *filter(None, map(_secret_of, texts))]


def _secret_of(text: str) -> bytes:
    """Return the key that a destination's secret stands for; empty for any other key."""
    if text.startswith(WHSEC):
        with suppress(ValueError):
            return base64.b64decode(text.removeprefix(WHSEC), validate=True)
    return b""


def _is_near(timestamp: str, at: float) -> bool:
    is_number = timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 20
    return is_number and abs(at - int(timestamp)) <= TOLERANCE_SEC


def print_json(received: Received) -> None:
    print(json.dumps(dataclasses.asdict(received)), flush=True)


def print_line(received: Received) -> None:
    """Print what came; of what is not verified nothing but that: it may be made for a terminal."""
    status = f"{received.status} {responses.get(received.status, '')}".rstrip()
    if received.problem:
        print(f"{status} · refused: {received.problem}", flush=True)
        return
    event = received.event
    name = f"#{event.get('sequence')} {event.get('event_type')} · {event.get('monitor_id')}"
    print(f"{status} · signature valid · {name} · {json.dumps(event.get('data'))}", flush=True)


async def _body(request: Request) -> bytes | None:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX_BYTES:
            return None
    return body


def _event(body: bytes) -> dict[str, Any]:
    try:
        event = json.loads(body)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}
