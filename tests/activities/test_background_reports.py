"""A worker that stops does not wait for a gateway that hangs."""

import asyncio

from pydantic import SecretStr

from activities.gateway_client import GatewayClient
from activities.gateway_reports import MAX_AT_ONCE, BackgroundReports
from tests.activities.scripted_http import Answer, scripted
from tests.testkit.waiting import until_true


async def test_reports_to_a_gateway_that_hangs_are_given_up_at_the_end() -> None:
    async with scripted(Answer(hangs=True)) as gateway:
        client = GatewayClient(gateway.url, SecretStr("internal-key"))
        reports = BackgroundReports(close_sec=0.01)
        for number in range(MAX_AT_ONCE + 1):
            reports.start(_asked(client, str(number)))
        await until_true(lambda: gateway.hanging == MAX_AT_ONCE, "all but one are asked")
        async with asyncio.timeout(4):  # the client gives an answer 5 s
            await reports.close()
        await client.close()


async def _asked(client: GatewayClient, monitor_id: str) -> None:
    await client.callback_url(monitor_id)
