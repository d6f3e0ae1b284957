"""What the monitor page shows."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from api.events.schemas import AuditedEvent
from api.events.service import EventService
from api.incidents.schemas import ListedIncident
from api.incidents.service import IncidentService
from api.monitors.schemas import MonitorDetails
from api.monitors.service import MonitorService
from api.store import Store
from api.store.filters import IncidentFilter
from monitors.reports import overall_health
from monitors.status import MonitorStatus

INCIDENTS_SHOWN: Final = 10
EVENTS_SHOWN: Final = 20
MOST_DESTINATIONS: Final = 1000

SILENT: Final = timedelta(seconds=150)
"""Reports come at least once a minute; after this, nothing is known of a stream."""


@dataclass(frozen=True)
class ShownEvent:
    """An event and when it happened."""

    audited: AuditedEvent
    at: datetime


@dataclass(frozen=True)
class EventPage:
    """Some of a monitor's events, the newest first.

    Attributes:
        number: 0 has the newest ones.
        total: of all events.
    """

    events: Sequence[ShownEvent]
    number: int
    total: int

    @property
    def first(self) -> int:
        """The place of the oldest one shown among all; the first of all is 1."""
        return self.last - len(self.events) + 1

    @property
    def last(self) -> int:
        return self.total - self.number * EVENTS_SHOWN

    @property
    def has_earlier(self) -> bool:
        return self.first > 1


@dataclass(frozen=True)
class MonitorView:
    """A monitor with what belongs to it.

    Attributes:
        state: the word for its condition, as on the wall.
        destinations: names of all destinations by id.
        workflow_url: its history in Temporal's web UI; None: nobody said where that is.
    """

    details: MonitorDetails
    state: str
    incidents: Sequence[ListedIncident]
    events: EventPage
    destinations: Mapping[str, str]
    workflow_url: str | None


@dataclass(frozen=True)
class MonitorPages:
    """Collects what the monitor page shows.

    Attributes:
        workflows_url: where the web UI of Temporal shows workflows, by their id.
    """

    store: Store
    monitors: MonitorService
    incidents: IncidentService
    events: EventService
    workflows_url: str | None
    now: Callable[[], datetime]

    async def show(self, monitor_id: str, events_page: int) -> MonitorView:
        """Return what is known of a monitor.

        Raises:
            MonitorNotFound: there is no such monitor.
        """
        details, incidents, events, destinations = await asyncio.gather(
            self.monitors.show(monitor_id),
            self.incidents.list_incidents(
                IncidentFilter(monitor_id=monitor_id), limit=INCIDENTS_SHOWN, offset=0
            ),
            self._event_page(monitor_id, events_page),
            self.destination_names(),
        )
        base = self.workflows_url
        return MonitorView(
            details=details,
            state=state_of(details, self.now()),
            incidents=incidents.incidents,
            events=events,
            destinations=destinations,
            workflow_url=f"{base}/{monitor_id}" if base else None,
        )

    async def destination_names(self) -> dict[str, str]:
        """Return the names of destinations by their ids, the newest first."""
        found, _ = await self.store.destinations.page(limit=MOST_DESTINATIONS, offset=0)
        return {each.destination_id: each.name for each in found}

    async def _event_page(self, monitor_id: str, number: int) -> EventPage:
        newest = await self.events.list_events(monitor_id, limit=1, offset=0)
        total = newest.pagination.total
        end = max(0, total - number * EVENTS_SHOWN)
        start = max(0, end - EVENTS_SHOWN)
        if start == end:
            return EventPage([], 0, total)
        found = await self.events.list_events(monitor_id, limit=end - start, offset=start)
        shown = [ShownEvent(each, _happened_at(each)) for each in reversed(found.events)]
        return EventPage(shown, number, total)


def _happened_at(event: AuditedEvent) -> datetime:
    return datetime.fromisoformat(event.payload["timestamp"])


def state_of(details: MonitorDetails, now: datetime) -> str:
    """Return a monitor's condition: `error`, `warning`, `ok`, `unknown`, `inactive`."""
    if details.status is MonitorStatus.ERROR:
        return "error"
    if details.open_incidents:
        return str(overall_health(details.health, details.open_incidents))
    if details.status is not MonitorStatus.MONITORING:
        return "inactive"
    is_silent = now - details.as_of > SILENT
    return "unknown" if is_silent else str(overall_health(details.health, []))
