"""Whether the gateway lives, whether it can work, and what it counts. No key is needed."""

import asyncio
from collections.abc import Awaitable
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Depends, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from api.engine import EngineNotReady, MonitorEngine
from api.gateway import Gateway, gateway_of
from api.metrics import GatewayMetrics
from api.store import Store, StoreUnavailable

CHECK_LIMIT_SEC: Final = 3
READY: Final = "ready"

router = APIRouter(tags=["operation"])
_log = structlog.get_logger(__name__)


class Liveness(BaseModel):
    """The process answers."""

    status: str = "ok"


class Readiness(BaseModel):
    """Whether the gateway can work, and each part it needs: `ok` or what is wrong with it."""

    status: str
    checks: dict[str, str]


@router.get("/healthz")
async def healthz() -> Liveness:
    """Tell that the process answers."""
    return Liveness()


@router.get("/readyz", responses={503: {"model": Readiness, "description": "Not ready"}})
async def readyz(gateway: Annotated[Gateway, Depends(gateway_of)], response: Response) -> Readiness:
    """Tell whether the database and Temporal can be used; asked at most once a second."""
    found = await gateway.readiness.get()
    response.status_code = 200 if found.status == READY else 503
    return found


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(gateway: Annotated[Gateway, Depends(gateway_of)]) -> Response:
    """Return the metrics as Prometheus text; counted at most once a second."""
    return Response(await gateway.exposition.get(), media_type=CONTENT_TYPE_LATEST)


async def readiness(store: Store, engine: MonitorEngine) -> Readiness:
    """Return whether the parts that a gateway needs can be used."""
    database, temporal = await asyncio.gather(
        _outcome(store.database.check()), _outcome(engine.ready())
    )
    status = READY if database == temporal == "ok" else "not_ready"
    return Readiness(status=status, checks={"database": database, "temporal": temporal})


async def exposition(store: Store, counted: GatewayMetrics) -> bytes:
    """Return the metrics as text; without the count of monitors where the database is away."""
    try:
        async with asyncio.timeout(CHECK_LIMIT_SEC):
            monitors = await store.monitors.count_by_status()
    except (TimeoutError, StoreUnavailable):
        monitors = None
    return counted.exposition(monitors)


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
