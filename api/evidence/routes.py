"""The routes of evidence, `/api/v1/evidence`, and of the keys that sign capsules."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response, Security
from fastapi.responses import StreamingResponse
from fastapi.security import HTTPAuthorizationCredentials

from api.auth import AuthenticationDep, api_key_header, bearer_header, caller, peer_address
from api.error_docs import error_responses
from api.errors import (
    EvidenceFailed,
    EvidenceGone,
    EvidenceNotAvailable,
    EvidenceNotFound,
    EvidencePending,
    Unauthorized,
    ValidationFailed,
)
from api.evidence.capsule_keys import CapsuleKeys, PublicKeys
from api.evidence.service import EvidenceService
from api.injection import injected
from api.parameters import PathId, client_route, query_parameters
from api.request_limits import Counted, Limits
from api.store.evidence import EvidenceRecord
from monitors.evidence import CONTENT_TYPES, EvidenceKind
from monitors.evidence_links import EvidenceLinks

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)

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
_WITHOUT_KEY: Final = {
    status: answer for status, answer in error_responses(ValidationFailed).items() if status != 401
}


class RangeNotSatisfiable(Exception):
    """The file has no such part."""


def wanted_range(header: str | None, size_bytes: int) -> tuple[int, int] | None:
    """Return the part that `Range` asks for, its end excluded; None: the whole.

    Several parts, other units and what is no range are ignored, as the RFC permits.

    Raises:
        RangeNotSatisfiable: it begins after the end, or is empty.
    """
    found = _RANGE.fullmatch(header.strip()) if header else None
    if found is None or not (found[1] or found[2]):
        return None
    if found[1]:
        start, end = int(found[1]), int(found[2]) + 1 if found[2] else size_bytes
        if found[2] and end <= start:
            return None
    else:
        start, end = max(0, size_bytes - int(found[2])), size_bytes
    if start >= size_bytes:
        raise RangeNotSatisfiable
    return start, min(end, size_bytes)


Links = Annotated[EvidenceLinks, injected(EvidenceLinks)]


async def _told_at(
    request: Request,
    authentication: AuthenticationDep,
    limits: Limits,
    links: Links,
    api_key: Annotated[str | None, Security(api_key_header)] = None,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(bearer_header)] = None,
    expires: Annotated[str | None, Query(description="Of a signed URL.")] = None,
    signature: Annotated[str | None, Query(description="Of a signed URL.")] = None,
) -> datetime | None:
    """Admit a reader; return when a signed URL was told, None for a client with a key."""
    if expires is None and signature is None:
        client = (await caller(request, authentication, api_key, bearer)).name
        await limits.count(Counted.PICTURES, client)
        return None
    await limits.count(Counted.PICTURES, peer_address(request))
    if not links.is_signed(request.url.path, expires or "", signature or ""):
        raise Unauthorized("signature: is not valid for this URL")
    moment = datetime.fromtimestamp(int(expires or ""), UTC)
    if moment <= datetime.now(UTC):
        raise Unauthorized("expires: the URL has expired; with a key it opens")
    return moment - links.ttl


ToldAt = Annotated[datetime | None, Depends(_told_at)]

Evidence = Annotated[EvidenceService, injected(EvidenceService)]

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


@router.get(
    "/keys",
    dependencies=[Depends(_count_reader), query_parameters()],
    responses=_WITHOUT_KEY,
)
async def list_keys(keys: Annotated[CapsuleKeys, injected(CapsuleKeys)]) -> PublicKeys:
    """Return the public keys that capsules are signed with, to everybody."""
    return keys.public
