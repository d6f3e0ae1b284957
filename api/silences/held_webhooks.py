"""Has monitors send the webhooks that silences held back, when these end."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog

from api.monitor_engine import EngineUnavailable, MonitorEngine
from api.store import Store, StoreUnavailable

LONGEST_SLEEP_SEC: Final = 15.0
SHORTEST_SLEEP_SEC: Final = 0.2
ASKED_AGAIN_AFTER: Final = timedelta(minutes=5)
"""A monitor whose receiver does not answer may take this long to come to what was held back."""

_log = structlog.get_logger(__name__)


class HeldWebhooks:
    """Looks whenever a silence ends, and every few seconds besides.

    Each gateway does, and a monitor may be asked twice: it knows what is still held.
    """

    def __init__(self, store: Store, engine: MonitorEngine, now: Callable[[], datetime]) -> None:
        self._store = store
        self._engine = engine
        self._now = now
        self._asked_at: dict[str, datetime] = {}
        self._unheard: set[str] = set()
        self._is_called = asyncio.Event()

    def look(self) -> None:
        """Look now: a silence was ended."""
        self._is_called.set()

    async def release(self) -> int:
        """Have monitors send what is due; return how many were asked."""
        now = self._now()
        due = await self._store.silences.webhooks_due(now)
        self._asked_at = {each: at for each, at in self._asked_at.items() if each in due}
        to_ask: dict[str, list[str]] = {}
        for event_id, monitor_id in due.items():
            if not self._is_asked(event_id, now):
                to_ask.setdefault(monitor_id, []).append(event_id)
        self._unheard &= to_ask.keys()
        # Whoever could not be told comes last: it keeps no other from being told.
        for monitor_id in sorted(to_ask, key=self._unheard.__contains__):
            self._unheard.add(monitor_id)
            await self._engine.tell_silence_ended(monitor_id)
            self._unheard.discard(monitor_id)
            self._asked_at |= dict.fromkeys(to_ask[monitor_id], now)
        return len(to_ask)

    def _is_asked(self, event_id: str, now: datetime) -> bool:
        asked_at = self._asked_at.get(event_id)
        return asked_at is not None and abs(now - asked_at) < ASKED_AGAIN_AFTER

    async def work(self) -> None:
        while True:
            sleep_sec = LONGEST_SLEEP_SEC
            try:
                await self.release()
                sleep_sec = await self._until_next_end_sec()
            except (EngineUnavailable, StoreUnavailable) as error:
                _log.warning("held webhooks not released", error=str(error))
            except Exception:  # a defect must not end this for good
                _log.exception("held webhooks not released")
            await self._sleep(sleep_sec)

    async def _until_next_end_sec(self) -> float:
        now = self._now()
        end = await self._store.silences.next_end(now)
        left_sec = (end - now).total_seconds() if end else LONGEST_SLEEP_SEC
        return min(max(left_sec, SHORTEST_SLEEP_SEC), LONGEST_SLEEP_SEC)

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._is_called.wait()
        except TimeoutError:
            return
        self._is_called.clear()
