"""The pages of destinations: who is told, with a test, and what became of it."""

from typing import Annotated, Final, Literal

from fastapi import Query, Response

from api.destinations.service import Destinations
from api.page.rendering import Page, page_router
from api.parameters import PathId
from notifications.notification import DestinationType, Language

MOST_SHOWN: Final = 200
PAGE: Final = 25
MOST_PAGES: Final = 10_000

REMINDERS: Final = {300: "5min", 900: "15min", 1800: "30min", 3600: "1h", 14_400: "4h"}
WINDOWS: Final = {10: "10s", 60: "60s", 300: "5min", 600: "10min"}


router = page_router()


@router.get("/destinations")
async def destinations(page: Page, service: Destinations) -> Response:
    """List destinations, each with what became of its newest delivery."""
    found = await service.list_all(limit=MOST_SHOWN, offset=0)
    ids = [each.destination_id for each in found.destinations]
    return page.render(
        "destinations.html",
        title="destinations.title",
        scripts=["destinations.js"],
        script_texts=["destination.script."],
        destinations=found.destinations,
        newest=await service.newest_deliveries(ids),
    )


@router.get("/destinations/new")
async def new_destination(
    page: Page, purpose: Annotated[Literal["monitor", ""], Query(alias="for")] = ""
) -> Response:
    """Show the form of a new destination; one for a new monitor leads back to that."""
    return page.render(
        "new_destination.html",
        title="destinations.new",
        scripts=["destinations.js"],
        script_texts=["destination.script."],
        is_for_monitor=purpose == "monitor",
        types=list(DestinationType),
        languages=list(Language),
        reminders=REMINDERS,
        windows=WINDOWS,
    )


@router.get("/destinations/{destination_id}")
async def destination(
    page: Page,
    service: Destinations,
    destination_id: PathId,
    number: Annotated[int, Query(alias="page", ge=0, le=MOST_PAGES)] = 0,
) -> Response:
    shown = await service.show(destination_id)
    audit = await service.deliveries(destination_id, limit=PAGE, offset=number * PAGE)
    return page.render(
        "destination.html",
        title="destinations.title",
        scripts=["destinations.js"],
        script_texts=["destination.script."],
        destination=shown,
        deliveries=audit.deliveries,
        number=number,
        has_older=audit.pagination.total > (number + 1) * PAGE,
        languages=list(Language),
        reminders=_with(REMINDERS, shown.remind_every_sec),
        windows=_with(WINDOWS, shown.group_window_sec),
    )


def _with(choices: dict[int, str], chosen: int | None) -> dict[int, str]:
    """Return the choices with the one that is in force; a program may have set any."""
    return choices if not chosen else dict(sorted({chosen: "", **choices}.items()))
