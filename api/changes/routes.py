"""The route of changes, `/api/v1/changes`."""

import time
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import StreamingResponse

from api.auth import Authentication, AuthenticationDep, CallerDep
from api.changes.feed import ChangeFeed
from api.errors import ValidationFailed
from api.injection import injected
from api.parameters import client_route
from api.request_limits import Counted
from api.store import StoreUnavailable

EVENT_STREAM: Final = "text/event-stream"
MAX_NUMBER: Final = 2**63 - 1
SESSION_CHECK_SEC: Final = 10.0
_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_STREAM: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "A stream without an end.",
        "content": {EVENT_STREAM: {"schema": {"type": "string"}}},
    }
}

Feed = Annotated[ChangeFeed, injected(ChangeFeed)]

router = APIRouter(prefix="/api/v1", tags=["changes"])


async def _listening(feed: Feed, caller: CallerDep) -> AsyncIterator[None]:
    async with feed.listening(caller.session or caller.name):
        yield


async def _is_logged_in(request: Request, authentication: Authentication) -> bool:
    try:
        return await authentication.session(request) is not None
    except StoreUnavailable:
        return True  # an outage logs nobody out


async def _while_logged_in(
    events: AsyncIterator[bytes], request: Request, authentication: Authentication
) -> AsyncIterator[bytes]:
    """Pass on events until the session ends: a page that was left open learns nothing more."""
    asked_at = time.monotonic()
    async for piece in events:
        if time.monotonic() - asked_at >= SESSION_CHECK_SEC:
            if not await _is_logged_in(request, authentication):
                return
            asked_at = time.monotonic()
        yield piece


def _event_number(
    last_event_id: Annotated[
        str | None, Header(description="Of the last event that came: what changed since is sent.")
    ] = None,
    after: Annotated[
        str | None, Query(description="The same, for who can set no header; that goes first.")
    ] = None,
) -> int | None:
    if last_event_id:
        return _number("Last-Event-ID", last_event_id)
    return _number("after", after) if after else None


def _number(name: str, text: str) -> int:
    if not (text.isdecimal() and text.isascii() and len(text) < 20):
        raise ValidationFailed(f"{name}: is not the id of an event")
    return min(int(text), MAX_NUMBER)


@router.get(
    "/changes",
    response_class=StreamingResponse,
    **client_route(Counted.READS, query=("after",), answers=_STREAM),
)
async def changes(
    request: Request,
    feed: Feed,
    caller: CallerDep,
    authentication: AuthenticationDep,
    after: Annotated[int | None, Depends(_event_number)],
    _listening: Annotated[None, Depends(_listening)],
) -> StreamingResponse:
    """Tell of changed monitors and incidents, as server-sent events, until the client leaves.

    `ready` comes first. `monitor` and `incident` carry an item of their lists, as it is now. An
    event may come twice. After 10 s without news comes `alive`, while changes can be seen. A client
    that does not read for half a minute is cut off.
    """
    events = feed.events(after)
    told = _while_logged_in(events, request, authentication) if caller.session else events
    return StreamingResponse(told, media_type=EVENT_STREAM, headers=_HEADERS)
