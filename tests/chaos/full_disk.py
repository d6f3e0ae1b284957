"""The disk of the embedded service is full for a while."""

import asyncio
from dataclasses import dataclass

import httpx

from tests.chaos import scripted
from tests.testkit.environment import ChaosEnvironment, timed
from tests.testkit.findings import Finding
from tests.testkit.rest import Rest
from tests.testkit.small_disk import SmallDisk
from tests.testkit.waiting import until

NAME = "full-disk"
BACK_SEC = 90.0
FULL_SEC = 40.0
"""What is longer than the live window is not analysed, and could not be told from a loss."""


@dataclass(frozen=True)
class FullDiskResult:
    """What was seen.

    Attributes:
        not_ready_sec: from the last free byte until `/readyz` said so.
        post: HTTP status for a monitor that was to be created meanwhile.
        ready_sec: from when there was room until all was ready.
        told_sec: from there until all that was over was told.
        missed: segments that left their playlist unseen.
        wrong: how the events differ from the script, if they do.
        unsent: events that the store does not call sent in the end.
        said: what the gateway's log says of the disk.
    """

    full_sec: float
    not_ready_sec: float
    post: int
    ready_sec: float
    told_sec: float
    missed: int
    wrong: str
    unsent: int
    said: str

    def finding(self) -> Finding:
        """Compare with what is expected."""
        measured = (
            f"not ready after {self.not_ready_sec:.1f} s, POST {self.post}, log {self.said!r}; "
        )
        measured += f"ready {self.ready_sec:.1f} s after there was room, all told "
        measured += f"{self.told_sec:.1f} s; {self.missed} segments missed, {self.unsent} events "
        measured += f"unsent, {self.wrong or 'nothing wrong'}"
        is_met = self.post == httpx.codes.SERVICE_UNAVAILABLE and bool(self.said)
        is_met = is_met and not (self.wrong or self.missed or self.unsent)
        target = "503 and a clear log, then nothing twice, nothing lost"
        return Finding(f"disk full for {self.full_sec:g} s", measured, target, is_met)


async def fill_the_disk(env: ChaosEnvironment, full_sec: float) -> FullDiskResult:
    """Fill the disk of an embedded service with an incident open, and make room again."""
    disk = SmallDisk(env.folder / NAME)
    await disk.start()
    try:
        env.receiver.keys.append(disk.embedded.keys["WEBHOOK_SIGNING_KEY"])
        async with disk.embedded.rest() as rest:
            return await _through(env, disk, rest, full_sec)
    finally:
        await disk.up.stop()
        disk.up.discard()


async def _through(
    env: ChaosEnvironment, disk: SmallDisk, rest: Rest, full_sec: float
) -> FullDiskResult:
    monitor_id = await scripted.put_on_air(env, rest, NAME)
    await scripted.until_an_incident_is_open(env, NAME)
    disk.fill()
    not_ready_sec, post, _ = await asyncio.gather(
        timed(_until_readyz(rest, httpx.codes.SERVICE_UNAVAILABLE)),
        _post(env, rest),
        asyncio.sleep(full_sec),
    )
    disk.make_room()
    ready_sec = await timed(_until_readyz(rest, httpx.codes.OK))
    told_sec = await scripted.until_all_told(env, NAME, within_sec=BACK_SEC)
    channel, events = env.origin[NAME], env.receiver.events(NAME)
    wrong = scripted.difference(channel, events)
    audit = await rest.until_audited(monitor_id, len(events), within_sec=BACK_SEC)
    await rest.stop(monitor_id)
    statistics = (await rest.show(monitor_id))["statistics"]
    said = [line for line in disk.up.said.splitlines() if "disk is full" in line]
    return FullDiskResult(
        full_sec=full_sec,
        not_ready_sec=not_ready_sec,
        post=post,
        ready_sec=ready_sec,
        told_sec=told_sec,
        missed=statistics["segments_missed"],
        wrong=wrong,
        unsent=sum(each["webhook_status"] != "sent" for each in audit),
        said="database or disk is full" if said else "",
    )


async def _post(env: ChaosEnvironment, rest: Rest) -> int:
    url = f"{env.origin.base_url}/live/not-on-air/index.m3u8"
    body = {"stream_url": url, "callback_url": env.receiver.url("nobody")}
    return (await rest.http.post("/monitors", json=body, timeout=BACK_SEC)).status_code


async def _until_readyz(rest: Rest, status: int) -> None:
    async def answers() -> bool:
        return (await rest.http.get(f"{rest.base_url}/readyz")).status_code == status

    await until(answers, f"{status} at /readyz", within_sec=BACK_SEC)
