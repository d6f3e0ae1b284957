"""The routes of slates, `/api/v1/slates`."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from api.auth import rate_limited
from api.body import read_body
from api.error_docs import error_responses
from api.errors import BodyTooLarge, SlateNotFound, ValidationFailed
from api.parameters import PathId, query_parameters
from api.request_limits import Counted
from api.slates.image import FORMATS, MAX_IMAGE_BYTES
from api.slates.schemas import Slate, SlateList
from api.slates.service import Slates

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


@router.put(
    "/slates/{name}",
    dependencies=[rate_limited(Counted.CHANGES), query_parameters()],
    responses=error_responses(ValidationFailed, BodyTooLarge),
    openapi_extra=_IMAGE,
)
async def put_slate(request: Request, slates: Slates, name: PathId) -> Slate:
    """Upload a picture that is not to be on air; watches look for it within a minute."""
    return await slates.put(name, await read_body(request, most_bytes=MAX_IMAGE_BYTES))


@router.get(
    "/slates",
    dependencies=[rate_limited(Counted.READS), query_parameters()],
    responses=error_responses(ValidationFailed),
)
async def list_slates(slates: Slates) -> SlateList:
    """List the slates by name."""
    return await slates.list_slates()


@router.delete(
    "/slates/{name}",
    status_code=204,
    dependencies=[rate_limited(Counted.CHANGES), query_parameters()],
    responses=error_responses(ValidationFailed, SlateNotFound),
)
async def delete_slate(slates: Slates, name: PathId) -> Response:
    """Remove a slate."""
    await slates.delete(name)
    return Response(status_code=204)
