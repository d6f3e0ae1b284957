"""The API of the workers about pictures and evidence. Every call may come twice, or late.

What comes with the bytes is in headers, see `monitors.evidence.EvidenceHeader`.
"""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.auth import require_probe
from api.body import parse_model, read_body
from api.errors import ValidationFailed
from api.evidence.intake import EvidenceIntake, IncomingEvidence
from api.evidence.latest_pictures import Pictures
from api.injection import injected
from api.parameters import Instant
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

router = APIRouter(
    prefix="/internal/v1", dependencies=[Depends(require_probe)], include_in_schema=False
)


def _of_incident(value: str) -> str:
    if not is_incident_id(value):
        raise ValueError("is not the id of an incident")
    return value


TakenAt = Annotated[Instant, Header(alias=EvidenceHeader.TAKEN_AT)]
Sha256 = Annotated[str, Header(alias=EvidenceHeader.SHA256, pattern="^[0-9a-f]{64}$")]
Reason = Annotated[str | None, Header(alias=EvidenceHeader.REASON, pattern=f"^{REASON_PATTERN}$")]


async def _announced(
    monitor_id: str,
    evidence_id: str,
    incident_id: Annotated[
        str, Header(alias=EvidenceHeader.INCIDENT_ID), AfterValidator(_of_incident)
    ],
    kind: Annotated[EvidenceKind, Header(alias=EvidenceHeader.KIND)],
    moment: Annotated[EvidenceMoment | None, Header(alias=EvidenceHeader.MOMENT)] = None,
) -> IncomingEvidence:
    return IncomingEvidence(monitor_id, evidence_id, incident_id, EvidenceItem(kind, moment))


Announced = Annotated[IncomingEvidence, Depends(_announced)]


class EvidenceFailure(BaseModel):
    """There will be no file."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(pattern=f"^{REASON_PATTERN}$")


@router.put("/monitors/{monitor_id}/picture", status_code=204)
async def put_picture(
    request: Request, pictures: Pictures, monitor_id: str, taken_at: TakenAt
) -> Response:
    """Take the latest picture of a stream."""
    _check_type(request, EvidenceKind.PICTURE)
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
    request: Request,
    intake: Intake,
    announced: Announced,
    taken_at: TakenAt,
    sha256: Sha256,
    reason: Reason = None,
) -> Response:
    """Take a file; one that is there already stays as it is."""
    _check_type(request, announced.item.kind)
    upload = replace(announced, taken_at=taken_at, sha256=sha256, reason=reason)
    await intake.take(upload, request)
    return Response(status_code=204)


@router.put("/monitors/{monitor_id}/evidence/{evidence_id}/failure", status_code=204)
async def fail_evidence(request: Request, intake: Intake, announced: Announced) -> Response:
    """Take that there will be no file."""
    failure = parse_model(EvidenceFailure, await read_body(request))
    await intake.fail(announced, failure.reason)
    return Response(status_code=204)


def _check_type(request: Request, kind: EvidenceKind) -> None:
    if request.headers.get("content-type") != CONTENT_TYPES[kind]:
        raise ValidationFailed(f"Content-Type: must be {CONTENT_TYPES[kind]}")
