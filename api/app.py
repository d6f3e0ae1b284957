"""Puts the gateway together."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from fastapi import FastAPI

from api import health
from api.access_log import AccessLog
from api.auth import Authentication
from api.background import in_background
from api.changes.feed import ChangeFeed, describe
from api.coverage.service import CoverageService
from api.destinations.dispatch import DestinationDispatch
from api.destinations.notification_writer import NotificationWriter
from api.destinations.service import DestinationService
from api.destinations.waker import DestinationWaker
from api.errors import install_error_handlers
from api.events.service import EventService
from api.evidence.capsule_keys import CapsuleKeys
from api.evidence.intake import EvidenceIntake
from api.evidence.latest_pictures import LatestPictureService
from api.evidence.retention import EvidenceCleanup, EvidenceQuota
from api.evidence.service import EvidenceService
from api.health import HealthChecks
from api.heartbeat_ping import HeartbeatPing, Ping
from api.incidents.service import IncidentService
from api.injection import provide
from api.internal import evidence_routes as internal_evidence_routes
from api.internal import routes as internal_routes
from api.internal.worker_reports import WorkerReports
from api.metrics import GatewayMetrics
from api.monitor_engine import MonitorEngine
from api.monitors.creation import MonitorCreation
from api.monitors.launcher import Launcher
from api.monitors.level_history import LevelHistory
from api.monitors.service import MonitorService
from api.monitors.updates import MonitorUpdates
from api.openapi import PUBLIC_ROUTERS, routed_app
from api.page import (
    availability_page,
    destination_pages,
    incidents_page,
    monitor_page,
    session_routes,
    silence_pages,
    static_files,
    status_page_routes,
    wall,
)
from api.page.monitor_page import WorkflowLinks
from api.page.session_routes import SessionCookie
from api.reconciler import Reconciler
from api.request_limits import RequestLimits
from api.secrets import DestinationSecretBox, SecretBox, SecretHeaders
from api.sessions import Sessions
from api.silences.held_webhooks import HeldWebhooks
from api.silences.service import SilenceService
from api.slates.service import SlateService
from api.status_pages.publication import StatusPublication
from api.status_pages.service import StatusPageService
from api.store import Store
from api.url_checks import AddressCheck, AppriseCheck
from evidence.store import FileStore, open_file_store
from monitors.evidence_links import EvidenceLinks
from runtime.errors import StartError
from runtime.settings import GatewaySettings

PAGE_ROUTERS: Final = (
    static_files.router,
    session_routes.router,
    wall.router,
    monitor_page.router,
    incidents_page.router,
    destination_pages.router,
    silence_pages.router,
    availability_page.router,
    status_page_routes.router,
)
WORKER_ROUTERS: Final = (
    internal_routes.probe_router,
    internal_routes.router,
    internal_evidence_routes.router,
)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class GatewayServices:
    """The services of a gateway; each route gets those that its parameters name.

    Args:
        settings: keys and limits; the caller acts on addresses, ports and the database.
        apprise_check: judges URLs of Apprise; None: by their form alone.
        ping: calls the address of `HEARTBEAT_PING_URL`.
        namespace: in which Temporal runs the monitors.

    Raises:
        StartError: a setting cannot be used.
    """

    def __init__(
        self,
        settings: GatewaySettings,
        *,
        engine: MonitorEngine,
        store: Store,
        address_check: AddressCheck,
        apprise_check: AppriseCheck | None = None,
        ping: Ping | None = None,
        namespace: str = "default",
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        files, box = _file_store(settings), SecretBox(settings.secrets_key)
        retention = timedelta(days=settings.retention_days)
        self.metrics = GatewayMetrics()
        self.metrics.evidence_quota.set(settings.evidence_max_bytes)
        self.limits = RequestLimits(settings, self.metrics.limit_storage_failures)
        self.sessions = Sessions(store.sessions, now)
        self.authentication = Authentication(settings, self.limits, self.sessions)
        self.cookie = SessionCookie(settings)

        self.waker = DestinationWaker(store, engine)
        self.monitors = MonitorService(store, engine, self.waker, now)
        self.headers = SecretHeaders(box)
        self.updates = MonitorUpdates(store, engine, self.monitors, self.headers)
        self.capsule_keys = CapsuleKeys(settings.evidence_signing_key)
        launcher = Launcher(
            store,
            engine,
            self.metrics,
            now,
            seal_key=settings.internal_api_key.get_secret_value().encode(),
        )
        self.creation = MonitorCreation(
            store,
            launcher,
            address_check,
            self.headers,
            takes_capsules=self.capsule_keys.can_sign,
            max_active=settings.max_monitors,
            now=now,
        )

        self.links = evidence_links(settings)
        self.evidence = EvidenceService(store, files, self.links, now)
        self.intake = EvidenceIntake(
            store,
            files,
            EvidenceQuota(store, files, settings),
            self.capsule_keys,
            self.metrics,
            now,
        )
        self.cleanup = EvidenceCleanup(
            store,
            files,
            kept=min(timedelta(days=settings.evidence_retention_days), retention),
            remembered=retention,
            now=now,
        )
        self.pictures = LatestPictureService(
            store, self.monitors, interval_sec=settings.picture_interval_sec, now=now
        )
        self.slates = SlateService(store, now)
        self.levels = LevelHistory()
        self.coverage = CoverageService(store, retention=retention, now=now)

        self.events = EventService(store, engine, self.monitors, self.links)
        self.incidents = IncidentService(store, self.evidence, self.links, self.waker, now)
        self.changes = ChangeFeed(store.changes, partial(describe, self.monitors, self.incidents))
        secrets = DestinationSecretBox(box)
        self.destinations = DestinationService(
            store, self.waker, address_check, apprise_check, secrets, now
        )
        public_url = settings.public_url and settings.public_url.rstrip("/")
        writer = NotificationWriter(store, public_url, self.links, now)
        self.dispatch = DestinationDispatch(store, secrets, writer, self.metrics, now)
        self.held_webhooks = HeldWebhooks(store, engine, now)
        self.silences = SilenceService(store, self.waker, self.held_webhooks, now)

        self.reports = WorkerReports(
            store, self.monitors, self.metrics, self.waker, self.levels, now
        )
        self.reconciler = Reconciler(
            store,
            engine,
            launcher,
            self.waker,
            self.cleanup,
            self.metrics,
            retention=retention,
            now=now,
        )
        self.health = HealthChecks(
            store, engine, self.metrics, with_streams=settings.stream_metrics
        )
        self.heartbeat = HeartbeatPing(ping, store, self.health, self.metrics, now)

        self.status_pages = StatusPageService(store, now)
        self.publication = StatusPublication(store, self.status_pages, self.coverage, now)
        self.workflow_links = WorkflowLinks(settings.temporal_ui_url, namespace)


def evidence_links(settings: GatewaySettings) -> EvidenceLinks:
    return EvidenceLinks(
        tuple(key.get_secret_value().encode() for key in settings.webhook_signing_key),
        settings.public_url,
        timedelta(seconds=settings.evidence_url_ttl_sec),
    )


def _file_store(settings: GatewaySettings) -> FileStore:
    try:
        return open_file_store(settings.evidence_store or str(settings.data_dir / "evidence"))
    except ValueError as error:
        raise StartError(f"EVIDENCE_STORE: {error}") from None


def api_app(gateway: GatewayServices, *, with_internal: bool) -> FastAPI:
    """Return the API that clients use, with or without that of the workers.

    While it is served, the gateway does what it does by itself.
    """
    # The workers' come first: their reports are most requests, and routes are tried in turn.
    app = routed_app(*(WORKER_ROUTERS if with_internal else ()), *PUBLIC_ROUTERS, *PAGE_ROUTERS)

    @asynccontextmanager
    async def working(_app: FastAPI) -> AsyncIterator[None]:
        async with (
            gateway.waker.at_work(),
            in_background(gateway.reconciler.work()),
            in_background(gateway.held_webhooks.work()),
            in_background(gateway.heartbeat.work()),
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
