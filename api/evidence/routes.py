"""The routes of evidence, `/api/v1/evidence`, and of the keys that sign capsules."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse

from api.auth import peer_address
from api.client_routes import client_route
from api.error_docs import error_responses
from api.errors import (
    EvidenceFailed,
    EvidenceGone,
    EvidenceNotAvailable,
    EvidenceNotFound,
    EvidencePending,
    ValidationFailed,
)
from api.evidence.access import ToldAt
from api.evidence.capsule_keys import CapsuleKeys
from api.evidence.ranges import RangeNotSatisfiable, wanted_range
from api.evidence.schemas import PublicKeys
from api.evidence.service import EvidenceService
from api.injection import injected
from api.parameters import PathId, query_parameters
from api.request_limits import Counted, Limits
from api.store.evidence import EvidenceRecord
from monitors.evidence import CONTENT_TYPES, EvidenceKind

Evidence = Annotated[EvidenceService, injected(EvidenceService)]

SAFE_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}
"""With what strangers' streams show: it is data, whatever a browser takes it for."""

CACHE_SEC: Final = 3600
_SUFFIXES: Final = {
    EvidenceKind.PICTURE: "jpg",
    EvidenceKind.CLIP: "mp4",
    EvidenceKind.CAPSULE: "zip",
}
_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The file.",
        "content": {
            content_type: {"schema": {"type": "string", "format": "binary"}}
            for content_type in CONTENT_TYPES.values()
        },
    },
    206: {"description": "The part that `Range` asks for."},
    304: {"description": "It is the one of `If-None-Match`."},
    416: {"description": "It has no such part."},
}

router = APIRouter(prefix="/api/v1", tags=["evidence"])


@router.get(
    "/evidence/{evidence_id}",
    dependencies=[query_parameters("expires", "signature")],
    response_class=Response,
    responses={
        **_FILE,
        **error_responses(
            ValidationFailed,
            EvidenceNotFound,
            EvidencePending,
            EvidenceFailed,
            EvidenceGone,
            EvidenceNotAvailable,
        ),
    },
)
async def get_evidence(
    request: Request, evidence: Evidence, told_at: ToldAt, evidence_id: PathId
) -> Response:
    """Return a picture, a clip or a capsule.

    It opens with a key, or by the URL that events and incidents carry. What is still to come is 404
    with `Retry-After`.
    """
    record = await evidence.find(evidence_id, told_at=told_at)
    headers = _headers(record)
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    try:
        part = wanted_range(request.headers.get("range"), record.size_bytes)
    except RangeNotSatisfiable:
        return Response(
            status_code=416, headers={**headers, "Content-Range": f"bytes */{record.size_bytes}"}
        )
    start, end = part or (0, record.size_bytes)
    headers["Content-Length"] = str(end - start)
    if part:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{record.size_bytes}"
    return StreamingResponse(
        await evidence.pieces(record, start, end),
        status_code=206 if part else 200,
        headers=headers,
        media_type=CONTENT_TYPES[record.kind],
    )


def _headers(record: EvidenceRecord) -> dict[str, str]:
    place = "attachment" if record.kind is EvidenceKind.CAPSULE else "inline"
    name = f"{record.evidence_id}.{_SUFFIXES[record.kind]}"
    return {
        **SAFE_HEADERS,
        "Content-Disposition": f'{place}; filename="{name}"',
        "Accept-Ranges": "bytes",
        "ETag": f'"{record.sha256}"',
        "Cache-Control": f"private, max-age={CACHE_SEC}",
    }


@router.delete(
    "/evidence/{evidence_id}",
    status_code=204,
    **client_route(Counted.CHANGES, EvidenceNotFound, EvidenceNotAvailable),
)
async def delete_evidence(evidence: Evidence, evidence_id: PathId) -> Response:
    """Remove a file from the store; a second call changes nothing."""
    await evidence.delete(evidence_id)
    return Response(status_code=204)


async def _count_reader(request: Request, limits: Limits) -> None:
    await limits.count(Counted.READS, peer_address(request))


_WITHOUT_KEY: Final = {
    status: answer for status, answer in error_responses(ValidationFailed).items() if status != 401
}


@router.get(
    "/keys",
    dependencies=[Depends(_count_reader), query_parameters()],
    responses=_WITHOUT_KEY,
)
async def list_keys(keys: Annotated[CapsuleKeys, injected(CapsuleKeys)]) -> PublicKeys:
    """Return the public keys that capsules are signed with, to everybody."""
    return keys.public
