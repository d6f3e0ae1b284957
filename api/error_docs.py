"""How the description of the API documents errors, and the ids that its examples share."""

from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel, Field

from api import errors
from api.errors import ApiError

EXAMPLE_ID: Final = "mon-019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b"
EXAMPLE_DESTINATION_ID: Final = "dst-019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1c"
EXAMPLE_SILENCE_ID: Final = "sil-019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1d"
EXAMPLE_INCIDENT_ID: Final = "inc-5a9be5a8-4b5c-5a59-9f4f-3a3c0d8d2f10"
EXAMPLE_EVIDENCE_ID: Final = "evd-019a0b1c-2d3e-7a59-9f4f-3a3c0d8d2f10"
EXAMPLE_EVENT_ID: Final = "evt-5a9be5a8-4b5c-4a59-9f4f-3a3c0d8d2f10"

FRAMEWORK_ERROR: Final = "4XX"
"""Documented for a moment only: it keeps the framework from adding a 422 that never occurs."""


class ErrorDetail(BaseModel):
    """What went wrong: `code` for programs, `message` for people."""

    code: str = Field(examples=["VALIDATION_ERROR"])
    message: str = Field(description="Which field and why.")
    monitor_id: str = Field(
        default="", description="With DUPLICATE_MONITOR: the monitor that watches the stream."
    )


class ErrorBody(BaseModel):
    """The one form of all errors."""

    error: ErrorDetail


_EXAMPLES: Final[list[ApiError]] = [
    errors.ValidationFailed("limit: input should be less than or equal to 200"),
    errors.InvalidUrl("stream_url: must start with http:// or https://"),
    errors.InvalidConfig("config.recovery_sec: input should be greater than or equal to 0"),
    errors.Unauthorized("X-API-Key: is required"),
    errors.Forbidden("This key may only read (VIEWER_KEYS)"),
    errors.MonitorNotFound(EXAMPLE_ID),
    errors.DestinationNotFound(EXAMPLE_DESTINATION_ID),
    errors.SilenceNotFound(EXAMPLE_SILENCE_ID),
    errors.EventNotFound(EXAMPLE_ID, EXAMPLE_EVENT_ID),
    errors.IncidentNotFound(EXAMPLE_INCIDENT_ID),
    errors.EvidenceNotFound(EXAMPLE_EVIDENCE_ID),
    errors.EvidencePending(EXAMPLE_EVIDENCE_ID),
    errors.EvidenceFailed(EXAMPLE_EVIDENCE_ID, "no_picture"),
    errors.EvidenceGone(EXAMPLE_EVIDENCE_ID, "expired"),
    errors.PictureNotFound(EXAMPLE_ID),
    errors.SlateNotFound("technical-difficulties"),
    errors.StatusPageNotFound("example-tv"),
    errors.DuplicateMonitor(EXAMPLE_ID),
    errors.IdempotencyConflict("Idempotency-Key: was used before with another body"),
    errors.MonitorNotActive(f"Monitor {EXAMPLE_ID} has ended already: completed"),
    errors.ConfirmationRequired(12),
    errors.BodyTooLarge("body: is larger than 65536 bytes"),
    errors.RateLimitExceeded("More than 25 creations in a minute", 17),
    errors.MaxMonitorsExceeded("50 monitors are active, which is the maximum; stop one first"),
    errors.EngineNotAvailable("Temporal cannot be reached, nothing was created; try again later"),
    errors.StoreNotAvailable(),
    errors.EvidenceNotAvailable("store_unavailable"),
]
_OF_EVERY_ROUTE: Final = (
    errors.Unauthorized,
    errors.Forbidden,
    errors.RateLimitExceeded,
    errors.StoreNotAvailable,
)
_RETRY_AFTER: Final = {
    "Retry-After": {
        "description": "With RATE_LIMIT_EXCEEDED: seconds until a request may be made again.",
        "schema": {"type": "integer", "minimum": 1},
    }
}


def error_responses(*kinds: type[ApiError]) -> dict[int | str, dict[str, Any]]:
    """Return what a route documents: these errors, besides those that every route knows."""
    examples = [each for each in _EXAMPLES if type(each) in (*kinds, *_OF_EVERY_ROUTE)]
    statuses = sorted({example.status for example in examples})
    documented: dict[int | str, dict[str, Any]] = {
        status: _response([example for example in examples if example.status == status])
        for status in statuses
    }
    return documented | {FRAMEWORK_ERROR: {"description": "None other."}}


def _response(found: list[ApiError]) -> dict[str, Any]:
    status = HTTPStatus(found[0].status)
    codes = sorted({error.code for error in found})
    examples = {type(error).__name__: {"value": error.body()} for error in found}
    response: dict[str, Any] = {
        "model": ErrorBody,
        "description": f"{status.phrase}: {', '.join(codes)}.",
        "content": {"application/json": {"examples": examples}},
    }
    return response | ({"headers": _RETRY_AFTER} if status == 429 else {})
