"""The slates of a gateway that is away."""

from pydantic import SecretStr
from structlog.testing import capture_logs

from activities.gateway_client import GatewayClient
from activities.slates import SlateBook
from tests.activities.scripted_http import Answer, scripted
from tests.testkit.waiting import until_true


async def test_a_gateway_that_stays_away_is_told_of_once() -> None:
    with capture_logs() as logs:
        async with scripted(Answer(status=503)) as gateway:
            client = GatewayClient(gateway.url, SecretStr("internal-key"))
            async with SlateBook(client, again_sec=0.01).kept_fresh():
                await until_true(lambda: len(gateway.requests) > 3, "it is asked again")
            await client.close()
    assert [each["event"] for each in logs] == ["no slates"]
