"""Has monitors send the webhooks that silences held back, when these end."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from api.background import attempt
from api.monitor_engine import MonitorEngine
from api.store import Store

LONGEST_SLEEP_SEC: Final = 15.0
SHORTEST_SLEEP_SEC: Final = 0.2
ASKED_AGAIN_AFTER: Final = timedelta(minutes=5)
"""A monitor whose receiver does not answer may take this long to come to what was held back."""


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
        self._sleep_sec = LONGEST_SLEEP_SEC

    def look(self) -> None:
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
            self._sleep_sec = LONGEST_SLEEP_SEC
            await attempt(self._round(), "held webhooks not released")
            with suppress(TimeoutError):
                async with asyncio.timeout(self._sleep_sec):
                    await self._is_called.wait()
            self._is_called.clear()

    async def _round(self) -> None:
        await self.release()
        now = self._now()
        end = await self._store.silences.next_end(now)
        left_sec = (end - now).total_seconds() if end else LONGEST_SLEEP_SEC
        self._sleep_sec = min(max(left_sec, SHORTEST_SLEEP_SEC), LONGEST_SLEEP_SEC)
