from pathlib import Path

import pytest

from media.outbound.client import media_client, webhook_client
from media.outbound.errors import ConnectionFailed, ExcessiveOverhead, FetchError
from media.outbound.fetching import fetch_segment
from media.outbound.guard import OutboundGuard
from media.outbound.posting import post_webhook
from tests.testkit.stand_ins import PUBLIC, Loopback, Names
from tests.testkit.tls_server import (
    HOST,
    MEDIA,
    make_certificates,
    tls_server,
    tunnelling_proxy,
)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


async def test_tls_is_spoken_with_the_name_though_connected_to_the_address(
    certificates: Path, guard: OutboundGuard, network: Loopback
) -> None:
    async with tls_server(certificates) as server:
        async with media_client(
            guard, ca_bundle=certificates / "ca.pem", network=network
        ) as client:
            url = f"https://{HOST}:{server.port}/"
            for _ in range(2):
                assert await fetch_segment(client, url, max_bytes=len(MEDIA)) == MEDIA
        assert network.attempts == [(PUBLIC, server.port)]
        assert server.names == [HOST]
        assert server.protocols == ["h2"]


async def test_webhooks_are_posted_over_http_1_1(
    certificates: Path, guard: OutboundGuard, network: Loopback
) -> None:
    """What is wrong with HTTP/2 for them is said at `webhook_client`."""
    ca = certificates / "ca.pem"
    async with (
        tls_server(certificates) as server,
        webhook_client(guard, ca_bundle=ca, network=network) as client,
    ):
        with pytest.raises(FetchError):  # the server says nothing then
            await post_webhook(client, f"https://{HOST}:{server.port}/", body=b"{}", headers={})
    assert server.protocols == ["http/1.1"]


async def test_a_tunnel_through_a_proxy_ends_at_the_named_server(
    certificates: Path, guard: OutboundGuard, network: Loopback, names: Names
) -> None:
    asked: list[str] = []
    async with (
        tls_server(certificates) as server,
        tunnelling_proxy(asked) as proxy,
        media_client(
            guard, proxy=proxy, ca_bundle=certificates / "ca.pem", network=network
        ) as client,
    ):
        url = f"https://{HOST}:{server.port}/"
        assert await fetch_segment(client, url, max_bytes=len(MEDIA)) == MEDIA
        assert asked == [f"{HOST}:{server.port}"]
        assert server.names == [HOST]
    assert names.asked == []


async def test_an_incomplete_http2_answer_is_an_error(
    certificates: Path, guard: OutboundGuard, network: Loopback
) -> None:
    async with (
        tls_server(certificates, short_by=1) as server,
        media_client(guard, ca_bundle=certificates / "ca.pem", network=network) as client,
    ):
        with pytest.raises(FetchError) as caught:
            await fetch_segment(client, f"https://{HOST}:{server.port}/", max_bytes=len(MEDIA))
        assert caught.value.code == "truncated"


@pytest.mark.parametrize(
    ("host", "trusted", "reason"),
    [
        pytest.param(HOST, False, "unable to get local issuer certificate", id="unknown authority"),
        pytest.param("other.example", True, "Hostname mismatch", id="another host"),
    ],
)
async def test_a_refused_certificate_is_told_in_the_error(
    certificates: Path,
    guard: OutboundGuard,
    network: Loopback,
    host: str,
    trusted: bool,
    reason: str,
) -> None:
    ca_bundle = certificates / "ca.pem" if trusted else None
    async with (
        tls_server(certificates) as server,
        media_client(guard, ca_bundle=ca_bundle, network=network) as client,
    ):
        with pytest.raises(ConnectionFailed, match=reason):
            await fetch_segment(client, f"https://{host}:{server.port}/", max_bytes=10)


def test_an_unreadable_bundle_is_a_configuration_error(guard: OutboundGuard) -> None:
    with pytest.raises(OSError):
        media_client(guard, ca_bundle=Path("no-such-file.pem"))


@pytest.mark.parametrize("pings", [100, 20_000])
async def test_http2_may_ping_now_and_then(
    certificates: Path, guard: OutboundGuard, network: Loopback, pings: int
) -> None:
    async with (
        tls_server(certificates, pings=pings) as server,
        media_client(guard, ca_bundle=certificates / "ca.pem", network=network) as client,
    ):
        fetching = fetch_segment(client, f"https://{HOST}:{server.port}/", max_bytes=len(MEDIA))
        if pings == 100:
            assert await fetching == MEDIA
        else:
            with pytest.raises(ExcessiveOverhead):
                await fetching
