"""The route of latest pictures, `/api/v1/monitors/{monitor_id}/picture.jpg`."""

from email.utils import format_datetime
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from api.client_routes import client_route
from api.errors import MonitorNotFound, PictureNotFound
from api.evidence.routes import SAFE_HEADERS
from api.latest_pictures.service import Pictures
from api.parameters import PathId
from api.request_limits import Counted

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
