"""The monitor page and the page for a new monitor."""

from typing import Annotated, Final

from fastapi import Query, Response

from api.injection import injected
from api.monitors.level_history import LevelHistory, shown_level
from api.page.config_fields import changeable_fields, creation_fields, evidence_field
from api.page.meters import channel_meters, loudness_meters
from api.page.monitor_page import MonitorPages
from api.page.rendering import Page, page_router
from api.page.running_silences import running_silences
from api.parameters import PathId
from api.silences.service import Silences

MOST_PAGES: Final = 10_000

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
    """Show the form of a new monitor, with a destination chosen already."""
    return page.render(
        "new_monitor.html",
        title="new.title",
        scripts=["new_monitor.js"],
        evidence=evidence_field(),
        groups=creation_fields(),
        destinations=await pages.destination_names(),
        chosen=[destination],
    )
