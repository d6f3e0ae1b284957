"""Keeping status pages."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Final

import structlog
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from api.error_docs import EXAMPLE_ID
from api.errors import StatusPageNotFound, ValidationFailed
from api.injection import injected
from api.store import Store
from api.store.status_pages import ShownMonitor, StatusPageRecord

MOST_MONITORS: Final = 50
EXAMPLE_STATUS_PAGE: Final[dict[str, JsonValue]] = {
    "title": "Example TV",
    "note": "Questions: status@example.com",
    "monitors": [{"monitor_id": EXAMPLE_ID, "name": "Channel 1"}],
}


MOST_PAGES: Final = 50
SLUG: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"

_SLUG: Final = re.compile(SLUG)
_log = structlog.get_logger(__name__)


class StatusPageMonitor(BaseModel):
    """A monitor on the page."""

    model_config = ConfigDict(extra="forbid")

    monitor_id: Annotated[str, Field(max_length=64)] = Field(examples=[EXAMPLE_ID])
    name: Annotated[str, Field(min_length=1, max_length=120)] | None = Field(
        default=None, description="What the page calls it; null: the monitor's name."
    )


class PutStatusPage(BaseModel):
    """What the page shows; anybody may read all of it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE_STATUS_PAGE]})

    title: Annotated[str, Field(min_length=1, max_length=120)]
    note: Annotated[str, Field(max_length=500)] | None = Field(
        default=None, description="A sentence under the title."
    )
    monitors: Annotated[list[StatusPageMonitor], Field(min_length=1, max_length=MOST_MONITORS)] = (
        Field(description="In the order of the page.")
    )


class StatusPage(BaseModel):
    """A page that anybody may see, without a key."""

    slug: str = Field(examples=["example-tv"])
    path: str = Field(description="Where it is.", examples=["/status/example-tv"])
    title: str
    note: str | None
    monitors: list[StatusPageMonitor]
    updated_at: AwareDatetime


class StatusPageList(BaseModel):
    """All status pages, by slug."""

    status_pages: list[StatusPage]


class StatusPageService:
    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    async def put(self, slug: str, wanted: PutStatusPage) -> StatusPage:
        """Make a page, or replace it."""
        if not _SLUG.fullmatch(slug):
            raise ValidationFailed(
                "slug: must be 1 to 63 of a-z, 0-9 and hyphens, with none at either end"
            )
        await self._check_monitors([each.monitor_id for each in wanted.monitors])
        shown = [ShownMonitor(each.monitor_id, each.name) for each in wanted.monitors]
        record = StatusPageRecord(slug, wanted.title, wanted.note, shown, self._now())
        if not await self._store.status_pages.put(record, most=MOST_PAGES):
            raise ValidationFailed(f"slug: there are {MOST_PAGES} status pages, the maximum")
        _log.info("status page changed", slug=slug, monitors=len(shown))
        return _shown(record)

    async def list_all(self) -> StatusPageList:
        return StatusPageList(
            status_pages=[_shown(each) for each in await self._store.status_pages.all()]
        )

    async def show(self, slug: str) -> StatusPage:
        return _shown(await self.find(slug))

    async def delete(self, slug: str) -> None:
        if not (_SLUG.fullmatch(slug) and await self._store.status_pages.delete(slug)):
            raise StatusPageNotFound(slug)
        _log.info("status page removed", slug=slug)

    async def find(self, slug: str) -> StatusPageRecord:
        found = await self._store.status_pages.find(slug) if _SLUG.fullmatch(slug) else None
        if found is None:
            raise StatusPageNotFound(slug)
        return found

    async def _check_monitors(self, ids: list[str]) -> None:
        known = {each.monitor_id for each in await self._store.monitors.summaries(set(ids))}
        for place, monitor_id in enumerate(ids):
            if monitor_id not in known:
                raise ValidationFailed(f"monitors.{place}.monitor_id: there is no such monitor")
            if monitor_id in ids[:place]:
                raise ValidationFailed(f"monitors.{place}.monitor_id: is there twice")


StatusPages = Annotated[StatusPageService, injected(StatusPageService)]


def _shown(record: StatusPageRecord) -> StatusPage:
    monitors = [StatusPageMonitor(**vars(each)) for each in record.monitors]
    return StatusPage(**vars(record) | {"monitors": monitors}, path=f"/status/{record.slug}")
