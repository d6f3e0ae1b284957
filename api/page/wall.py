"""The wall, `/`: what it begins with; from then on its script listens to changes."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from fastapi import Response
from pydantic import BaseModel

from api.changes.routes import Feed
from api.incidents.service import Incidents
from api.monitors.service import Monitors
from api.page.rendering import Page, page_router
from api.silences.service import MAX_SILENCES, Silences
from api.store.filters import IncidentFilter

MOST_TILES: Final = 1_000
ENDED_SHOWN: Final = timedelta(days=1)
"""How long a monitor that ended by an error stays on the wall."""

_MONITOR: Final[dict[str, Any]] = {
    **dict.fromkeys(("monitor_id", "name", "title", "labels", "stream_url", "status"), True),
    **dict.fromkeys(("open_incidents", "picture_at", "as_of"), True),
    "health": {"video", "audio"},
    "levels": {"channels_dbfs"},
}
_INCIDENT: Final = {
    *("incident_id", "monitor_id", "kind", "severity", "status", "started_at"),
    *("acknowledged_at", "silenced"),
}
_SILENCE: Final = {"monitor_ids", "labels", "kinds", "starts_at", "ends_at"}


router = page_router()


@router.get("/")
async def wall(
    page: Page, changes: Feed, monitors: Monitors, incidents: Incidents, silences: Silences
) -> Response:
    """Show all that is watched, what needs attention first."""
    # The number of the change after which the script listens; first, so that nothing is missed.
    position = await changes.position()
    now = silences.now()
    shown = await monitors.on_wall(limit=MOST_TILES, failed_since=now - ENDED_SHOWN)
    opened = await incidents.list_incidents(
        IncidentFilter(is_open=True), limit=MOST_TILES, offset=0
    )
    held = await silences.list_current(limit=MAX_SILENCES, offset=0)
    return page.render(
        "wall.html",
        title="wall.title",
        scripts=["wall.js"],
        script_texts=["wall.script."],
        data={
            "position": position,
            "now": now.isoformat(),
            "most": MOST_TILES,
            "monitors": _dumped(shown, _MONITOR),
            "incidents": _dumped(opened.incidents, _INCIDENT),
            "silences": _dumped(held.silences, _SILENCE),
        },
    )


def _dumped(items: Sequence[BaseModel], fields: Any) -> list[dict[str, Any]]:
    return [each.model_dump(mode="json", include=fields, exclude_none=True) for each in items]
