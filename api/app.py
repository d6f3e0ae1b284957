"""Puts the gateway together."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from fastapi import FastAPI

from api import health
from api.access_log import AccessLog
from api.addresses import AddressCheck, AppriseCheck
from api.auth import Authentication
from api.changes.descriptions import ChangeDescriptions
from api.changes.feed import ChangeFeed
from api.coverage.service import CoverageService
from api.destinations.dispatch import DestinationDispatch
from api.destinations.messages import MessageWriter
from api.destinations.secrets import DestinationSecretBox
from api.destinations.service import DestinationService
from api.destinations.waker import DestinationWaker
from api.errors import install_error_handlers
from api.events.service import EventService
from api.health import HealthChecks
from api.heartbeat_ping import HeartbeatPing, Ping
from api.incidents.service import IncidentService
from api.injection import provide
from api.internal import destination_routes as internal_destination_routes
from api.internal import routes as internal_routes
from api.internal.reports import WorkerReports
from api.limits import RequestLimits
from api.metrics import GatewayMetrics
from api.monitor_engine import MonitorEngine
from api.monitors.bulk_stop import BulkStop
from api.monitors.creation import MonitorCreation
from api.monitors.launcher import Launcher
from api.monitors.secret_headers import SecretHeaders
from api.monitors.service import MonitorService
from api.monitors.updates import MonitorUpdates
from api.openapi import PUBLIC_ROUTERS, routed_app
from api.reconciler import Reconciler
from api.secrets import SecretBox
from api.silences.service import SilenceService
from api.slates.service import SlateService
from api.store import Store
from runtime.settings import GatewaySettings

WORKER_ROUTERS: Final = (
    internal_routes.router,
    internal_routes.probe_router,
    internal_destination_routes.router,
)


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class GatewayServices:
    """The services of a gateway; each route gets those that its parameters name."""

    metrics: GatewayMetrics
    limits: RequestLimits
    authentication: Authentication
    monitors: MonitorService
    creation: MonitorCreation
    updates: MonitorUpdates
    bulk_stop: BulkStop
    headers: SecretHeaders
    events: EventService
    slates: SlateService
    incidents: IncidentService
    coverage: CoverageService
    reports: WorkerReports
    reconciler: Reconciler
    health: HealthChecks
    heartbeat: HeartbeatPing
    changes: ChangeFeed
    destinations: DestinationService
    dispatch: DestinationDispatch
    silences: SilenceService
    waker: DestinationWaker


def create_gateway(
    settings: GatewaySettings,
    *,
    engine: MonitorEngine,
    store: Store,
    address_check: AddressCheck,
    apprise_check: AppriseCheck | None = None,
    ping: Ping | None = None,
    now: Callable[[], datetime] = _utc_now,
) -> GatewayServices:
    """Build the services.

    Args:
        settings: keys and limits; the caller acts on addresses, ports and the database.
        engine: runs the monitors.
        store: open; the caller closes it after the applications have shut down.
        address_check: judges the URLs that users give.
        apprise_check: judges those of Apprise; None: by their form alone.
        ping: calls the address of `HEARTBEAT_PING_URL`.
        now: the clock.

    Raises:
        StartError: a setting cannot be used.
    """
    metrics = GatewayMetrics()
    limits = RequestLimits(settings, metrics.limit_storage_failed)
    seal_key = settings.internal_api_key.get_secret_value().encode()
    launcher = Launcher(store, engine, metrics, now, seal_key)
    box = SecretBox(settings.secrets_key)
    headers, secrets = SecretHeaders(box), DestinationSecretBox(box)
    waker = DestinationWaker(store, engine)
    monitors = MonitorService(store, engine, waker, now)
    incidents = IncidentService(store, waker, now)
    retention = timedelta(days=settings.retention_days)
    health = HealthChecks(store, engine, metrics, with_streams=settings.stream_metrics)
    return GatewayServices(
        metrics=metrics,
        limits=limits,
        authentication=Authentication(settings, limits),
        monitors=monitors,
        creation=MonitorCreation(
            store,
            launcher,
            address_check,
            headers,
            max_active=settings.max_monitors,
            now=now,
        ),
        bulk_stop=BulkStop(store, monitors),
        updates=MonitorUpdates(store, engine, monitors, headers),
        headers=headers,
        events=EventService(store, engine, monitors),
        slates=SlateService(store, now),
        incidents=incidents,
        coverage=CoverageService(store, retention=retention, now=now),
        reports=WorkerReports(store, monitors, metrics, waker, now),
        reconciler=Reconciler(
            store,
            engine,
            launcher,
            waker,
            metrics,
            retention=retention,
            now=now,
        ),
        health=health,
        heartbeat=HeartbeatPing(ping, store, health, metrics, now),
        changes=ChangeFeed(store.changes, ChangeDescriptions(monitors, incidents).describe),
        destinations=DestinationService(store, waker, address_check, apprise_check, secrets, now),
        dispatch=DestinationDispatch(
            store, secrets, MessageWriter(store, settings.public_url), metrics, now
        ),
        silences=SilenceService(store, waker, now),
        waker=waker,
    )


def api_app(gateway: GatewayServices, *, with_internal: bool) -> FastAPI:
    """Return the API that clients use, with or without that of the workers.

    While it is served, the gateway does what it does by itself.
    """
    app = routed_app(*PUBLIC_ROUTERS, *(WORKER_ROUTERS if with_internal else ()))

    @asynccontextmanager
    async def working(_app: FastAPI) -> AsyncIterator[None]:
        async with (
            gateway.waker.at_work(),
            gateway.reconciler.at_work(),
            gateway.heartbeat.at_work(),
        ):
            yield

    app.router.lifespan_context = working
    return _connect(app, gateway)


def internal_app(gateway: GatewayServices) -> FastAPI:
    """Return the API of the workers, for a port of its own, without documentation."""
    app = FastAPI(redirect_slashes=False, openapi_url=None)
    for router in (*WORKER_ROUTERS, health.router):
        app.include_router(router)
    return _connect(app, gateway)


def _connect(app: FastAPI, gateway: GatewayServices) -> FastAPI:
    provide(app, *vars(gateway).values())
    install_error_handlers(app)
    app.add_middleware(AccessLog, metrics=gateway.metrics)
    return app
