"""The routes of slates, `/api/v1/slates`."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from api.body import read_body
from api.errors import SlateNotFound
from api.parameters import PathId, client_route
from api.request_limits import Counted
from api.slates.service import FORMATS, MAX_IMAGE_BYTES, Slate, SlateList, Slates

_IMAGE: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": f"Up to {MAX_IMAGE_BYTES} bytes.",
        "content": {
            f"image/{each.lower()}": {"schema": {"type": "string", "format": "binary"}}
            for each in FORMATS
        },
    }
}

router = APIRouter(prefix="/api/v1", tags=["slates"])


@router.put("/slates/{name}", **client_route(Counted.CHANGES, body=_IMAGE))
async def put_slate(request: Request, slates: Slates, name: PathId) -> Slate:
    """Upload a picture that is not to be on air; watches look for it within a minute."""
    return await slates.put(name, await read_body(request, most_bytes=MAX_IMAGE_BYTES))


@router.get("/slates", **client_route(Counted.READS))
async def list_slates(slates: Slates) -> SlateList:
    """List the slates by name."""
    return await slates.list_slates()


@router.delete("/slates/{name}", status_code=204, **client_route(Counted.CHANGES, SlateNotFound))
async def delete_slate(slates: Slates, name: PathId) -> Response:
    """Remove a slate."""
    await slates.delete(name)
    return Response(status_code=204)
