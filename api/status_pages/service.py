"""Keeping status pages."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Final

import structlog

from api.errors import StatusPageNotFound, ValidationFailed
from api.injection import injected
from api.status_pages.schemas import PutStatusPage, StatusPage, StatusPageList, StatusPageMonitor
from api.store import Store
from api.store.status_pages import ShownMonitor, StatusPageRecord

MOST_PAGES: Final = 50
SLUG: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"

_SLUG: Final = re.compile(SLUG)
_log = structlog.get_logger(__name__)


class StatusPageService:
    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    async def put(self, slug: str, wanted: PutStatusPage) -> StatusPage:
        """Make a page, or replace it.

        Raises:
            ValidationFailed: a field breaks a rule, or it is one page too many.
        """
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
        """Return a page; raises StatusPageNotFound."""
        return _shown(await self.find(slug))

    async def delete(self, slug: str) -> None:
        """Remove a page; raises StatusPageNotFound."""
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
