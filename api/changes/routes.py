"""The route of changes, `/api/v1/changes`."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import StreamingResponse

from api.auth import rate_limited
from api.changes.feed import ChangeFeed
from api.error_docs import error_responses
from api.errors import ValidationFailed
from api.injection import injected
from api.limits import Counted
from api.parameters import query_parameters

EVENT_STREAM: Final = "text/event-stream"
MAX_NUMBER: Final = 2**63 - 1
_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_STREAM: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "A stream without an end.",
        "content": {EVENT_STREAM: {"schema": {"type": "string"}}},
    }
}

Feed = Annotated[ChangeFeed, injected(ChangeFeed)]

router = APIRouter(prefix="/api/v1", tags=["changes"])


async def _listening(feed: Feed) -> AsyncIterator[None]:
    async with feed.listening():
        yield


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
    dependencies=[rate_limited(Counted.READS), query_parameters("after"), Depends(_listening)],
    response_class=StreamingResponse,
    responses={**_STREAM, **error_responses(ValidationFailed)},
)
async def changes(
    feed: Feed, after: Annotated[int | None, Depends(_event_number)]
) -> StreamingResponse:
    """Tell of changed monitors and incidents, as server-sent events, until the client leaves.

    `ready` comes first. `monitor` and `incident` carry an item of their lists, as it is now. An
    event may come twice. After 10 s without news comes `alive`, while changes can be seen. A client
    that does not read for half a minute is cut off.
    """
    return StreamingResponse(feed.events(after), media_type=EVENT_STREAM, headers=_HEADERS)
