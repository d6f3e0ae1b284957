"""The pages of silences, and what other pages show of those that hold now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Query, Response

from api.monitors.schemas import ListedMonitor
from api.monitors.service import Monitors, MonitorService
from api.page.figures import in_order_of_names
from api.page.rendering import Page, page_router
from api.silences.service import MAX_SILENCES, Silence, Silences, SilenceService
from api.store.filters import MonitorFilter
from monitors.status import IncidentKind

MOST_SHOWN: Final = 200
MOST_NAMED: Final = 10


router = page_router()


@router.get("/silences")
async def silences(page: Page, service: Silences, monitors: Monitors) -> Response:
    found = (await service.list_current(limit=MOST_SHOWN, offset=0)).silences
    return page.render(
        "silences.html",
        title="silences.title",
        scripts=["silences.js"],
        silences=found,
        names=await _names(monitors, found),
        most_named=MOST_NAMED,
        now=service.now(),
    )


@router.get("/silences/new")
async def new_silence(
    page: Page,
    monitors: Monitors,
    monitor_id: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    return page.render(
        "new_silence.html",
        title="silences.new",
        scripts=["silences.js"],
        script_texts=["silence.script."],
        monitors=await active_monitors(monitors),
        chosen=monitor_id,
        kinds=list(IncidentKind),
    )


async def active_monitors(monitors: MonitorService) -> list[ListedMonitor]:
    found = await monitors.list_monitors(MonitorFilter(), limit=MOST_SHOWN, offset=0)
    active = [each for each in found.monitors if each.status.is_active]
    return sorted(active, key=lambda each: in_order_of_names(each.name or each.stream_url))


async def _names(monitors: MonitorService, silences: Sequence[Silence]) -> dict[str, str]:
    ids = {each for one in silences for each in (one.monitor_ids or ())[:MOST_NAMED]}
    found = await monitors.by_ids(ids)
    return {each.monitor_id: each.name or each.stream_url for each in found}


@dataclass(frozen=True)
class RunningSilences:
    """The silences that hold now, for pages that offer to end them."""

    silences: list[Silence]

    def of(
        self, monitor_id: str, labels: Mapping[str, str], kind: IncidentKind | None = None
    ) -> Silence | None:
        """Return the one that ends last of those about a monitor, or about its incidents of a kind.

        Without a kind, only one about all kinds: others leave something to be silenced.
        """
        found = [
            each
            for each in self.silences
            if _is_about(each, monitor_id, labels)
            and (each.kinds is None or (kind is not None and kind in each.kinds))
        ]
        return max(found, key=lambda each: each.ends_at, default=None)


def _is_about(silence: Silence, monitor_id: str, labels: Mapping[str, str]) -> bool:
    if silence.monitor_ids is not None:
        return monitor_id in silence.monitor_ids
    return all(labels.get(key) == value for key, value in (silence.labels or {}).items())


async def running_silences(service: SilenceService) -> RunningSilences:
    found = await service.list_current(limit=MAX_SILENCES, offset=0)
    now = service.now()
    return RunningSilences(
        [each for each in found.silences if each.starts_at <= now < each.ends_at]
    )
