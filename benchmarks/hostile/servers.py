"""Hostile origins and receivers, in a process of their own.

`python -m benchmarks.hostile.servers` prints their ports as a line of JSON, and serves until it is
killed. What they compute delays neither the healthy streams nor their receiver.
"""

import asyncio
import json
from collections.abc import Iterable
from contextlib import AsyncExitStack

from tests.testkit.hostile_origins import ATTACKS
from tests.testkit.hostile_receivers import RECEIVERS
from tests.testkit.stand_ins import Answer, scripted_server


async def _serve() -> None:
    async with AsyncExitStack() as stack:

        async def ports(answers: Iterable[Answer]) -> list[int]:
            opened = [await stack.enter_async_context(scripted_server(each)) for each in answers]
            return [server.port for server in opened]

        origins, receivers = await ports(ATTACKS.values()), await ports(RECEIVERS.values())
        print(json.dumps({"origins": origins, "receivers": receivers}), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve())
