"""A YouTube broadcast from its announcement to its end, through the whole service."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psutil
import pytest
from temporalio.client import Client

from simulator.youtube import RequestKind, SimulatedYouTube, SiteFault, Video
from tests.testkit.children import Child, alive
from tests.testkit.programmes import EAGER
from tests.testkit.receiver import Received
from tests.testkit.scenario_runner import ScenarioRunner
from tests.testkit.waiting import plain_client, until, until_true
from tests.testkit.youtube_harness import COOKIE, YouTubeHarness, youtube_harness

pytestmark = pytest.mark.timeout(300)

MAIN, STEADY = "mainvideo01", "steadyvid01"
TITLE = "News at noon"
NORMAL = [("normal", 12.0)]
BLACK = [("black", 12.0)]
PLAYLIST_REFUSED = SiteFault(
    kinds=frozenset({RequestKind.PLAYLIST}), video_id=MAIN, status=403, times=1
)
SECRETS = ("googlevideo", "expire=", "expire%3D", "/expire/", COOKIE)
EXPECTED = [
    "stream.started",
    "alert.blackout",
    "alert.blackout_recovered",
    "stream.suspended",
    "stream.resumed",
    "stream.suspended",
    "stream.ended",
]
REFUSED = {
    "https://www.youtube.com/shorts/mainvideo01": "no single video",
    "https://www.youtube.com/@channel/live": "no single video",
    "https://www.youtube.com/channel/UCmainvideo01mainvideo01/live": "no single video",
    "https://www.youtube.com/playlist?list=PLmainvideo01": "no single video",
    "https://www.youtube.com/embed/mainvideo01": "no single video",
    "https://www.youtube.com/watch?v=tooshort": "no YouTube video id",
    "https://youtu.be/mainvideo01garbage": "no YouTube video id",
}


@dataclass(frozen=True)
class Story:
    """What was seen.

    Attributes:
        doings: what the monitor said it does, before it was live.
        refusals: answers to URLs that are no video.
        again: answer to a second monitor of the same video.
        published: segments on air, by broadcast.
        steady_looks: looks at a video while it played undisturbed.
        left: processes that a killed worker left behind.
    """

    doings: list[str]
    refusals: dict[str, tuple[int, dict[str, Any]]]
    again: tuple[int, dict[str, Any]]
    received: list[Received]
    final: dict[str, Any]
    published: dict[int, int]
    steady_looks: int
    steady_segments: int
    metrics: str
    said: dict[str, str]
    left: list[psutil.Process]


async def SCENARIO(runner: ScenarioRunner) -> Story:  # noqa: N802
    """Announce, reschedule, broadcast, black out, refuse, stall, broadcast anew, end."""
    async with (
        SimulatedYouTube() as site,
        youtube_harness(runner.folder / "youtube", site, "all") as harness,
    ):
        return await _update_status(runner, site, harness)


async def _update_status(
    runner: ScenarioRunner, site: SimulatedYouTube, harness: YouTubeHarness
) -> Story:
    video, steady = site.video(MAIN, title=TITLE), site.video(STEADY)
    video.upcoming(in_sec=600)
    video.url_life_sec = 20
    steady.go_live(NORMAL)
    due = {**EAGER, "scheduled_start_time": datetime.now(UTC).isoformat()}
    url = f"https://m.youtube.com/watch?app=m&v={MAIN}&t=3"
    monitor_id = await harness.rest.create(url, runner.receiver.url(MAIN), due)
    again = await _ask(harness, f"https://youtu.be/{MAIN}?si=abc")
    refusals = {refused: await _ask(harness, refused) for refused in REFUSED}
    music = f"https://music.youtube.com/watch?v={STEADY}&list=PL1"
    steady_id = await harness.rest.create(music, runner.receiver.url(STEADY), EAGER)
    doings = [await _doing(harness, monitor_id)]
    video.upcoming(in_sec=1200)
    doings.append(await _doing(harness, monitor_id, but=doings[0]))
    await _broadcast(runner, site, video)
    await harness.rest.until_status(monitor_id, "completed")
    metrics, final = await _metrics(harness.workers[0]), await harness.rest.show(monitor_id)
    steady_segments = (await harness.rest.show(steady_id))["statistics"]["total_segments_analyzed"]
    said = await _everything_said(runner, harness, monitor_id, steady_id)
    left = await _kill(harness.workers[0])
    return Story(
        doings=doings,
        refusals=refusals,
        again=again,
        received=runner.receiver.events(MAIN),
        final=final,
        published={number: len(each.segments) for number, each in video.broadcasts.items()},
        steady_looks=site.requests.extractions(video_id=STEADY),
        steady_segments=steady_segments,
        metrics=metrics,
        said=said,
        left=left,
    )


async def _broadcast(runner: ScenarioRunner, site: SimulatedYouTube, video: Video) -> None:
    receiver = runner.receiver
    video.go_live(NORMAL)
    await receiver.until(MAIN, "stream.started")
    await site.requests.until(
        lambda log: len(log.of(RequestKind.SEGMENT, video_id=MAIN)) > 5, timeout_sec=30
    )
    video.show(BLACK)
    site.faults.add(PLAYLIST_REFUSED)
    await receiver.until(MAIN, "alert.blackout")
    video.show(NORMAL)
    await receiver.until(MAIN, "alert.blackout_recovered")
    video.stall()
    await receiver.until(MAIN, "stream.suspended")
    video.new_broadcast(NORMAL)
    await receiver.until(MAIN, "stream.resumed")
    await site.requests.until(
        lambda log: any(
            each.sequence == 8 for each in log.of(RequestKind.SEGMENT, video_id=MAIN)[-3:]
        ),
        timeout_sec=30,
    )
    video.end()
    await receiver.until(MAIN, "stream.ended", within_sec=90)


async def _ask(harness: YouTubeHarness, url: str) -> tuple[int, dict[str, Any]]:
    body = {"stream_url": url, "callback_url": "http://127.0.0.1:1/none"}
    answer = await harness.rest.http.post("/monitors", json=body)
    return answer.status_code, answer.json()


async def _doing(harness: YouTubeHarness, monitor_id: str, *, but: str = "") -> str:
    async def said() -> str | None:
        doing = str((await harness.rest.show(monitor_id))["doing"])
        return doing if doing.startswith("Waiting for 2") and doing != but else None

    return await until(said, "the start that the site tells")


async def _metrics(worker: Child) -> str:
    ports = [
        each.laddr.port for each in psutil.Process(worker.pid).net_connections() if not each.raddr
    ]
    async with plain_client() as http:
        answers = [await http.get(f"http://127.0.0.1:{port}/metrics") for port in ports]
    return "".join(answer.text for answer in answers)


async def _everything_said(
    runner: ScenarioRunner, harness: YouTubeHarness, *monitor_ids: str
) -> dict[str, str]:
    """Return all that anybody was told, by place."""
    shown: list[Any] = [await harness.rest.show(each) for each in monitor_ids]
    shown += [await harness.rest.events(each) for each in monitor_ids]
    received = [each.body for name in (MAIN, STEADY) for each in runner.receiver.requests(name)]
    histories = [await _history(harness.client, each) for each in monitor_ids]
    return {
        "logs": harness.logs(),
        "REST": json.dumps(shown),
        "webhooks": b"".join(received).decode(),
        "Temporal": "".join(histories),
    }


async def _history(client: Client, workflow_id: str) -> str:
    """Return the history and what runs now, payloads as they are."""
    handle = client.get_workflow_handle(workflow_id)
    history = await handle.fetch_history()
    described = (await handle.describe()).raw_description
    raw = [event.SerializeToString() for event in history.events]
    return b"".join([*raw, described.SerializeToString()]).decode("latin-1")


async def _kill(worker: Child) -> list[psutil.Process]:
    """Kill a worker as a crash would; return what is left of its children."""
    family = worker.descendants()
    assert family, "the worker has no warm resolver process"
    await worker.kill()
    try:
        await until_true(
            lambda: not alive(family), "the end of all resolver processes", within_sec=10
        )
    except AssertionError:
        return alive(family)
    return []


def test_a_broadcast_is_told_as_it_was(seen: Story) -> None:
    assert [each.event_type for each in seen.received] == EXPECTED
    assert seen.received[0].event["data"] == {"title": TITLE}
    assert seen.received[-1].event["data"] == {"reason": "stream_no_longer_live"}


def test_every_segment_of_both_broadcasts_is_measured_once(seen: Story) -> None:
    statistics = seen.final["statistics"]
    assert statistics["total_segments_analyzed"] == sum(seen.published.values())
    assert statistics["segments_missed"] == statistics["segments_failed"] == 0
    assert sorted(seen.published) == [1, 2]


def test_a_start_and_its_change_are_told_while_waiting(seen: Story) -> None:
    starts = [datetime.fromisoformat(doing.removeprefix("Waiting for ")) for doing in seen.doings]
    assert 500 < (starts[1] - starts[0]).total_seconds() < 700


def test_a_stream_that_plays_is_left_alone(seen: Story) -> None:
    """One status check while waiting, one look for the media, then none."""
    assert seen.steady_segments > 40
    assert seen.steady_looks == 2


def test_a_second_monitor_of_a_video_is_refused(seen: Story) -> None:
    status, answer = seen.again
    assert (status, answer["error"]["code"]) == (409, "DUPLICATE_MONITOR")


@pytest.mark.parametrize(("url", "reason"), REFUSED.items())
def test_what_is_no_single_video_is_refused_with_the_reason(
    seen: Story, url: str, reason: str
) -> None:
    status, answer = seen.refusals[url]
    assert (status, answer["error"]["code"]) == (400, "INVALID_URL")
    assert reason in answer["error"]["message"]


@pytest.mark.parametrize("place", ["logs", "REST", "webhooks", "Temporal"])
@pytest.mark.parametrize("secret", SECRETS)
def test_no_signed_url_and_no_cookie_is_told_anywhere(seen: Story, place: str, secret: str) -> None:
    said = seen.said[place]
    assert said
    found = said.find(secret)
    assert found < 0, said[max(0, found - 200) : found + 100]


def test_operators_see_what_was_asked_of_the_site(seen: Story) -> None:
    assert 'stream_tracker_youtube_looks_total{outcome="live"}' in seen.metrics
    assert 'stream_tracker_youtube_looks_total{outcome="upcoming"}' in seen.metrics
    assert 'stream_tracker_youtube_paused_seconds{reason="none"} 0.0' in seen.metrics


def test_a_killed_worker_leaves_no_resolver_process(seen: Story) -> None:
    assert seen.left == []
