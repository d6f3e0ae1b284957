"""The gateway process."""

import structlog

from api import addresses
from api.app import create_app
from api.engine import TemporalEngine
from api.server import AddressUnavailable, serve_gateway
from api.store import open_store
from api.store.database import InvalidDatabaseUrl, configured_url
from media.outbound.errors import AddressRefused, NameNotResolved
from media.outbound.guard import OutboundGuard
from runtime.errors import StartError
from runtime.logging import configure_logging
from runtime.serving import stop_signal
from runtime.settings import GatewaySettings
from runtime.temporal import connect_temporal

logger = structlog.get_logger(__name__)


async def run_gateway(settings: GatewaySettings) -> None:
    """Serve the API until SIGTERM or SIGINT; requests in flight finish.

    Raises:
        StartError: the address or the database cannot be used.
    """
    configure_logging(settings)
    client = await connect_temporal(lazy=True)
    try:
        with stop_signal() as stop:
            async with open_store(configured_url(settings)) as store:
                app = create_app(
                    settings,
                    engine=TemporalEngine(client),
                    store=store,
                    address_check=_address_check(settings),
                )
                logger.info("gateway starts", host=settings.host, port=settings.port)
                await serve_gateway(app, settings, stop=stop)
    except InvalidDatabaseUrl as error:
        raise StartError(f"DATABASE_URL: {error}") from None
    except AddressUnavailable as error:
        raise StartError(str(error)) from None


def _address_check(settings: GatewaySettings) -> addresses.AddressCheck:
    guard = OutboundGuard(settings.allow_private_networks)
    has_proxy = bool(settings.http_proxy or settings.https_proxy)

    async def check(url: str) -> None:
        try:
            await guard.check_url(url)
        except AddressRefused:
            raise addresses.AddressRefused from None
        except NameNotResolved:
            # Behind a proxy a name may be known to the proxy alone. Else an unknown name is
            # refused like a private one: the answer is not to tell which internal names exist.
            if not has_proxy:
                raise addresses.AddressRefused from None

    return check
