"""The latest picture of each monitor, and who is looked at."""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Response

from api.errors import MonitorNotFound, PictureNotFound, ValidationFailed
from api.evidence.routes import SAFE_HEADERS
from api.injection import injected
from api.monitors.service import MonitorService
from api.parameters import PathId, client_route
from api.request_limits import Counted
from api.store import Store
from api.store.latest_pictures import PictureRecord
from monitors.evidence import EvidenceLevel
from monitors.random_ids import is_monitor_id

LOOK_LASTS: Final = timedelta(seconds=30)
NOTED_AGAIN: Final = timedelta(seconds=15)
KNOWN_FOR: Final = timedelta(seconds=2)
UNSEEN_INTERVAL_SEC: Final = 60.0
JPEG_BEGINS: Final = b"\xff\xd8\xff"


class LatestPictureService:
    """Keeps pictures in the database, which all gateways share.

    `interval_sec` is the pace of the pictures of a stream that somebody looks at.
    """

    def __init__(
        self,
        store: Store,
        monitors: MonitorService,
        *,
        interval_sec: float,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._monitors = monitors
        self._interval_sec = interval_sec
        self._now = now
        self._looked_at: set[str] = set()
        self._known_until: datetime | None = None
        self._asking = asyncio.Lock()

    async def put(self, monitor_id: str, picture: bytes, taken_at: datetime) -> None:
        """Keep a picture, unless a newer one is known."""
        monitor = await self._monitors.find(monitor_id)
        if monitor.config.evidence is EvidenceLevel.NONE:
            raise ValidationFailed("body: the monitor keeps no evidence")
        if not picture.startswith(JPEG_BEGINS):
            raise ValidationFailed("body: is not a JPEG")
        digest = hashlib.sha256(picture).hexdigest()
        # A clock that is ahead must not hold back later pictures.
        await self._store.latest_pictures.put(
            monitor_id, picture, digest, min(taken_at, self._now())
        )

    async def latest(self, monitor_id: str) -> PictureRecord:
        """Return the latest picture, and note that somebody looks."""
        if not is_monitor_id(monitor_id):
            raise MonitorNotFound(monitor_id)
        found, looked_at = await self._store.latest_pictures.find(monitor_id)
        if found is None:
            await self._monitors.find(monitor_id)
        await self._note_look(monitor_id, looked_at)
        if found is None:
            raise PictureNotFound(monitor_id)
        return found

    async def interval_sec(self, monitor_id: str) -> float:
        """Return how often a stream's picture is wanted."""
        is_seen = monitor_id in await self._seen()
        return self._interval_sec if is_seen else max(self._interval_sec, UNSEEN_INTERVAL_SEC)

    async def _note_look(self, monitor_id: str, known: datetime | None) -> None:
        now = self._now()
        self._looked_at.add(monitor_id)
        if known is None or known < now - NOTED_AGAIN:
            await self._store.latest_pictures.note_look(monitor_id, now)

    async def _seen(self) -> set[str]:
        """Return who is looked at, asked of the database at most once in `KNOWN_FOR`."""
        async with self._asking:
            now = self._now()
            if self._known_until is None or now >= self._known_until:
                self._looked_at = await self._store.latest_pictures.looked_at_since(
                    now - LOOK_LASTS
                )
                self._known_until = now + KNOWN_FOR
        return self._looked_at


Pictures = Annotated[LatestPictureService, injected(LatestPictureService)]

_JPEG: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The picture.",
        "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
    },
    304: {"description": "It is the one of `If-None-Match`."},
}

router = APIRouter(prefix="/api/v1", tags=["monitors"])


@router.get(
    "/monitors/{monitor_id}/picture.jpg",
    response_class=Response,
    **client_route(Counted.PICTURES, MonitorNotFound, PictureNotFound, answers=_JPEG),
)
async def latest_picture(
    request: Request,
    pictures: Pictures,
    monitor_id: PathId,
) -> Response:
    """Return the latest picture of a stream.

    While somebody asks, there is a new one every PICTURE_INTERVAL_SEC, else once a minute.
    """
    found = await pictures.latest(monitor_id)
    headers = {
        **SAFE_HEADERS,
        "Cache-Control": "private, no-cache",
        "ETag": f'"{found.sha256}"',
        "Last-Modified": format_datetime(found.taken_at, usegmt=True),
    }
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(found.picture, headers=headers, media_type="image/jpeg")
