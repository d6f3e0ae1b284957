"""The Temporal server is killed while monitors are started: is an acknowledged one lost?"""

import asyncio
import uuid
from dataclasses import dataclass

import httpx
from temporalio.service import RPCError, RPCStatusCode

from tests.testkit.environment import ChaosEnvironment, ChaosHarness, NotAsExpected
from tests.testkit.findings import Finding
from tests.testkit.programmes import EAGER
from tests.testkit.waiting import ConditionTimeout, until

KILLS = 5
AT_ONCE = 8
TRIES = 300
FOUND_SEC = 60.0


@dataclass(frozen=True)
class StartResult:
    """What became of all starts.

    Attributes:
        refused: answers that told a client to try again.
        lost: acknowledged monitors without a workflow.
    """

    acknowledged: int
    refused: int
    lost: list[str]
    kills: int

    def finding(self) -> Finding:
        """Compare with the target."""
        measured = f"{self.kills} kills, {self.acknowledged} acknowledged, {len(self.lost)} lost"
        measured += f"; {self.refused} refused and tried again"
        target = "0 acknowledged starts lost"
        return Finding("Temporal killed during starts", measured, target, not self.lost)


async def start_through_crashes(
    env: ChaosEnvironment, harness: ChaosHarness, starts: int, kills: int = KILLS
) -> StartResult:
    """Start monitors while Temporal is killed again and again; the service needs no worker."""
    begun = _Starts(env, harness, starts)
    posting = [asyncio.create_task(begun.post_all()) for _ in range(AT_ONCE)]
    for number in range(kills):
        await begun.until_acknowledged((number + 1) * starts // (kills + 1))
        await harness.crash_temporal()
        env.say(f"Temporal killed after {len(begun.ids)} of {starts} starts")
    await asyncio.gather(*posting)
    lost = [each for each in begun.ids if not await _is_known(harness, each)]
    return StartResult(len(begun.ids), begun.refused, lost, kills)


class _Starts:
    def __init__(self, env: ChaosEnvironment, harness: ChaosHarness, wanted: int) -> None:
        self.ids: list[str] = []
        self.refused = 0
        self._numbers = iter(range(wanted))
        self._env = env
        self._harness = harness

    async def post_all(self) -> None:
        for number in self._numbers:
            self.ids.append(await self._post(number))

    async def until_acknowledged(self, count: int) -> None:
        async def reached() -> bool:
            return len(self.ids) >= count

        await until(reached, f"{count} acknowledged starts", within_sec=120)

    async def _post(self, number: int) -> str:
        """Start one as a careful client does: with the same key until it is acknowledged."""
        key = {"Idempotency-Key": str(uuid.uuid4())}
        body = {
            "stream_url": f"{self._env.origin.base_url}/live/start-{number}/index.m3u8",
            "callback_url": self._env.receiver.url("starts"),
            "config": EAGER,
        }
        for _ in range(TRIES):
            answer = await self._harness.rest.http.post("/monitors", json=body, headers=key)
            if answer.status_code == httpx.codes.CREATED:
                return str(answer.json()["monitor_id"])
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                raise NotAsExpected(f"{answer.status_code}: {answer.text}")
            self.refused += 1
            await asyncio.sleep(0.2)
        raise NotAsExpected(f"start {number} is not acknowledged")


async def _is_known(harness: ChaosHarness, monitor_id: str) -> bool:
    async def known() -> bool:
        try:
            await harness.client.get_workflow_handle(monitor_id).describe()
        except RPCError as error:
            if error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.UNAVAILABLE):
                return False
            raise
        return True

    try:
        return await until(known, f"the workflow of {monitor_id}", within_sec=FOUND_SEC)
    except ConditionTimeout:
        return False
