"""Liveness, readiness and metrics of the gateway; they need no key."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Generic, TypeVar

import structlog
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from api.injection import injected
from api.metrics import GatewayMetrics
from api.monitor_engine import EngineNotReady, MonitorEngine
from api.store import Store, StoreUnavailable
from api.stream_metrics import MAX_STREAMS, StreamMetrics

CHECK_LIMIT_SEC: Final = 3
CACHE_SEC: Final = 1.0
READY: Final = "ready"

T = TypeVar("T")

router = APIRouter(tags=["operation"])
_log = structlog.get_logger(__name__)


class Liveness(BaseModel):
    """The process answers."""

    status: str = "ok"


class Readiness(BaseModel):
    """Whether the gateway is ready, and for each part `ok` or the problem."""

    status: str
    checks: dict[str, str]


class Cached(Generic[T]):
    """What `make` returns or raises, for all who ask within `CACHE_SEC`."""

    def __init__(self, make: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._make = make
        self._made_at = 0.0
        self._making: asyncio.Task[T] | None = None

    async def get(self) -> T:
        is_old = time.monotonic() - self._made_at >= CACHE_SEC
        if self._making is None or (self._making.done() and is_old):
            self._made_at = time.monotonic()
            self._making = asyncio.create_task(self._make())
        return await asyncio.shield(self._making)


class HealthChecks:
    """Looks at the database and Temporal, and counts what is in the store."""

    def __init__(
        self,
        store: Store,
        engine: MonitorEngine,
        counted: GatewayMetrics,
        *,
        with_streams: bool = False,
    ) -> None:
        self._with_streams = with_streams
        self._store = store
        self._engine = engine
        self._metrics = counted
        self.readiness = Cached(self._readiness)
        self.exposition = Cached(self._exposition)

    async def _readiness(self) -> Readiness:
        database, temporal = await asyncio.gather(
            _outcome(self._store.database.check()), _outcome(self._engine.ready())
        )
        status = READY if database == temporal == "ok" else "not_ready"
        return Readiness(status=status, checks={"database": database, "temporal": temporal})

    async def _exposition(self) -> bytes:
        """Return the metrics as text; without those of the database where that is away."""
        monitors, streams, waiting_sec, evidence_bytes = None, b"", None, None
        with suppress(TimeoutError, StoreUnavailable):
            async with asyncio.timeout(CHECK_LIMIT_SEC):
                monitors = await self._store.monitors.count_by_status()
                waiting_sec = await self._oldest_notification_sec()
                evidence_bytes = await self._store.evidence.used_bytes()
                if self._with_streams:
                    active = await self._store.monitors.active(limit=MAX_STREAMS)
                    streams = StreamMetrics(active, datetime.now(UTC)).exposition()
        return self._metrics.exposition(monitors, waiting_sec, evidence_bytes) + streams

    async def _oldest_notification_sec(self) -> float:
        oldest = await self._store.deliveries.oldest_waiting()
        return (datetime.now(UTC) - oldest).total_seconds() if oldest else 0.0


HealthDep = Annotated[HealthChecks, injected(HealthChecks)]


@router.head("/healthz", include_in_schema=False)  # uptime checks ask so
@router.get("/healthz")
async def healthz() -> Liveness:
    """Return that the process answers."""
    return Liveness()


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", responses={503: {"model": Readiness, "description": "Not ready"}})
async def readyz(health: HealthDep, response: Response) -> Readiness:
    """Return whether the database and Temporal can be used; asked at most once a second."""
    found = await health.readiness.get()
    response.status_code = 200 if found.status == READY else 503
    return found


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(health: HealthDep) -> Response:
    """Return the metrics as Prometheus text; counted at most once a second."""
    return Response(await health.exposition.get(), media_type=CONTENT_TYPE_LATEST)


async def _outcome(check: Awaitable[None]) -> str:
    try:
        async with asyncio.timeout(CHECK_LIMIT_SEC):
            await check
    except TimeoutError:
        return f"no answer within {CHECK_LIMIT_SEC} s"
    except EngineNotReady as error:
        return str(error)
    except StoreUnavailable as error:
        # Its text may name hosts and users: those belong into the log, not before strangers.
        _log.warning("not ready", error=str(error))
        return "not reachable"
    return "ok"
