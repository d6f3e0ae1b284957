"""The errors a client can get, each with its status and code, all in one form.

```
ApiError
├── ValidationFailed            400 VALIDATION_ERROR
│   ├── InvalidUrl              400 INVALID_URL
│   └── InvalidConfig           400 INVALID_CONFIG
├── Unauthorized                401 UNAUTHORIZED
├── Forbidden                   403 FORBIDDEN
├── NotFound                    404 NOT_FOUND
│   ├── MonitorNotFound         404 MONITOR_NOT_FOUND
│   ├── IncidentNotFound        404 INCIDENT_NOT_FOUND
│   ├── EventNotFound           404 EVENT_NOT_FOUND
│   ├── EvidenceNotFound        404 EVIDENCE_NOT_FOUND
│   │   ├── EvidencePending     404 EVIDENCE_NOT_FOUND
│   │   └── EvidenceFailed      404 EVIDENCE_NOT_FOUND
│   ├── PictureNotFound         404 PICTURE_NOT_FOUND
│   ├── SlateNotFound           404 SLATE_NOT_FOUND
│   ├── DestinationNotFound     404 DESTINATION_NOT_FOUND
│   ├── SilenceNotFound         404 SILENCE_NOT_FOUND
│   └── StatusPageNotFound      404 STATUS_PAGE_NOT_FOUND
├── MethodNotAllowed            405 METHOD_NOT_ALLOWED
├── DuplicateMonitor            409 DUPLICATE_MONITOR
├── IdempotencyConflict         409 IDEMPOTENCY_CONFLICT
├── MonitorNotActive            409 MONITOR_NOT_ACTIVE
├── ConfirmationRequired        409 CONFIRMATION_REQUIRED
├── EvidenceGone                410 EVIDENCE_GONE
├── BodyTooLarge                413 BODY_TOO_LARGE
├── RateLimitExceeded           429 RATE_LIMIT_EXCEEDED
├── MaxMonitorsExceeded         429 MAX_MONITORS_EXCEEDED
├── InternalError               500 INTERNAL_ERROR
├── SecretsUnreadable           500 INTERNAL_ERROR
└── EngineNotAvailable          503 ENGINE_UNAVAILABLE
    ├── StoreNotAvailable       503 ENGINE_UNAVAILABLE
    └── EvidenceNotAvailable    503 ENGINE_UNAVAILABLE
```
"""

import math
from typing import Any, ClassVar, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.routing import Match

from api.store.database import StoreUnavailable

METHODS: Final = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")

EVIDENCE_RETRY_SEC: Final = 5

_log = structlog.get_logger(__name__)


class ApiError(Exception):
    """An answer that is no success; `details` are further fields of the error body."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "INTERNAL_ERROR"

    def __init__(
        self, message: str, *, headers: dict[str, str] | None = None, **details: str
    ) -> None:
        super().__init__(message)
        self.message = message
        self.headers = headers
        self.details = details

    def response(self) -> JSONResponse:
        return JSONResponse(self.body(), self.status, headers=self.headers)

    def body(self) -> dict[str, dict[str, str]]:
        return {"error": {"code": self.code, "message": self.message, **self.details}}


class ValidationFailed(ApiError):
    status = 400
    code = "VALIDATION_ERROR"


class InvalidUrl(ValidationFailed):
    code = "INVALID_URL"


class InvalidConfig(ValidationFailed):
    code = "INVALID_CONFIG"


class Unauthorized(ApiError):
    status = 401
    code = "UNAUTHORIZED"


class Forbidden(ApiError):
    status = 403
    code = "FORBIDDEN"


class NotFound(ApiError):
    status = 404
    code = "NOT_FOUND"


class _NothingNamed(NotFound):
    kind: ClassVar[str]

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no {self.kind} {name[:64]!r}")


class MonitorNotFound(_NothingNamed):
    code = "MONITOR_NOT_FOUND"
    kind = "monitor"


class DestinationNotFound(_NothingNamed):
    code = "DESTINATION_NOT_FOUND"
    kind = "destination"


class SilenceNotFound(_NothingNamed):
    code = "SILENCE_NOT_FOUND"
    kind = "silence"


class IncidentNotFound(_NothingNamed):
    code = "INCIDENT_NOT_FOUND"
    kind = "incident"


class EventNotFound(NotFound):
    code = "EVENT_NOT_FOUND"

    def __init__(self, monitor_id: str, event_id: str) -> None:
        super().__init__(f"Monitor {monitor_id} has no event {event_id[:64]!r}")


class EvidenceNotFound(NotFound):
    code = "EVIDENCE_NOT_FOUND"

    def __init__(
        self, evidence_id: str, why: str | None = None, *, headers: dict[str, str] | None = None
    ) -> None:
        what = f"There is no evidence {evidence_id[:64]!r}"
        super().__init__(f"{what}: {why}" if why else what, headers=headers)


class EvidencePending(EvidenceNotFound):
    """It may come within seconds."""

    def __init__(self, evidence_id: str) -> None:
        retry = {"Retry-After": str(EVIDENCE_RETRY_SEC)}
        super().__init__(evidence_id, "it is not there yet", headers=retry)


class EvidenceFailed(EvidenceNotFound):
    pass


class EvidenceGone(ApiError):
    status = 410
    code = "EVIDENCE_GONE"

    def __init__(self, evidence_id: str, why: str) -> None:
        super().__init__(f"Evidence {evidence_id[:64]!r} is no longer kept: {why}")


class PictureNotFound(NotFound):
    code = "PICTURE_NOT_FOUND"

    def __init__(self, monitor_id: str) -> None:
        super().__init__(f"Monitor {monitor_id} has no picture yet")


class SlateNotFound(_NothingNamed):
    code = "SLATE_NOT_FOUND"
    kind = "slate"


class StatusPageNotFound(_NothingNamed):
    code = "STATUS_PAGE_NOT_FOUND"
    kind = "status page"


class MethodNotAllowed(ApiError):
    status = 405
    code = "METHOD_NOT_ALLOWED"


class DuplicateMonitor(ApiError):
    status = 409
    code = "DUPLICATE_MONITOR"

    def __init__(self, monitor_id: str) -> None:
        super().__init__(
            f"stream_url: monitor {monitor_id} watches this stream already", monitor_id=monitor_id
        )


class IdempotencyConflict(ApiError):
    status = 409
    code = "IDEMPOTENCY_CONFLICT"


class MonitorNotActive(ApiError):
    """The monitor has ended, so it can be neither changed nor, when it ended by itself, stopped."""

    status = 409
    code = "MONITOR_NOT_ACTIVE"


class ConfirmationRequired(ApiError):
    """The request says nothing, or something else, of how many monitors it would stop."""

    status = 409
    code = "CONFIRMATION_REQUIRED"

    def __init__(self, count: int) -> None:
        super().__init__(f"confirm: {count} monitors would be stopped; confirm={count} stops them")


class BodyTooLarge(ApiError):
    status = 413
    code = "BODY_TOO_LARGE"


class RateLimitExceeded(ApiError):
    status = 429
    code = "RATE_LIMIT_EXCEEDED"

    def __init__(self, what: str, retry_after_sec: float) -> None:
        wait = max(1, math.ceil(retry_after_sec))
        super().__init__(f"{what}; try again in {wait} s", headers={"Retry-After": str(wait)})


class MaxMonitorsExceeded(ApiError):
    status = 429
    code = "MAX_MONITORS_EXCEEDED"


class InternalError(ApiError):
    def __init__(self) -> None:
        super().__init__("The gateway failed; its log has the reason under this X-Request-ID")


class SecretsUnreadable(ApiError):
    """What was encrypted cannot be read: SECRETS_KEY is another one than it was."""

    def __init__(self) -> None:
        super().__init__("Its secrets cannot be read; is SECRETS_KEY the same as before?")


class EngineNotAvailable(ApiError):
    status = 503
    code = "ENGINE_UNAVAILABLE"


class StoreNotAvailable(EngineNotAvailable):
    def __init__(self) -> None:
        super().__init__(
            "The database cannot be reached; the request may or may not have taken effect, "
            "try again later"
        )


class EvidenceNotAvailable(EngineNotAvailable):
    """The store of evidence does not take or give a file."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The store of evidence cannot be used: {reason}")


def install_error_handlers(app: FastAPI) -> None:
    """Answer every error of `app`, the framework's too, in the one form."""
    app.add_exception_handler(ApiError, _answer_api_error)
    app.add_exception_handler(StoreUnavailable, _answer_outage)
    app.add_exception_handler(RequestValidationError, _answer_bad_parameters)
    app.add_exception_handler(HTTPException, _answer_framework_error)


def reason_text(problem: ErrorDetails | dict[str, Any]) -> str:
    """Return why pydantic refused a value, as the end of a sentence about its field."""
    if problem["type"] == "missing":
        return "is required"
    if problem["type"] == "extra_forbidden":
        return "is not known"
    reason = str(problem["msg"]).removeprefix("Value error, ")
    return reason[:1].lower() + reason[1:] if reason.startswith("Input ") else reason


async def _answer_api_error(_request: Request, error: Any) -> JSONResponse:
    response: JSONResponse = error.response()
    return response


async def _answer_outage(_request: Request, error: Exception) -> JSONResponse:
    _log.error("database unavailable", error=str(error))
    return StoreNotAvailable().response()


async def _answer_bad_parameters(_request: Request, error: Any) -> JSONResponse:
    problem = error.errors()[0]
    field = ".".join(str(part) for part in problem["loc"][1:]) or "request"
    return ValidationFailed(f"{field}: {reason_text(problem)}").response()


async def _answer_framework_error(request: Request, error: Any) -> JSONResponse:
    headers = dict(error.headers) if error.headers else None
    if error.status_code == 404:
        return NotFound("There is nothing at this path", headers=headers).response()
    if error.status_code == 405:
        headers = {"Allow": ", ".join(_methods_at(request))}
        return MethodNotAllowed("This path does not take this method", headers=headers).response()
    if error.status_code < 500:
        return ValidationFailed(str(error.detail), headers=headers).response()
    return InternalError().response()


def _methods_at(request: Request) -> list[str]:
    """Return what the path takes; the framework names the methods of the first of its routes."""

    def is_taken(method: str) -> bool:
        scope = {**request.scope, "method": method}
        return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)

    return [method for method in METHODS if is_taken(method)]
