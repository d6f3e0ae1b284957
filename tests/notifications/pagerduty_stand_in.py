"""PagerDuty's Events API v2, as its reference describes it: what it demands, and its alerts."""

from dataclasses import dataclass, field
from typing import Any

from starlette.responses import JSONResponse, Response

ROUTING_KEY = "R0123456789abcdefghijklmnopqrstu"


@dataclass
class PagerDutyStandIn:
    """Attributes:
    alerts: state by `dedup_key`: `triggered`, `acknowledged`, `resolved`.
    """

    alerts: dict[str, str] = field(default_factory=dict)

    def __call__(self, event: dict[str, Any]) -> Response:
        errors = [*_errors(event)]
        if errors:
            answer = {"status": "invalid event", "message": "Event object is invalid"}
            return JSONResponse({**answer, "errors": errors}, status_code=400)
        key, action = event["dedup_key"], event["event_action"]
        if action == "trigger":
            self.alerts[key] = "triggered"
        elif key in self.alerts:
            self.alerts[key] = f"{action.removesuffix('e')}ed"
        answer = {"status": "success", "message": "Event processed", "dedup_key": key}
        return JSONResponse(answer, status_code=202)


def _errors(event: dict[str, Any]) -> list[str]:
    found = []
    if event.get("routing_key") != ROUTING_KEY:
        found.append("'routing_key' is invalid")
    if event.get("event_action") not in ("trigger", "acknowledge", "resolve"):
        found.append("'event_action' is invalid")
    if not 0 < len(event.get("dedup_key", "")) <= 255:
        found.append("'dedup_key' is invalid")
    if event.get("event_action") != "trigger":
        return found
    payload = event.get("payload", {})
    if not 0 < len(payload.get("summary", "")) <= 1024:
        found.append("'payload.summary' is missing or too long")
    if not payload.get("source"):
        found.append("'payload.source' is missing or blank")
    if payload.get("severity") not in ("critical", "error", "warning", "info"):
        found.append("'payload.severity' is invalid")
    return found
