"""The monitor page and the page for a new monitor."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import Query, Response

from api.destinations.service import MAX_DESTINATIONS, Destinations, DestinationService
from api.events.service import AuditedEvent, Events, EventService
from api.incidents.service import Incidents
from api.injection import injected
from api.monitors.level_history import LevelHistory, shown_level
from api.monitors.schemas import MonitorDetails
from api.monitors.service import Monitors
from api.page.config_fields import changeable_fields, creation_fields, evidence_field
from api.page.meters import channel_meters, loudness_meters
from api.page.rendering import Page, page_router
from api.page.silence_pages import running_silences
from api.parameters import PathId
from api.silences.service import Silences
from api.store.filters import IncidentFilter
from monitors.reports import overall_health
from monitors.status import MonitorStatus

INCIDENTS_SHOWN: Final = 10
EVENTS_SHOWN: Final = 20
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


class WorkflowLinks:
    """Links to monitors in Temporal's web UI, as far as anybody said where that is."""

    def __init__(self, ui_url: str | None, namespace: str) -> None:
        self._base = ui_url and f"{ui_url.rstrip('/')}/namespaces/{quote(namespace)}/workflows"

    def of(self, monitor_id: str) -> str | None:
        return f"{self._base}/{monitor_id}" if self._base else None


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


EventsPage = Annotated[int, Query(alias="events", ge=0, le=MOST_PAGES)]

router = page_router()


@router.get("/monitors/{monitor_id}")
async def monitor(
    page: Page,
    monitors: Monitors,
    incidents: Incidents,
    events: Events,
    destinations: Destinations,
    silences: Silences,
    history: Annotated[LevelHistory, injected(LevelHistory)],
    workflows: Annotated[WorkflowLinks, injected(WorkflowLinks)],
    monitor_id: PathId,
    events_page: EventsPage = 0,
) -> Response:
    """Show one monitor: what is seen now, what was seen, and what it is told to look for."""
    details, newest, shown_events, names = await asyncio.gather(
        monitors.show(monitor_id),
        incidents.list_incidents(
            IncidentFilter(monitor_id=monitor_id), limit=INCIDENTS_SHOWN, offset=0
        ),
        _event_page(events, monitor_id, events_page),
        _names(destinations),
    )
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
        monitor=details,
        state=state_of(details, silences.now()),
        incidents=newest.incidents,
        events=shown_events,
        destinations=names,
        workflow_url=workflows.of(monitor_id),
        level_now=level,
        channels=channel_meters(details.levels) if details.levels else [],
        loudness=loudness_meters(details.levels, details.config) if details.levels else [],
        groups=changeable_fields(details.config),
        silence=(await running_silences(silences)).of(monitor_id, details.labels),
    )


async def _event_page(service: EventService, monitor_id: str, number: int) -> EventPage:
    newest = await service.list_events(monitor_id, limit=1, offset=0)
    total = newest.pagination.total
    end = max(0, total - number * EVENTS_SHOWN)
    start = max(0, end - EVENTS_SHOWN)
    if start == end:
        return EventPage([], 0, total)
    found = await service.list_events(monitor_id, limit=end - start, offset=start)
    shown = [
        ShownEvent(each, datetime.fromisoformat(each.payload["timestamp"]))
        for each in reversed(found.events)
    ]
    return EventPage(shown, number, total)


async def _names(service: DestinationService) -> dict[str, str]:
    found = await service.list_all(limit=MAX_DESTINATIONS, offset=0)
    return {each.destination_id: each.name for each in found.destinations}


@router.get("/new")
async def new_monitor(
    page: Page,
    destinations: Destinations,
    destination: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    return page.render(
        "new_monitor.html",
        title="new.title",
        scripts=["new_monitor.js"],
        evidence=evidence_field(),
        groups=creation_fields(),
        destinations=await _names(destinations),
        chosen=[destination],
    )
