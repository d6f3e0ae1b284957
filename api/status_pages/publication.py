"""Publishes status pages: each is worked out at most once a minute, however many read it."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Final

import structlog

from api.coverage.service import CoverageRange, CoverageService
from api.errors import StatusPageNotFound
from api.injection import injected
from api.status_pages.public import PublicPage, Seen, public_page
from api.status_pages.service import StatusPageService
from api.store import Store, StoreUnavailable
from api.store.incidents import IncidentRecord
from api.store.status_pages import StatusPageRecord
from notifications.notification import Language

DAYS: Final = 90
MOST_INCIDENTS: Final = 50
FRESH_SEC: Final = 60
OUTAGE_SEC: Final = 10  # while the database is away, it is asked this often for a page
_log = structlog.get_logger(__name__)


@dataclass
class Edition:
    """A page as it was worked out, and how it was drawn in each language, compressed."""

    page: PublicPage
    fresh_until: float
    drawn: dict[Language, bytes] = field(default_factory=dict)


class StatusPublication:
    """Hands out status pages from memory.

    While the database is away, readers get what was true last; the page says from when it is.
    """

    def __init__(
        self,
        store: Store,
        pages: StatusPageService,
        coverage: CoverageService,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._pages = pages
        self._coverage = coverage
        self._now = now
        self._kept: dict[str, Edition] = {}
        self._turn = asyncio.Lock()

    async def edition(self, slug: str) -> Edition:
        """Return a page that is at most a minute old, an older one while the database is away."""
        if fresh := self._fresh(slug):
            return fresh
        try:
            record = await self._pages.find(slug)
            async with self._turn:  # one page at a time is worked out, once
                return self._fresh(slug) or self._keep(slug, await self._work_out(record))
        except StatusPageNotFound:
            self.forget(slug)
            raise
        except StoreUnavailable as error:
            if slug not in self._kept:
                raise
            _log.warning("status page is old", slug=slug, error=str(error))
            self._kept[slug].fresh_until = time.monotonic() + OUTAGE_SEC
            return self._kept[slug]

    def forget(self, slug: str) -> None:
        """Have the next reader see what was changed."""
        self._kept.pop(slug, None)

    def _fresh(self, slug: str) -> Edition | None:
        known = self._kept.get(slug)
        return known if known and time.monotonic() < known.fresh_until else None

    def _keep(self, slug: str, page: PublicPage) -> Edition:
        self._kept[slug] = edition = Edition(page, time.monotonic() + FRESH_SEC)
        return edition

    async def _work_out(self, record: StatusPageRecord) -> PublicPage:
        now = self._now()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        since = midnight - timedelta(days=DAYS - 1)
        ids = [each.monitor_id for each in record.monitors]
        incidents = await self._incidents(ids, since)
        subjects = await self._store.coverage.subjects_of(ids)
        timelines = await self._coverage.timelines(subjects, CoverageRange(since, now))
        seen = {
            subject.monitor_id: Seen(subject, intervals, incidents[subject.monitor_id])
            for subject, intervals in zip(subjects, timelines, strict=True)
        }
        return await asyncio.to_thread(
            public_page, record, seen, now, most_incidents=MOST_INCIDENTS
        )

    async def _incidents(
        self, ids: Collection[str], since: datetime
    ) -> defaultdict[str, list[IncidentRecord]]:
        found: defaultdict[str, list[IncidentRecord]] = defaultdict(list)
        for each in await self._store.incidents.newest_of(ids, since, limit=MOST_INCIDENTS):
            found[each.monitor_id].append(each)
        return found


Publication = Annotated[StatusPublication, injected(StatusPublication)]
