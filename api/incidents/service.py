"""Showing incidents."""

from collections.abc import Collection

from api.incidents.schemas import IncidentStatus, ListedIncident
from api.monitors.service import shown_name
from api.store import Store
from api.store.records import IncidentRecord


class IncidentService:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def by_ids(self, incident_ids: Collection[str]) -> list[ListedIncident]:
        """Return those of these incidents that exist, in any order."""
        found = await self._store.incidents.by_ids(incident_ids)
        names = {
            each.monitor_id: shown_name(each.name, each.title)
            for each in await self._store.monitors.summaries({each.monitor_id for each in found})
        }
        return [listed_incident(each, names.get(each.monitor_id)) for each in found]


def listed_incident(incident: IncidentRecord, name: str | None) -> ListedIncident:
    """Return an incident as lists show it, under its monitor's name."""
    return ListedIncident(
        incident_id=incident.incident_id,
        monitor_id=incident.monitor_id,
        name=name,
        kind=incident.kind,
        severity=incident.severity,
        status=IncidentStatus.OPEN if incident.is_open else IncidentStatus.CLOSED,
        started_at=incident.started_at,
        detected_at=incident.detected_at,
        ended_at=incident.ended_at,
        duration_sec=incident.duration_sec,
        reason=incident.reason,
        silenced=incident.silenced,
        acknowledged_at=incident.acknowledged_at,
        note=incident.note,
    )
