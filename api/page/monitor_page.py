"""The monitor page and the page for a new monitor."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import Query, Response

from api.events.service import AuditedEvent, EventService
from api.incidents.service import IncidentService, ListedIncident
from api.injection import injected
from api.monitors.level_history import LevelHistory, shown_level
from api.monitors.schemas import MonitorDetails
from api.monitors.service import MonitorService
from api.page.config_fields import changeable_fields, creation_fields, evidence_field
from api.page.meters import channel_meters, loudness_meters
from api.page.rendering import Page, page_router
from api.page.silence_pages import running_silences
from api.parameters import PathId
from api.silences.service import Silences
from api.store import Store
from api.store.filters import IncidentFilter
from monitors.reports import overall_health
from monitors.status import MonitorStatus

INCIDENTS_SHOWN: Final = 10
EVENTS_SHOWN: Final = 20
MOST_DESTINATIONS: Final = 1000

MOST_PAGES: Final = 10_000

SILENT: Final = timedelta(seconds=150)
"""Reports come at least once a minute; after this, nothing is known of a stream."""


@dataclass(frozen=True)
class ShownEvent:
    audited: AuditedEvent
    at: datetime


@dataclass(frozen=True)
class EventPage:
    """Some of a monitor's events, the newest first; number 0 has the newest of all."""

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
    details: MonitorDetails
    state: str
    incidents: Sequence[ListedIncident]
    events: EventPage
    destinations: Mapping[str, str]
    workflow_url: str | None


@dataclass(frozen=True)
class MonitorPages:
    """Collects what the monitor page shows; Temporal's web UI has workflows at `workflows_url`."""

    store: Store
    monitors: MonitorService
    incidents: IncidentService
    events: EventService
    workflows_url: str | None
    now: Callable[[], datetime]

    async def show(self, monitor_id: str, events_page: int) -> MonitorView:
        """Return what is known of a monitor; raises MonitorNotFound."""
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
        shown = [
            ShownEvent(each, datetime.fromisoformat(each.payload["timestamp"]))
            for each in reversed(found.events)
        ]
        return EventPage(shown, number, total)


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


Pages = Annotated[MonitorPages, injected(MonitorPages)]
EventsPage = Annotated[int, Query(alias="events", ge=0, le=MOST_PAGES)]

router = page_router()


@router.get("/monitors/{monitor_id}")
async def monitor(
    page: Page,
    pages: Pages,
    silences: Silences,
    history: Annotated[LevelHistory, injected(LevelHistory)],
    monitor_id: PathId,
    events_page: EventsPage = 0,
) -> Response:
    """Show one monitor: what is seen now, what was seen, and what it is told to look for."""
    view = await pages.show(monitor_id, events_page)
    details = view.details
    level = shown_level(details.levels)
    return page.render(
        "monitor.html",
        title="monitor.title",
        scripts=["monitor.js"],
        script_texts=["strip.", "condition.", "reason."],
        data={
            **details.model_dump(mode="json", include={"monitor_id", "created_at", "finished_at"}),
            "levels": history.of(monitor_id, level.unit) if level else [],
        },
        view=view,
        monitor=details,
        level_now=level,
        channels=channel_meters(details.levels) if details.levels else [],
        loudness=loudness_meters(details.levels, details.config) if details.levels else [],
        groups=changeable_fields(details.config),
        silence=(await running_silences(silences)).of(monitor_id, details.labels),
    )


@router.get("/new")
async def new_monitor(
    page: Page, pages: Pages, destination: Annotated[str, Query(max_length=64)] = ""
) -> Response:
    return page.render(
        "new_monitor.html",
        title="new.title",
        scripts=["new_monitor.js"],
        evidence=evidence_field(),
        groups=creation_fields(),
        destinations=await pages.destination_names(),
        chosen=[destination],
    )
