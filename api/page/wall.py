"""The wall, `/`: what it begins with; from then on its script listens to changes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import Response

from api.changes.feed import ChangeFeed
from api.incidents.service import IncidentService
from api.injection import injected
from api.monitors.service import MonitorService
from api.page.rendering import Page, page_router
from api.silences.service import MAX_SILENCES, SilenceService
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


@dataclass(frozen=True)
class WallService:
    monitors: MonitorService
    incidents: IncidentService
    silences: SilenceService
    changes: ChangeFeed
    now: Callable[[], datetime]

    async def begin(self) -> dict[str, Any]:
        """Return active monitors, those that ended by an error lately, open incidents, silences.

        `position` is the number of the change after which the script listens.
        """
        position = await self.changes.position()  # before the rest, so that nothing is missed
        monitors = await self.monitors.on_wall(
            limit=MOST_TILES, failed_since=self.now() - ENDED_SHOWN
        )
        found = await self.incidents.list_incidents(
            IncidentFilter(is_open=True), limit=MOST_TILES, offset=0
        )
        silences = await self.silences.list_current(limit=MAX_SILENCES, offset=0)
        return {
            "position": position,
            "now": self.now().isoformat(),
            "most": MOST_TILES,
            "monitors": [
                each.model_dump(mode="json", include=_MONITOR, exclude_none=True)
                for each in monitors
            ],
            "incidents": [
                each.model_dump(mode="json", include=_INCIDENT, exclude_none=True)
                for each in found.incidents
            ],
            "silences": [
                each.model_dump(mode="json", include=_SILENCE, exclude_none=True)
                for each in silences.silences
            ],
        }


router = page_router()


@router.get("/")
async def wall(page: Page, service: Annotated[WallService, injected(WallService)]) -> Response:
    """Show all that is watched, what needs attention first."""
    return page.render(
        "wall.html",
        title="wall.title",
        scripts=["wall.js"],
        script_texts=["wall.script."],
        data=await service.begin(),
    )
