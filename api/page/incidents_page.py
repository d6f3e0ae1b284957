"""The page of incidents: open ones first, what was seen, who was told, and what to do."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import Query, Response
from pydantic import BaseModel, Field

from api.incidents.service import (
    IncidentDelivery,
    IncidentList,
    Incidents,
    IncidentService,
    ListedIncident,
)
from api.monitors.service import Monitors, MonitorService
from api.page.rendering import Page, page_router
from api.page.silence_pages import RunningSilences, running_silences
from api.parameters import EmptyIsNone, LabelText
from api.silences.service import Silence, Silences
from api.store.filters import IncidentFilter
from monitors.status import IncidentKind, Severity
from notifications.notification import DestinationType, NotificationState

MOST_OPEN: Final = 50
PAGE: Final = 20
MOST_PAGES: Final = 500


@dataclass
class IncidentReceiver:
    """Somebody who is told of an incident; without a name it is the monitor's webhook.

    Attributes:
        told: the newest delivery of each sort, in the order of the first ones.
        reminders: how many arrived.
    """

    name: str | None
    type: DestinationType | None
    told: dict[NotificationState, IncidentDelivery] = field(default_factory=dict)
    reminders: int = 0


@dataclass(frozen=True)
class IncidentCard:
    incident: ListedIncident
    receivers: Sequence[IncidentReceiver]
    silence: Silence | None


class IncidentQuery(BaseModel):
    kind: Annotated[IncidentKind | None, EmptyIsNone] = None
    severity: Annotated[Severity | None, EmptyIsNone] = None
    label_text: str = Field("", alias="label")
    monitor_id: str = Field("", pattern=r"^[^\x00]*$", max_length=64)
    page: int = Field(0, ge=0, le=MOST_PAGES)

    @cached_property
    def label(self) -> LabelText:
        return LabelText(self.label_text)

    @property
    def is_filter(self) -> bool:
        return bool(self.kind or self.severity or self.label.text or self.monitor_id)

    def filter(self, *, is_open: bool) -> IncidentFilter:
        return IncidentFilter(
            is_open=is_open,
            kind=self.kind,
            severity=self.severity,
            labels=self.label.labels,
            monitor_id=self.monitor_id or None,
        )

    def address(self, page: int) -> str:
        asked = {
            "kind": self.kind,
            "severity": self.severity,
            "label": self.label.text,
            "monitor_id": self.monitor_id,
            "page": page or None,
        }
        return "?" + urlencode({name: value for name, value in asked.items() if value})


router = page_router()


@router.get("/incidents")
async def incidents(
    page: Page,
    service: Incidents,
    silences: Silences,
    monitors: Monitors,
    asked: Annotated[IncidentQuery, Query()],
) -> Response:
    """Show incidents: all that are open, and those that are over page by page."""
    is_first = asked.page == 0
    opened = await service.list_incidents(
        asked.filter(is_open=True), limit=MOST_OPEN if is_first else 1, offset=0
    )
    over = await service.list_incidents(
        asked.filter(is_open=False), limit=PAGE, offset=asked.page * PAGE
    )
    held = await _held(opened, await running_silences(silences), monitors) if is_first else {}
    return page.render(
        "incidents.html",
        title="incidents.title",
        scripts=["incidents.js"],
        script_texts=["incidents.script."],
        asked=asked,
        kinds=list(IncidentKind),
        severities=list(Severity),
        open_total=opened.pagination.total,
        open=await _cards(service, opened, held) if is_first else [],
        over=await _cards(service, over, {}),
        has_older=over.pagination.total > (asked.page + 1) * PAGE,
    )


async def _held(
    found: IncidentList, running: RunningSilences, monitors: MonitorService
) -> dict[str, Silence | None]:
    if not running.silences:
        return {}
    known = await monitors.by_ids({each.monitor_id for each in found.incidents})
    labels = {each.monitor_id: each.labels for each in known}
    return {
        each.incident_id: running.of(each.monitor_id, labels.get(each.monitor_id, {}), each.kind)
        for each in found.incidents
    }


async def _cards(
    service: IncidentService, found: IncidentList, held: Mapping[str, Silence | None]
) -> list[IncidentCard]:
    deliveries = await service.deliveries([each.incident_id for each in found.incidents])
    return [
        IncidentCard(each, receivers(deliveries[each.incident_id]), held.get(each.incident_id))
        for each in found.incidents
    ]


def receivers(deliveries: Iterable[IncidentDelivery]) -> list[IncidentReceiver]:
    """Return who was told, each once; `deliveries` are of one incident, oldest first."""
    found: dict[str | None, IncidentReceiver] = {}
    for each in deliveries:
        receiver = found.setdefault(each.destination_id, IncidentReceiver(each.name, each.type))
        if each.state is NotificationState.REMINDER:
            receiver.reminders += each.sent_at is not None
        else:
            receiver.told[each.state] = each
    return list(found.values())
