"""What the routes work with, put together once by `create_app`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import Request

if TYPE_CHECKING:
    from api.auth import KeyRing
    from api.cached import Held
    from api.engine import MonitorEngine
    from api.health import Readiness
    from api.limits import RequestLimits
    from api.metrics import GatewayMetrics
    from api.monitors.creation import MonitorCreation
    from api.monitors.redelivery import EventRedelivery
    from api.monitors.secret_headers import RequestHeaderKeeping
    from api.monitors.service import MonitorService
    from api.monitors.updates import MonitorUpdates
    from api.reconciler import Reconciler
    from api.store import Store


@dataclass(frozen=True)
class Gateway:
    """The collaborators of all routes."""

    client_keys: KeyRing
    worker_keys: KeyRing
    probe_keys: KeyRing
    limits: RequestLimits
    engine: MonitorEngine
    store: Store
    creation: MonitorCreation
    service: MonitorService
    changing: MonitorUpdates
    headers: RequestHeaderKeeping
    redelivery: EventRedelivery
    reconciler: Reconciler
    metrics: GatewayMetrics
    readiness: Held[Readiness]
    exposition: Held[bytes]


async def gateway_of(request: Request) -> Gateway:
    """Return the gateway that serves this request."""
    gateway: Gateway = request.app.state.gateway
    return gateway
