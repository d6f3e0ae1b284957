"""Puts the gateway together."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

from fastapi import APIRouter, FastAPI
from fastapi_offline import FastAPIOffline

from api import health
from api.access_log import AccessLog
from api.address_check import AddressCheck
from api.auth import KeyRing
from api.cached import Held
from api.engine import MonitorEngine
from api.errors import install_error_handlers
from api.gateway import Gateway
from api.internal import deliveries
from api.internal import routes as internal_routes
from api.limits import RequestLimits
from api.metrics import GatewayMetrics
from api.monitors import routes as monitor_routes
from api.monitors.creation import MonitorCreation
from api.monitors.launch import Launcher
from api.monitors.redelivery import EventRedelivery
from api.monitors.secret_headers import RequestHeaderKeeping
from api.monitors.service import MonitorService
from api.monitors.updates import MonitorUpdates
from api.openapi import describe
from api.reconciler import Reconciler
from api.secrets import SecretBox
from api.store import Store
from runtime.settings import GatewaySettings
from runtime.version import VERSION

API_ROUTERS = (monitor_routes.router, health.router)
WORKER_ROUTERS = (
    internal_routes.router,
    deliveries.router,
    internal_routes.probe_router,
)


def _utc_now() -> datetime:
    return datetime.now(UTC)


def create_gateway(
    settings: GatewaySettings,
    *,
    engine: MonitorEngine,
    store: Store,
    address_check: AddressCheck,
    now: Callable[[], datetime] = _utc_now,
) -> Gateway:
    """Return all that the routes work with.

    Args:
        settings: keys and limits; the caller acts on addresses, ports and the database.
        engine: runs the monitors.
        store: open; the caller closes it after the applications have shut down.
        address_check: judges the URLs that users give.
        now: the clock.

    Raises:
        StartError: a setting cannot be used.
    """
    metrics = GatewayMetrics()
    seal_key = settings.internal_api_key.get_secret_value().encode()
    launcher = Launcher(store, engine, metrics, now, seal_key)
    service = MonitorService(store, engine, now)
    headers = RequestHeaderKeeping(SecretBox(settings.secrets_key))
    return Gateway(
        client_keys=KeyRing(settings.api_key),
        worker_keys=KeyRing([settings.internal_api_key]),
        probe_keys=KeyRing([settings.probe_api_key] if settings.probe_api_key else []),
        limits=RequestLimits(settings, metrics.limit_storage_failed),
        engine=engine,
        store=store,
        creation=MonitorCreation(
            store,
            launcher,
            address_check,
            headers,
            max_active=settings.max_monitors,
            now=now,
        ),
        service=service,
        changing=MonitorUpdates(store, engine, service, headers),
        headers=headers,
        redelivery=EventRedelivery(store, engine, service),
        reconciler=Reconciler(
            store,
            engine,
            launcher,
            metrics,
            retention=timedelta(days=settings.retention_days),
            now=now,
        ),
        metrics=metrics,
        readiness=Held(partial(health.readiness, store, engine)),
        exposition=Held(partial(health.exposition, store, metrics)),
    )


def api_app(gateway: Gateway, *, with_internal: bool) -> FastAPI:
    """Return the API that clients use, with or without that of the workers.

    While it is served, the gateway reconciles.
    """
    routers = (*API_ROUTERS, *WORKER_ROUTERS) if with_internal else API_ROUTERS
    app = _connect(routed_app(*routers), gateway)
    app.router.lifespan_context = _reconciling
    return app


def internal_app(gateway: Gateway) -> FastAPI:
    """Return the API of the workers, for a port of its own; nothing describes it there."""
    app = FastAPI(redirect_slashes=False, openapi_url=None)
    return _connect(_routed(app, *WORKER_ROUTERS, health.router), gateway)


def routed_app(*routers: APIRouter) -> FastAPI:
    """Return an application of `routers` without the gateway behind them.

    Its pages, `/docs` and `/redoc`, bring their scripts along: a network may be closed.
    """
    app = FastAPIOffline(
        title="Stream Tracker",
        version=VERSION,
        redirect_slashes=False,
        separate_input_output_schemas=False,
    )
    app.openapi = partial(describe, app)  # type: ignore[method-assign]
    return _routed(app, *routers)


def _routed(app: FastAPI, *routers: APIRouter) -> FastAPI:
    for router in routers:
        app.include_router(router)
    return app


def _connect(app: FastAPI, gateway: Gateway) -> FastAPI:
    app.state.gateway = gateway
    install_error_handlers(app)
    app.add_middleware(AccessLog, metrics=gateway.metrics)
    return app


@asynccontextmanager
async def _reconciling(app: FastAPI) -> AsyncIterator[None]:
    gateway: Gateway = app.state.gateway
    async with gateway.reconciler.at_work():
        yield
