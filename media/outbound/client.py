"""HTTP clients that connect only where the guard lets them."""

import asyncio
import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any

import httpcore
import httpx

from media.outbound.errors import AddressRefused
from media.outbound.guard import OutboundGuard
from media.outbound.overhead import MeteredBody, MeteredNetwork, SocketOption
from media.outbound.pools import PoolPerStream
from monitors.stream_url import DEFAULT_PORTS

CONNECT_TIMEOUT_SEC = 5.0
READ_TIMEOUT_SEC = 10.0
MAX_ADDRESSES_TRIED = 4
MAX_CONNECTIONS = 1000
MAX_IDLE_CONNECTIONS = 32  # of a pool: each costs every request, by the square of their number

# A playlist is asked for once a target duration (2 to 10 s as a rule): idle connections that
# last a few of these save a TLS handshake per poll.
IDLE_CONNECTION_SEC = 30.0

_TIMEOUT = httpx.Timeout(READ_TIMEOUT_SEC, connect=CONNECT_TIMEOUT_SEC)
_POOL: dict[str, Any] = {
    "max_connections": MAX_CONNECTIONS,
    "max_keepalive_connections": MAX_IDLE_CONNECTIONS,
    "keepalive_expiry": IDLE_CONNECTION_SEC,
}


@dataclass(frozen=True)
class Proxies:
    """As `http://[user:password@]host:port`; None connects directly."""

    http: str | None = None
    https: str | None = None


def media_client(
    guard: OutboundGuard,
    *,
    proxy: str | Proxies | None = None,
    ca_bundle: Path | None = None,
    network: httpcore.AsyncNetworkBackend | None = None,
) -> httpx.AsyncClient:
    """Return the client for playlists and segments of all streams.

    It keeps no cookies, `media.outbound.stream_client` does; and it follows no redirects,
    `media.outbound.fetching` does.

    Args:
        guard: judges every host; behind a proxy only its text, the proxy resolves names.
        proxy: one proxy for everything or one for each scheme. It is not judged.
    """
    proxies = proxy if isinstance(proxy, Proxies) else Proxies(http=proxy, https=proxy)
    network = network or httpcore.AnyIOBackend()
    tls = _trusting(ca_bundle)
    # A context of its own: httpcore offers a server HTTP/2 in it, but not a proxy.
    proxy_tls = _trusting(ca_bundle)
    by_scheme = {"http://": proxies.http, "https://": proxies.https}
    return _client(
        GuardedTransport(guard, _direct(guard, tls, network)),
        {
            scheme: GuardedTransport(guard, _proxied(url, tls, proxy_tls, network))
            for scheme, url in by_scheme.items()
            if url
        },
    )


def webhook_client(
    guard: OutboundGuard,
    *,
    ca_bundle: Path | None = None,
    network: httpcore.AsyncNetworkBackend | None = None,
) -> httpx.AsyncClient:
    """Return the client for webhooks: no redirects, no proxy, no cookies."""
    # HTTP/1.1 alone: an answer whose body never ends is left by closing its connection. httpcore
    # 1.0 leaves a stream of HTTP/2 open then, and a connection has a hundred of them.
    network = network or httpcore.AnyIOBackend()
    open_pool = _direct(guard, _trusting(ca_bundle), network, http2=False)
    client = _client(GuardedTransport(guard, open_pool), {})
    client.event_hooks = {"response": [_forget_location]}
    return client


async def _forget_location(response: httpx.Response) -> None:
    """Leave out where a receiver redirects to: httpx would read it, and may fail to."""
    response.headers.pop("location", None)


def _trusting(ca_bundle: Path | None) -> ssl.SSLContext:
    tls = httpx.create_ssl_context(trust_env=False)
    if ca_bundle is not None:
        tls.load_verify_locations(cafile=ca_bundle)
    return tls


OpenPool = Callable[[], httpcore.AsyncConnectionPool]  # makes the pool of one stream and origin


def _direct(
    guard: OutboundGuard,
    tls: ssl.SSLContext,
    network: httpcore.AsyncNetworkBackend,
    *,
    http2: bool = True,
) -> OpenPool:
    pinned = PinnedNetwork(guard, network)
    return partial(
        httpcore.AsyncConnectionPool, ssl_context=tls, network_backend=pinned, http2=http2, **_POOL
    )


def _proxied(
    url: str, tls: ssl.SSLContext, proxy_tls: ssl.SSLContext, network: httpcore.AsyncNetworkBackend
) -> OpenPool:
    proxy = httpx.Proxy(url)
    if proxy.url.scheme not in ("http", "https"):
        raise ValueError("a proxy URL must start with http:// or https://")
    return partial(
        httpcore.AsyncHTTPProxy,
        proxy_url=str(proxy.url),
        proxy_auth=proxy.raw_auth,
        ssl_context=tls,
        proxy_ssl_context=proxy_tls if proxy.url.scheme == "https" else None,
        network_backend=MeteredNetwork(network),
        http2=True,
        **_POOL,
    )


def _client(
    direct: "GuardedTransport", proxied: Mapping[str, "GuardedTransport"]
) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=direct,
        mounts=proxied,
        timeout=_TIMEOUT,
        follow_redirects=False,
        trust_env=False,
        # One client serves many users: what one of their servers sets must not reach another.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )


class PinnedNetwork(MeteredNetwork):
    """Opens connections to judged addresses only, each judged at the moment of connecting."""

    def __init__(self, guard: OutboundGuard, network: httpcore.AsyncNetworkBackend) -> None:
        super().__init__(network)
        self._guard = guard

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of `host` that answers within its share of `timeout`."""
        connect = super().connect_tcp
        try:
            async with asyncio.timeout(timeout):
                addresses = (await self._guard.pin(host, port))[:MAX_ADDRESSES_TRIED]
                share = None if timeout is None else timeout / len(addresses)
                for address in addresses[:-1]:
                    try:
                        return await connect(
                            str(address), port, share, local_address, socket_options
                        )
                    except (httpcore.ConnectError, httpcore.ConnectTimeout):
                        continue
                return await connect(
                    str(addresses[-1]), port, timeout, local_address, socket_options
                )
        except TimeoutError:
            raise httpcore.ConnectTimeout from None


class GuardedTransport(httpx.AsyncHTTPTransport):
    """Sends requests whose URLs the guard lets pass.

    httpx has no argument for httpcore's network backend. A pool of our own keeps its translation of
    requests, answers and errors.
    """

    def __init__(self, guard: OutboundGuard, open_pool: OpenPool) -> None:
        # Without the constructor of httpx, which only makes another pool.
        self._guard = guard
        self._pool = PoolPerStream(open_pool, idle_sec=IDLE_CONNECTION_SEC)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        _check_shape(request.url)
        port = request.url.port or DEFAULT_PORTS[request.url.scheme]
        self._guard.check_host(request.url.raw_host.decode("ascii"), port)
        response = await super().handle_async_request(request)
        response.stream = MeteredBody(response)
        return response


def _check_shape(url: httpx.URL) -> None:
    if url.scheme not in ("http", "https") or url.userinfo:
        raise AddressRefused
    if url.port is not None and not 0 < url.port <= 65_535:
        raise AddressRefused
