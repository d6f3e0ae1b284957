"""Puts the gateway together."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote

from fastapi import FastAPI

from api import health
from api.access_log import AccessLog
from api.auth import Authentication
from api.changes.descriptions import ChangeDescriptions
from api.changes.feed import ChangeFeed
from api.coverage.service import CoverageService
from api.destinations.destination_secrets import DestinationSecretBox
from api.destinations.dispatch import DestinationDispatch
from api.destinations.notification_writer import NotificationWriter
from api.destinations.service import DestinationService
from api.destinations.waker import DestinationWaker
from api.errors import install_error_handlers
from api.events.service import EventService
from api.evidence.cleanup import EvidenceCleanup
from api.evidence.intake import EvidenceIntake
from api.evidence.link_signing import CapsuleKeys
from api.evidence.quota import EvidenceQuota
from api.evidence.service import EvidenceService
from api.health import HealthChecks
from api.heartbeat_ping import HeartbeatPing, Ping
from api.incidents.service import IncidentService
from api.injection import provide
from api.internal import destination_routes as internal_destination_routes
from api.internal import evidence_routes as internal_evidence_routes
from api.internal import routes as internal_routes
from api.internal.worker_reports import WorkerReports
from api.latest_pictures.service import LatestPictureService
from api.metrics import GatewayMetrics
from api.monitor_engine import MonitorEngine
from api.monitors.bulk_stop import BulkStop
from api.monitors.creation import MonitorCreation
from api.monitors.launcher import Launcher
from api.monitors.level_history import LevelHistory
from api.monitors.secret_headers import SecretHeaders
from api.monitors.service import MonitorService
from api.monitors.updates import MonitorUpdates
from api.openapi import PUBLIC_ROUTERS, routed_app
from api.page.cookies import SessionCookie
from api.page.monitor_page import MonitorPages
from api.page.routers import PAGE_ROUTERS
from api.page.wall import WallService
from api.reconciler import Reconciler
from api.request_limits import RequestLimits
from api.secrets import SecretBox
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

WORKER_ROUTERS: Final = (
    internal_routes.probe_router,
    internal_routes.router,
    internal_evidence_routes.router,
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
    held_webhooks: HeldWebhooks
    status_pages: StatusPageService
    publication: StatusPublication
    waker: DestinationWaker
    links: EvidenceLinks
    capsule_keys: CapsuleKeys
    evidence: EvidenceService
    intake: EvidenceIntake
    cleanup: EvidenceCleanup
    pictures: LatestPictureService
    sessions: Sessions
    cookie: SessionCookie
    levels: LevelHistory
    wall: WallService
    monitor_pages: MonitorPages


def create_gateway(
    settings: GatewaySettings,
    *,
    engine: MonitorEngine,
    store: Store,
    address_check: AddressCheck,
    apprise_check: AppriseCheck | None = None,
    ping: Ping | None = None,
    namespace: str = "default",
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
        namespace: in which Temporal runs the monitors.
        now: the clock.

    Raises:
        StartError: a setting cannot be used.
    """
    metrics = GatewayMetrics()
    metrics.limit_evidence(settings.evidence_max_bytes)
    limits = RequestLimits(settings, metrics.limit_storage_failed)
    seal_key = settings.internal_api_key.get_secret_value().encode()
    launcher = Launcher(store, engine, metrics, now, seal_key)
    box = SecretBox(settings.secrets_key)
    headers, secrets = SecretHeaders(box), DestinationSecretBox(box)
    waker = DestinationWaker(store, engine)
    monitors = MonitorService(store, engine, waker, now)
    retention = timedelta(days=settings.retention_days)
    links, capsule_keys = evidence_links(settings), CapsuleKeys(settings.evidence_signing_key)
    files = _file_store(settings)
    evidence = EvidenceService(store, files, links, now)
    cleanup = EvidenceCleanup(
        store,
        files,
        kept=timedelta(days=settings.evidence_retention_days),
        remembered=retention,
        now=now,
    )
    incidents = IncidentService(store, evidence, links, waker, now)
    events = EventService(store, engine, monitors, links)
    changes = ChangeFeed(store.changes, ChangeDescriptions(monitors, incidents).describe)
    sessions, levels = Sessions(store.sessions, now), LevelHistory()
    pictures = LatestPictureService(
        store, monitors, interval_sec=settings.picture_interval_sec, now=now
    )
    coverage = CoverageService(store, retention=retention, now=now)
    status_pages = StatusPageService(store, now)
    held_webhooks = HeldWebhooks(store, engine, now)
    silences = SilenceService(store, waker, held_webhooks, now)
    health = HealthChecks(store, engine, metrics, with_streams=settings.stream_metrics)
    return GatewayServices(
        metrics=metrics,
        limits=limits,
        authentication=Authentication(settings, limits, sessions),
        monitors=monitors,
        creation=MonitorCreation(
            store,
            launcher,
            address_check,
            headers,
            takes_capsules=capsule_keys.can_sign,
            max_active=settings.max_monitors,
            now=now,
        ),
        bulk_stop=BulkStop(store, monitors),
        updates=MonitorUpdates(store, engine, monitors, headers),
        headers=headers,
        events=events,
        slates=SlateService(store, now),
        incidents=incidents,
        coverage=coverage,
        reports=WorkerReports(store, monitors, metrics, waker, levels, now),
        reconciler=Reconciler(
            store,
            engine,
            launcher,
            waker,
            cleanup,
            metrics,
            retention=retention,
            now=now,
        ),
        health=health,
        heartbeat=HeartbeatPing(ping, store, health, metrics, now),
        changes=changes,
        destinations=DestinationService(store, waker, address_check, apprise_check, secrets, now),
        dispatch=DestinationDispatch(
            store, secrets, NotificationWriter(store, settings.public_url, links, now), metrics, now
        ),
        silences=silences,
        held_webhooks=held_webhooks,
        status_pages=status_pages,
        publication=StatusPublication(store, status_pages, coverage, now),
        waker=waker,
        links=links,
        capsule_keys=capsule_keys,
        evidence=evidence,
        intake=EvidenceIntake(
            store,
            files,
            EvidenceQuota(
                store,
                files,
                most_bytes=settings.evidence_max_bytes,
                monitor_most_bytes=settings.evidence_monitor_max_bytes,
            ),
            capsule_keys,
            metrics,
        ),
        cleanup=cleanup,
        pictures=pictures,
        sessions=sessions,
        cookie=SessionCookie(settings),
        levels=levels,
        wall=WallService(monitors, incidents, silences, changes, now),
        monitor_pages=MonitorPages(
            store, monitors, incidents, events, _workflows_url(settings, namespace), now
        ),
    )


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


def _workflows_url(settings: GatewaySettings, namespace: str) -> str | None:
    """Return where Temporal's web UI shows workflows, each below it by its id."""
    base = settings.temporal_ui_url
    return f"{base.rstrip('/')}/namespaces/{quote(namespace)}/workflows" if base else None


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
            gateway.reconciler.at_work(),
            gateway.held_webhooks.at_work(),
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
