"""The gateway process."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from functools import partial

import structlog
from fastapi import FastAPI

from api.app import GatewayServices, api_app, internal_app
from api.codec import add_codec
from api.heartbeat_ping import Ping, PingFailed
from api.store import StoreUnavailable, open_store
from api.store.database import configured_url
from api.store.engines import InvalidDatabaseUrl
from api.temporal_engine import TemporalEngine
from api.url_checks import AddressCheck, AddressNotAllowed, AppriseCheck
from media.outbound.client import webhook_client
from media.outbound.errors import AddressRefused, FetchError, NameNotResolved
from media.outbound.guard import OutboundGuard, Resolve
from media.outbound.posting import call
from media.processes.run_once import ProcessFailed
from notifications.apprise import AppriseSender
from runtime.errors import StartError
from runtime.http_limits import connections_limit, http_config
from runtime.logging import configure_logging
from runtime.payloads import search_value
from runtime.serving import (
    GRACE_SEC,
    serve_in_background,
    spare_the_garbage_collector,
    stop_signal,
)
from runtime.settings import GatewaySettings
from runtime.temporal import connect_temporal
from runtime.version import USER_AGENT

logger = structlog.get_logger(__name__)

KEEP_ALIVE_SEC = 30


async def run_gateway(settings: GatewaySettings) -> None:
    """Serve the API until SIGTERM or SIGINT; requests in flight finish.

    Raises StartError where the address or the database cannot be used.
    """
    configure_logging(settings)
    client = await connect_temporal(lazy=True, payload_keys=settings.payload_keys)
    try:
        with stop_signal() as stop:
            async with (
                open_store(configured_url(settings)) as store,
                open_heartbeat_ping(settings) as ping,
            ):
                apprise = apprise_sender(settings)
                gateway = GatewayServices(
                    settings,
                    engine=TemporalEngine(
                        client,
                        store.deployment_id,
                        searchable=partial(search_value, keys=settings.payload_keys),
                    ),
                    store=store,
                    address_check=_address_check(settings),
                    apprise_check=apprise_check(apprise),
                    ping=ping,
                    namespace=client.namespace,
                )
                spare_the_garbage_collector()
                # Closed before the requests in flight are waited for: one of them may be asking.
                async with serving(gateway, settings), aclosing(apprise):
                    logger.info("gateway serves", host=settings.host, port=settings.port)
                    await stop.wait()
    except InvalidDatabaseUrl as error:
        raise StartError(f"DATABASE_URL, DB_DSN: {error}") from None
    except StoreUnavailable as error:
        reason = str(error).partition("\n")[0]
        raise StartError(f"DATABASE_URL, DB_DSN: the database cannot be used: {reason}") from None


@asynccontextmanager
async def serving(gateway: GatewayServices, settings: GatewaySettings) -> AsyncIterator[None]:
    """Serve the APIs while the context is open; at its end, requests in flight finish."""
    internal_port = settings.internal_port
    connections = connections_limit(listeners=2 if internal_port else 1)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(gateway.limits.close)

        async def serve(app: FastAPI, port: int, variables: str) -> None:
            config = http_config(
                app,
                settings.host,
                port,
                connections=connections,
                forwarded_allow_ips=settings.forwarded_allow_ips,
                lifespan="on",
                timeout_keep_alive=KEEP_ALIVE_SEC,
                timeout_graceful_shutdown=GRACE_SEC,
            )
            await stack.enter_async_context(serve_in_background(config, variables=variables))

        if internal_port:
            await serve(internal_app(gateway), internal_port, "HOST, INTERNAL_PORT")
        app = api_app(gateway, with_internal=internal_port is None)
        add_codec(app, gateway.limits, settings)
        await serve(app, settings.port, "HOST, PORT")
        stack.callback(gateway.changes.close)
        yield


@asynccontextmanager
async def open_heartbeat_ping(settings: GatewaySettings) -> AsyncIterator[Ping | None]:
    """Yield what calls the address of HEARTBEAT_PING_URL, None without one."""
    if settings.heartbeat_ping_url is None:
        yield None
        return
    url = settings.heartbeat_ping_url.get_secret_value()
    guard = OutboundGuard(settings.allow_private_networks, exempt=settings.webhook_private_hosts)

    async with webhook_client(guard) as client:

        async def ping() -> None:
            try:
                status = await call(client, url, headers={"User-Agent": USER_AGENT})
            except FetchError as error:
                raise PingFailed(str(error)) from None
            if not 200 <= status < 300:
                raise PingFailed(f"HTTP status {status}")

        yield ping


def apprise_sender(settings: GatewaySettings) -> AppriseSender:
    return AppriseSender(
        allow_private_networks=settings.allow_private_networks,
        exempt=settings.webhook_private_hosts,
    )


def apprise_check(apprise: AppriseSender) -> AppriseCheck:
    """Return what has Apprise read the URLs of destinations, in a process of its own."""

    async def check(url: str) -> None:
        try:
            await apprise.check(url)
        except ProcessFailed as error:  # the first delivery will say what is wrong with the URL
            logger.warning("Apprise cannot be asked", error=str(error))

    return check


def _address_check(settings: GatewaySettings, resolve: Resolve | None = None) -> AddressCheck:
    streams = OutboundGuard(settings.allow_private_networks, resolve)
    webhooks = OutboundGuard(
        settings.allow_private_networks, resolve, exempt=settings.webhook_private_hosts
    )
    has_proxy = bool(settings.http_proxy or settings.https_proxy)

    async def check(url: str, *, for_webhooks: bool) -> None:
        try:
            await (webhooks if for_webhooks else streams).check_url(url)
        except AddressRefused:
            raise AddressNotAllowed from None
        except NameNotResolved:
            # Behind a proxy a name may be known to the proxy alone. Else an unknown name is
            # refused like a private one: the answer is not to tell which internal names exist.
            if not has_proxy:
                raise AddressNotAllowed from None

    return check
