"""Tells listeners what changes.

While somebody listens, one task asks the database every second what is new and keeps the latest
events in memory. Each listener reads them at its own pace. A listener is cut off when the next
event for it has been dropped from memory; it may resume.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import islice
from typing import Final

import structlog
from pydantic import BaseModel

from api.errors import RateLimitExceeded
from api.incidents.service import IncidentService
from api.monitors.service import MonitorService
from api.store import StoreUnavailable
from api.store.changes import Change, ChangeStore, ChangeSubject

POLL_SEC: Final = 1.0
KEEP_ALIVE_SEC: Final = 10.0
RECONNECT_SEC: Final = 2
MAX_LISTENERS: Final = 100
MAX_OF_ONE: Final = 20
"""Open pages of one browser, or programs with one key; whoever has more leaves room for others."""

EVENTS_KEPT: Final = 5_000
PAGE: Final = 500
"""Events that are sent in one piece. No more than that waits for a listener that does not read."""

LOOK_BACK_SEC: Final = 5.0
"""A change may become visible this much later than one with a higher number."""

NUMBERS_UNDER_WAY: Final = 1_000
"""Transactions that have not ended hold no number lower than the highest one minus this."""

Describe = Callable[[Sequence[Change]], Awaitable[list[tuple[ChangeSubject, str]]]]
"""Returns what listeners are told of changes, as JSON; what is gone meanwhile is left out."""

_log = structlog.get_logger(__name__)


class ChangeFeed:
    """The changes of one database, for all listeners of this gateway."""

    def __init__(self, store: ChangeStore, describe: Describe) -> None:
        self._store = store
        self._describe = describe
        self._seen = SeenNumbers(floor=0)
        self._kept: deque[bytes] = deque(maxlen=EVENTS_KEPT)
        self._published = 0
        self._is_blind = False
        self._news = asyncio.Event()
        self._listeners = 0
        self._of_each: Counter[str] = Counter()
        self._starting = asyncio.Lock()
        self._polling: asyncio.Task[None] | None = None
        self._is_closed = False

    def close(self) -> None:
        """End all streams: a server that shuts down waits for its answers to end."""
        self._is_closed = True
        self._wake_listeners()

    @asynccontextmanager
    async def listening(self, who: str) -> AsyncIterator[None]:
        """Admit a listener: the session of a page, or the holder of a program's key.

        `events` is called within the context.

        Raises:
            RateLimitExceeded: there are too many, of all or of this one.
        """
        self._admit(who)
        try:
            async with self._starting:
                if self._polling is None:
                    await self._start()
            yield
        finally:
            self._leave(who)

    def _admit(self, who: str) -> None:
        if self._listeners >= MAX_LISTENERS:
            raise RateLimitExceeded(f"{MAX_LISTENERS} clients listen", KEEP_ALIVE_SEC)
        if self._of_each[who] >= MAX_OF_ONE:
            message = f"{MAX_OF_ONE} clients of this key or session listen"
            raise RateLimitExceeded(message, KEEP_ALIVE_SEC)
        self._listeners += 1
        self._of_each[who] += 1

    def _leave(self, who: str) -> None:
        self._listeners -= 1
        self._of_each[who] -= 1
        if not self._of_each[who]:
            del self._of_each[who]
        if not self._listeners and self._polling:
            self._polling.cancel()
            self._polling = None

    async def events(self, after: int | None) -> AsyncIterator[bytes]:
        """Yield a stream of server-sent events: first what changed since the event `after`.

        It ends when the gateway shuts down, and for a listener that is too slow.
        """
        position = self._published
        yield _encoded("ready", "{}", self._seen.floor)
        if after is not None:
            async for page in self._missed(after):
                yield page
        while not self._is_closed:
            news, behind = self._news, self._published - position
            if behind > len(self._kept):
                _log.warning("listener cut off", events_behind=behind)
                return
            if behind:
                first = len(self._kept) - behind
                position += min(behind, PAGE)
                yield b"".join(islice(self._kept, first, first + PAGE))
            elif not await _is_set_within(news, KEEP_ALIVE_SEC):
                alive = _encoded("alive", "{}", self._seen.floor)
                yield b": nothing can be seen\n\n" if self._is_blind else alive

    async def position(self) -> int:
        """Return a number: a listener that resumes after it misses nothing from now on."""
        return self._seen.floor if self._polling else await self._store.newest()

    async def _missed(self, after: int) -> AsyncIterator[bytes]:
        """Yield what changed since, page by page, as fast as the listener takes it."""
        while found := await self._store.after(after, limit=PAGE):
            after = found[-1].number
            number = min(after, self._seen.floor)
            told = await self._describe(found)
            yield b"".join(_encoded(subject, data, number) for subject, data in told)

    async def _start(self) -> None:
        newest = await self._store.newest()
        floor = max(0, newest - NUMBERS_UNDER_WAY)
        self._seen = SeenNumbers(floor)
        self._seen.add(await self._store.after(floor), time.monotonic())
        self._polling = asyncio.create_task(self._poll())

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_SEC)
            try:
                await self._publish_news()
                self._is_blind = False
                continue
            except StoreUnavailable as error:
                _log.warning("changes unknown", error=str(error))
            except Exception:  # a defect must not silence all listeners for good
                _log.exception("changes unknown")
            self._is_blind = True

    async def _publish_news(self) -> None:
        found, at_sec = await self._store.after(self._seen.floor), time.monotonic()
        told = await self._describe(self._seen.fresh(found))
        self._seen.add(found, at_sec)  # what could not be described is not seen yet
        for subject, data in told:
            self._kept.append(_encoded(subject, data, self._seen.floor))
            self._published += 1
        if told:
            self._wake_listeners()

    def _wake_listeners(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


class SeenNumbers:
    """The numbers of changes that were seen; none will appear up to `floor`."""

    def __init__(self, floor: int) -> None:
        self.floor = floor
        self._above: set[int] = set()
        self._highest: deque[tuple[float, int]] = deque()

    def fresh(self, found: Sequence[Change]) -> list[Change]:
        return [change for change in found if change.number not in self._above]

    def add(self, found: Sequence[Change], now_sec: float) -> None:
        """Note changes above the floor, and raise it."""
        self._above.update(change.number for change in found)
        self._highest.append((now_sec, max(self._above, default=self.floor)))
        while self._highest[0][0] < now_sec - LOOK_BACK_SEC:
            self.floor = self._highest.popleft()[1]
        self._above = {number for number in self._above if number > self.floor}


def _encoded(event: str, data: str, number: int) -> bytes:
    """Return an event; a client that resumes after `number` misses nothing that comes later."""
    retry = f"retry: {RECONNECT_SEC * 1000}\n" if event == "ready" else ""
    return f"id: {number}\nevent: {event}\n{retry}data: {data}\n\n".encode()


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()


async def describe(
    monitors: MonitorService, incidents: IncidentService, changes: Sequence[Change]
) -> list[tuple[ChangeSubject, str]]:
    """Return what is to be said, as JSON, in order; what was removed meanwhile is left out."""
    changed = await monitors.by_ids(_ids(changes, ChangeSubject.MONITOR))
    concerned = await incidents.by_ids(_ids(changes, ChangeSubject.INCIDENT))
    known: dict[str, BaseModel] = {
        **{each.monitor_id: each for each in changed},
        **{each.incident_id: each for each in concerned},
    }
    return [
        (each.subject, known[each.subject_id].model_dump_json())
        for each in changes
        if each.subject_id in known
    ]


def _ids(changes: Sequence[Change], subject: ChangeSubject) -> list[str]:
    return [each.subject_id for each in changes if each.subject is subject]
