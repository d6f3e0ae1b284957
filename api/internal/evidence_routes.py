"""The API of the workers about pictures and evidence. Every call may come twice, or late.

What comes with the bytes is in headers, see `monitors.evidence.EvidenceHeader`.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.auth import require_probe
from api.body import parse_model, read_body
from api.errors import ValidationFailed
from api.evidence.intake import EvidenceIntake, IncomingEvidence
from api.injection import injected
from api.latest_pictures.service import Pictures
from monitors.evidence import (
    CONTENT_TYPES,
    MOST_BYTES,
    REASON_PATTERN,
    EvidenceHeader,
    EvidenceItem,
    EvidenceKind,
    EvidenceMoment,
)
from monitors.incidents import is_incident_id

Intake = Annotated[EvidenceIntake, injected(EvidenceIntake)]

_REASON: Final = re.compile(REASON_PATTERN)
_SHA256: Final = re.compile(r"[0-9a-f]{64}")

router = APIRouter(
    prefix="/internal/v1", dependencies=[Depends(require_probe)], include_in_schema=False
)


class EvidenceFailure(BaseModel):
    """There will be no file."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(pattern=f"^{REASON_PATTERN}$")


@router.put("/monitors/{monitor_id}/picture", status_code=204)
async def put_picture(request: Request, pictures: Pictures, monitor_id: str) -> Response:
    """Take the latest picture of a stream."""
    _check_type(request, EvidenceKind.PICTURE)
    taken_at = _taken_at(request)
    picture = await read_body(request, most_bytes=MOST_BYTES[EvidenceKind.PICTURE])
    await pictures.put(monitor_id, picture, taken_at)
    return Response(status_code=204)


@router.get("/monitors/{monitor_id}/evidence/{evidence_id}", status_code=204)
async def has_evidence(intake: Intake, monitor_id: str, evidence_id: str) -> Response:
    """Answer 204 where a file is there, or was deleted; else 404."""
    await intake.check_taken(monitor_id, evidence_id)
    return Response(status_code=204)


@router.put("/monitors/{monitor_id}/evidence/{evidence_id}", status_code=204)
async def put_evidence(
    request: Request, intake: Intake, monitor_id: str, evidence_id: str
) -> Response:
    """Take a file; one that is there already stays as it is."""
    item = _item(request)
    _check_type(request, item.kind)
    upload = IncomingEvidence(
        monitor_id=monitor_id,
        evidence_id=evidence_id,
        incident_id=_incident_id(request),
        item=item,
        taken_at=_taken_at(request),
        sha256=_matching(request, EvidenceHeader.SHA256, _SHA256),
        reason=_reason(request),
    )
    await intake.take(upload, request)
    return Response(status_code=204)


@router.put("/monitors/{monitor_id}/evidence/{evidence_id}/failure", status_code=204)
async def fail_evidence(
    request: Request, intake: Intake, monitor_id: str, evidence_id: str
) -> Response:
    """Take that there will be no file."""
    failure, _ = parse_model(EvidenceFailure, await read_body(request))
    upload = IncomingEvidence(
        monitor_id=monitor_id,
        evidence_id=evidence_id,
        incident_id=_incident_id(request),
        item=_item(request),
    )
    await intake.fail(upload, failure.reason)
    return Response(status_code=204)


def _item(request: Request) -> EvidenceItem:
    moment = request.headers.get(EvidenceHeader.MOMENT)
    try:
        kind = EvidenceKind(request.headers.get(EvidenceHeader.KIND, ""))
        return EvidenceItem(kind, EvidenceMoment(moment) if moment else None)
    except ValueError:
        raise ValidationFailed(
            f"{EvidenceHeader.KIND}, {EvidenceHeader.MOMENT}: are not known"
        ) from None


def _incident_id(request: Request) -> str:
    given = request.headers.get(EvidenceHeader.INCIDENT_ID, "")
    if not is_incident_id(given):
        raise ValidationFailed(f"{EvidenceHeader.INCIDENT_ID}: is not the id of an incident")
    return given


def _reason(request: Request) -> str | None:
    is_given = EvidenceHeader.REASON in request.headers
    return _matching(request, EvidenceHeader.REASON, _REASON) if is_given else None


def _matching(request: Request, header: EvidenceHeader, pattern: re.Pattern[str]) -> str:
    given = request.headers.get(header, "")
    if not pattern.fullmatch(given):
        raise ValidationFailed(f"{header}: must match {pattern.pattern}")
    return given


def _taken_at(request: Request) -> datetime:
    header = EvidenceHeader.TAKEN_AT
    try:
        moment = datetime.fromisoformat(request.headers.get(header, ""))
        if moment.tzinfo is None:
            raise ValueError
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValidationFailed(f"{header}: must be ISO 8601 with offset") from None


def _check_type(request: Request, kind: EvidenceKind) -> None:
    if request.headers.get("content-type") != CONTENT_TYPES[kind]:
        raise ValidationFailed(f"Content-Type: must be {CONTENT_TYPES[kind]}")
