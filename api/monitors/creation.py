"""Creating a monitor.

The row is written first, then the workflow is started. What the client gets:

- 201: the monitor exists. When Temporal took the request to start it and then fell silent, nobody
  knows whether the workflow runs; the row stays `initializing` and the reconciler starts it (which
  is harmless if it runs). The same happens when the gateway dies between the two steps.
- 503: Temporal certainly started nothing. Row and idempotency key are removed again; nothing of
  the monitor stays, nothing of it is ever started.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

import structlog

from api.body import parse_json_object, validated
from api.destinations.service import check_destinations
from api.errors import (
    DuplicateMonitor,
    EngineNotAvailable,
    IdempotencyConflict,
    InvalidConfig,
    InvalidUrl,
    MaxMonitorsExceeded,
    ValidationFailed,
)
from api.monitor_engine import EngineUnavailable
from api.monitors.launcher import Launcher
from api.monitors.schemas import CreatedMonitor, CreateMonitor
from api.secrets import SecretHeaders
from api.store import Store
from api.store.insertion import DuplicateStream, EarlierCreation, IdempotencyKey, TooManyMonitors
from api.store.monitor_records import MonitorRecord
from api.url_checks import AddressCheck, check_address
from monitors.evidence import EvidenceLevel
from monitors.random_ids import new_monitor_id
from monitors.status import MonitorStatus, StreamStatus
from monitors.stream_url import InvalidStreamUrl, StreamSource, parse_stream_url
from notifications.destination_urls import masked_url

LAUNCH_LIMIT: Final = timedelta(seconds=15)
MAX_KEY_LENGTH: Final = 255
MAX_DISTANCE: Final = timedelta(days=5 * 365)

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class MonitorCreation:
    store: Store
    launcher: Launcher
    address_check: AddressCheck
    headers: SecretHeaders
    _: KW_ONLY
    takes_capsules: bool
    max_active: int
    now: Callable[[], datetime]

    async def create(self, content: bytes, client: str, key_header: str | None) -> CreatedMonitor:
        """Create a monitor and start its workflow; `key_header` is the `Idempotency-Key`, if any.

        Raises:
            EngineNotAvailable: Temporal cannot be reached; nothing was created.
        """
        wanted, body = parse_creation(content)
        key = idempotency_key(key_header, client, self.headers.without_secrets(body))
        if key and (earlier := await self.store.insertion.find_by_idempotency_key(key)):
            return await self._answer_again(key, earlier)
        record = self._record(wanted, stream_source(wanted.stream_url))
        check = partial(check_address, self.address_check)
        await check("stream_url", record.stream_url, for_webhooks=False)
        if record.callback_url:
            await check("callback_url", record.callback_url, for_webhooks=True)
        await check_destinations(self.store, wanted.destinations)
        earlier = await self._add(record, key, wanted.destinations)
        if key and earlier:
            return await self._answer_again(key, earlier)
        await self._launch(record)
        _log.info(
            "monitor created",
            monitor_id=record.monitor_id,
            stream_key=record.stream_key,
            callback_url=record.callback_url and masked_url(record.callback_url),
        )
        return _answer(record.monitor_id, record.created_at)

    def _record(self, wanted: CreateMonitor, source: StreamSource) -> MonitorRecord:
        if wanted.config.evidence is EvidenceLevel.CAPSULE and not self.takes_capsules:
            raise InvalidConfig("config.evidence: capsule needs EVIDENCE_SIGNING_KEY")
        now = self.now()
        end = wanted.config.scheduled_end_time
        if end and end <= now:
            raise InvalidConfig("config.scheduled_end_time: is in the past")
        _check_near("scheduled_start_time", wanted.config.scheduled_start_time, now)
        _check_near("scheduled_end_time", end, now)
        monitor_id, given = new_monitor_id(), wanted.config.request_headers
        return MonitorRecord(
            monitor_id=monitor_id,
            stream_url=source.url,
            stream_key=source.key,
            callback_url=wanted.callback_url,
            name=wanted.name,
            labels=wanted.labels,
            applied_by=wanted.applied_by,
            config=wanted.config.with_request_headers(given),
            request_headers=self.headers.sealed(given, monitor_id, source.kind),
            metadata=wanted.metadata,
            status=MonitorStatus.INITIALIZING,
            stream_status=StreamStatus.UNKNOWN,
            created_at=now,
        )

    async def _add(
        self, record: MonitorRecord, key: IdempotencyKey | None, destinations: list[str]
    ) -> EarlierCreation | None:
        try:
            return await self.store.insertion.add(
                record, max_active=self.max_active, key=key, destinations=destinations
            )
        except DuplicateStream as taken:
            raise DuplicateMonitor(taken.monitor_id) from None
        except TooManyMonitors:
            raise MaxMonitorsExceeded(
                f"{self.max_active} monitors are active, which is the maximum; stop one first"
            ) from None

    async def _launch(self, record: MonitorRecord) -> None:
        try:
            await self.launcher.launch(record)
        except EngineUnavailable as error:
            # Not removed: another gateway's reconciler got it started, or the user stopped it.
            if not await self.store.monitors.discard_unstarted(record.monitor_id):
                return
            _log.error("engine unavailable", monitor_id=record.monitor_id, error=str(error))
            raise EngineNotAvailable(_NOTHING_CREATED) from None

    async def _answer_again(self, key: IdempotencyKey, earlier: EarlierCreation) -> CreatedMonitor:
        """Answer as the first request with this key is answered, once it is."""
        if earlier.body_hash != key.body_hash:
            raise IdempotencyConflict("Idempotency-Key: was used before with another body")
        until = earlier.created_at + LAUNCH_LIMIT
        current: EarlierCreation | None = earlier
        while current and current.workflow_started_at is None and self.now() < until:
            await asyncio.sleep(0.05)
            current = await self.store.insertion.find_by_idempotency_key(key)
        if current is None:
            raise EngineNotAvailable(_NOTHING_CREATED)
        return _answer(current.monitor_id, current.created_at)


_NOTHING_CREATED = "Temporal cannot be reached, nothing was created; try again later"


def _check_near(field: str, moment: datetime | None, now: datetime) -> None:
    """Refuse times that are most likely wrong, and that timers cannot be set to."""
    if moment and abs(moment - now) > MAX_DISTANCE:
        raise InvalidConfig(f"config.{field}: is more than 5 years away")


def parse_creation(content: bytes) -> tuple[CreateMonitor, dict[str, Any]]:
    """Parse the body of a creation; return it with the JSON object that it was made from."""
    body, wanted = parse_json_object(content), validated(CreateMonitor, content)
    if wanted.callback_url is None and not wanted.destinations:
        raise ValidationFailed("callback_url: is required, unless destinations names somebody")
    for name in ("scheduled_start_time", "scheduled_end_time"):
        text = body.get("config", {}).get(name)
        # pydantic takes digits for seconds since 1970.
        if text is not None and not _DATE.match(text):
            raise InvalidConfig(f"config.{name}: must be ISO 8601, as in 2026-01-01T20:00:00+09:00")
    return wanted, body


def stream_source(stream_url: str) -> StreamSource:
    try:
        return parse_stream_url(stream_url)
    except InvalidStreamUrl as error:
        raise InvalidUrl(f"stream_url: {error}") from None


def idempotency_key(header: str | None, client: str, body: dict[str, Any]) -> IdempotencyKey | None:
    """Return what stands for an `Idempotency-Key` of a client with a body, None without one.

    The body's secrets are replaced before (`SecretHeaders.without_secrets`).

    Two bodies are the same when they are the same JSON value, however written.

    Raises:
        ValidationFailed: the header is empty, too long or not printable ASCII.
    """
    if header is None:
        return None
    if not (0 < len(header) <= MAX_KEY_LENGTH and header.isascii() and header.isprintable()):
        raise ValidationFailed(
            f"Idempotency-Key: must be 1 to {MAX_KEY_LENGTH} printable ASCII characters"
        )
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return IdempotencyKey(
        key_hash=hashlib.sha256(f"{client}\n{header}".encode()).hexdigest(),
        body_hash=hashlib.sha256(canonical.encode()).hexdigest(),
    )


def _answer(monitor_id: str, created_at: datetime) -> CreatedMonitor:
    return CreatedMonitor(
        monitor_id=monitor_id,
        status=MonitorStatus.INITIALIZING,
        created_at=created_at.astimezone(UTC),
    )
