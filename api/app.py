"""Puts the gateway together."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api import health
from api.access_log import AccessLog
from api.addresses import AddressCheck
from api.auth import KeyRing
from api.engine import MonitorEngine
from api.errors import install_error_handlers
from api.gateway import Gateway
from api.internal import routes as internal_routes
from api.limits import RequestLimits
from api.metrics import GatewayMetrics
from api.monitors import routes as monitor_routes
from api.monitors.creation import MonitorCreation
from api.monitors.launch import Launcher
from api.monitors.schemas import CreateMonitor
from api.monitors.service import MonitorService
from api.reconciler import Reconciler
from api.store import Store
from runtime.settings import GatewaySettings


def _utc_now() -> datetime:
    return datetime.now(UTC)


def create_app(
    settings: GatewaySettings,
    *,
    engine: MonitorEngine,
    store: Store,
    address_check: AddressCheck,
    now: Callable[[], datetime] = _utc_now,
) -> FastAPI:
    """Return the gateway as an ASGI application.

    Args:
        settings: keys and limits; the caller acts on address, port and database.
        engine: runs the monitors.
        store: open; the caller closes it after the application has shut down.
        address_check: judges the URLs that users give.
        now: the clock.
    """
    metrics = GatewayMetrics()
    launcher = Launcher(store, engine, metrics, now)
    app = FastAPI(
        title="Stream Tracker",
        version=version("stream-tracker"),
        summary="Watches live streams and reports their faults by signed webhooks.",
        lifespan=_reconciling,
        redirect_slashes=False,
        separate_input_output_schemas=False,
    )
    app.state.reconciler = Reconciler(store, engine, launcher, now)
    app.state.gateway = Gateway(
        client_keys=KeyRing(settings.api_key),
        worker_keys=KeyRing([settings.internal_api_key]),
        limits=RequestLimits(settings),
        engine=engine,
        store=store,
        creation=MonitorCreation(
            store, launcher, address_check, max_active=settings.max_monitors, now=now
        ),
        service=MonitorService(store, engine, now),
        metrics=metrics,
    )
    for router in (monitor_routes.router, internal_routes.router, health.router):
        app.include_router(router)
    install_error_handlers(app)
    app.add_middleware(AccessLog, metrics=metrics)
    app.openapi = partial(_openapi, app)  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def _reconciling(app: FastAPI) -> AsyncIterator[None]:
    task = asyncio.create_task(app.state.reconciler.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _openapi(app: FastAPI) -> dict[str, Any]:
    """Describe the API. The body of a creation is read by us, so its schema is added here."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title, version=app.version, summary=app.summary, routes=app.routes
        )
        order = CreateMonitor.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas = schema["components"]["schemas"]
        schemas.update(order.pop("$defs", {}))
        schemas["CreateMonitor"] = order
        app.openapi_schema = schema
    return app.openapi_schema
