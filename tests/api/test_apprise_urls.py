"""URLs of Apprise, when a destination is made: the gateway has Apprise read them."""

from collections.abc import AsyncIterator
from contextlib import aclosing

import httpx
import pytest
import pytest_asyncio

from api.app import GatewayServices
from api.store import open_store
from tests.testkit.gateway import KEY, FakeEngine, gateway_settings, refuse_forbidden
from worker.gateway_process import apprise_check, apprise_sender, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    settings = gateway_settings()
    database = tmp_path_factory.mktemp("gateway") / "gateway.db"
    apprise = apprise_sender(settings)
    async with open_store(f"sqlite:///{database}") as store, aclosing(apprise):
        gateway = GatewayServices(
            settings,
            engine=FakeEngine(),
            store=store,
            address_check=refuse_forbidden,
            apprise_check=apprise_check(apprise),
        )
        base = f"http://127.0.0.1:{settings.port}"
        async with (
            serving(gateway, settings),
            httpx.AsyncClient(
                base_url=base, headers={"X-API-Key": KEY}, timeout=60, trust_env=False
            ) as opened,
        ):
            yield opened


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("pigeon://secret", "url: is no pigeon:// URL that Apprise understands"),
        ("slack://secret", "url: is no slack:// URL that Apprise understands"),
        ("json://10.0.0.1/secret", "url: must not lead to a private or special address"),
        ("ntfy://metadata.internal/secret", "url: must not lead to a private or special address"),
    ],
)
async def test_a_bad_url_is_refused(client: httpx.AsyncClient, url: str, says: str) -> None:
    body = {"name": "Chat", "type": "apprise", "url": url}
    answer = await client.post("/api/v1/destinations", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"] == {"code": "INVALID_URL", "message": says}


async def test_a_good_url_is_kept_and_masked(client: httpx.AsyncClient) -> None:
    url = "tgram://123456789:abcdefg_hijklmnop/12315544/"
    body = {"name": "Chat", "type": "apprise", "url": url}
    answer = await client.post("/api/v1/destinations", json=body)
    assert answer.status_code == 201
    assert answer.json()["url"] == "tgram://***"
    assert "abcdefg" not in answer.text
