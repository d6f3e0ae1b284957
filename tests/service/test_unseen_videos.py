"""What the service says of videos that it cannot see, or that nobody ever will."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata

from simulator.youtube import MediaEnd, RequestKind, SimulatedYouTube, SiteFault, Video, VideoState
from tests.testkit.harness import SIGNING_KEY
from tests.testkit.programmes import EAGER
from tests.testkit.receiver import Receiver
from tests.testkit.scenario_runner import ScenarioRunner
from tests.testkit.waiting import until
from tests.testkit.youtube_harness import YouTubeHarness, hasty_worker, youtube_harness

pytestmark = pytest.mark.timeout(240)

BOT_CHECK = "prove that it is no bot"
NEVER = {
    "privatevid1": (VideoState.PRIVATE, "video_private"),
    "membersvid1": (VideoState.MEMBERS_ONLY, "members_only"),
    "agegatedvi1": (VideoState.AGE_GATED, "age_restricted"),
    "geoblocked1": (VideoState.GEO_BLOCKED, "geo_blocked"),
    "removedvid1": (VideoState.REMOVED_BY_UPLOADER, "video_removed"),
    "terminated1": (VideoState.ACCOUNT_TERMINATED, "account_terminated"),
    "copyrighted": (VideoState.COPYRIGHT, "copyright"),
}
BLIND, WAITING, TAKEN, FLIPPED, OVER = (
    "blindvideo1",
    "waitingvid1",
    "takenvideo1",
    "flippedvid1",
    "overvideo01",
)


@dataclass(frozen=True)
class Blindness:
    """A monitor while its stream cannot be seen, and afterwards.

    Attributes:
        shown: what REST says meanwhile.
        details: what Temporal's web UI says meanwhile.
        failure: of the activity that waits; empty where none does.
        types: all its events.
    """

    shown: dict[str, Any]
    details: str
    failure: str
    afterwards: dict[str, Any]
    types: list[str]


@dataclass(frozen=True)
class Seen:
    """What was seen of all monitors; `ends` by video: final condition and events."""

    waiting: Blindness
    monitoring: Blindness
    ends: dict[str, tuple[dict[str, Any], list[tuple[str, dict[str, Any]]]]]
    flipped: list[str]


@dataclass(frozen=True)
class Scene:
    """Where it plays."""

    site: SimulatedYouTube
    harness: YouTubeHarness
    receiver: Receiver

    async def monitor(self, video_id: str) -> str:
        url = f"https://www.youtube.com/watch?v={video_id}"
        return await self.harness.rest.create(url, self.receiver.url(video_id), EAGER)

    def events(self, video_id: str) -> list[tuple[str, dict[str, Any]]]:
        return [(each.event_type, each.event["data"]) for each in self.receiver.events(video_id)]


async def SCENARIO(runner: ScenarioRunner) -> Seen:  # noqa: N802
    """Watch on an event loop of its own: the worker that it runs must not delay other streams."""
    return await asyncio.to_thread(asyncio.run, _play(runner.folder / "unseen"))


async def _play(folder: Path) -> Seen:
    receiver = Receiver(SIGNING_KEY)
    await receiver.start()
    try:
        async with (
            SimulatedYouTube() as site,
            youtube_harness(folder, site) as harness,
            hasty_worker(harness, site),
        ):
            return await _everything(Scene(site, harness, receiver))
    finally:
        await receiver.stop()


async def _everything(scene: Scene) -> Seen:
    ends = asyncio.gather(
        *(_never(scene, video_id, state) for video_id, (state, _) in NEVER.items()),
        _taken_away(scene),
        _over_already(scene),
    )
    flipped, of_ends = await asyncio.gather(_flips_back(scene), ends)
    waiting, monitoring = await asyncio.gather(_blind_while_waiting(scene), _blind(scene))
    return Seen(waiting, monitoring, dict(of_ends), flipped)


End = tuple[str, tuple[dict[str, Any], list[tuple[str, dict[str, Any]]]]]


async def _ended(scene: Scene, video_id: str, monitor_id: str, status: str) -> End:
    last = "monitor.error" if status == "error" else "stream.ended"
    await scene.receiver.until(video_id, last)
    final = await scene.harness.rest.until_status(monitor_id, status, within_sec=60)
    return video_id, (final, scene.events(video_id))


async def _never(scene: Scene, video_id: str, state: VideoState) -> End:
    scene.site.video(video_id).say(state)
    return await _ended(scene, video_id, await scene.monitor(video_id), "error")


async def _taken_away(scene: Scene) -> End:
    """Remove a video while it is watched."""
    video = scene.site.video(TAKEN)
    video.go_live()
    monitor_id = await scene.monitor(TAKEN)
    await _measured(scene, monitor_id)
    video.end(VideoState.REMOVED_FOR_VIOLATION, media=MediaEnd.GONE)
    return await _ended(scene, TAKEN, monitor_id, "error")


async def _over_already(scene: Scene) -> End:
    video = scene.site.video(OVER)
    video.go_live()
    video.end(VideoState.ENDED)
    return await _ended(scene, OVER, await scene.monitor(OVER), "completed")


async def _flips_back(scene: Scene) -> list[str]:
    """Be private for a look, then go live after all."""
    video = scene.site.video(FLIPPED)
    video.say(VideoState.PRIVATE)
    monitor_id = await scene.monitor(FLIPPED)
    await scene.site.requests.until(
        lambda log: log.extractions(video_id=FLIPPED) > 0, timeout_sec=30
    )
    video.go_live()
    await scene.receiver.until(FLIPPED, "stream.started")
    await scene.harness.rest.stop(monitor_id)
    return scene.receiver.types(FLIPPED)


async def _blind_while_waiting(scene: Scene) -> Blindness:
    video = scene.site.video(WAITING)
    video.upcoming(in_sec=900)
    monitor_id = await scene.monitor(WAITING)
    await until(lambda: _says(scene, monitor_id, "Waiting for 2"), "the announced start")
    video.say(VideoState.BOT_CHECK)
    shown = await _unknown(scene, monitor_id)
    details = await _details(scene, monitor_id)
    failure = await until(lambda: _failure(scene, monitor_id), "a failed look")
    video.go_live()
    await scene.receiver.until(WAITING, "stream.started")
    return await _afterwards(scene, WAITING, monitor_id, shown, details, failure)


async def _blind(scene: Scene) -> Blindness:
    """Be refused by the site in the middle of a stream that goes on."""
    video: Video = scene.site.video(BLIND)
    video.go_live()
    monitor_id = await scene.monitor(BLIND)
    await _measured(scene, monitor_id)
    refused = SiteFault(kinds=frozenset({RequestKind.PLAYLIST}), video_id=BLIND, status=403)
    scene.site.faults.add(refused)
    video.say(VideoState.BOT_CHECK)
    shown = await _unknown(scene, monitor_id)
    details = await _details(scene, monitor_id)
    scene.site.faults.remove(refused)
    video.say(VideoState.LIVE)
    return await _afterwards(scene, BLIND, monitor_id, shown, details, "")


async def _afterwards(
    scene: Scene, video_id: str, monitor_id: str, shown: dict[str, Any], details: str, failure: str
) -> Blindness:
    async def is_seen() -> dict[str, Any] | None:
        now = await scene.harness.rest.show(monitor_id)
        return now if now["health"]["video"] == "ok" else None

    afterwards = await until(is_seen, f"{video_id} is seen again", within_sec=60)
    await scene.harness.rest.stop(monitor_id)
    return Blindness(shown, details, failure, afterwards, scene.receiver.types(video_id))


async def _measured(scene: Scene, monitor_id: str) -> None:
    """Wait until segments were measured and the gateway knows."""

    async def counted() -> bool:
        shown = await scene.harness.rest.show(monitor_id)
        return bool(shown["statistics"]["total_segments_analyzed"])

    await until(counted, "measured segments", within_sec=40)


async def _unknown(scene: Scene, monitor_id: str) -> dict[str, Any]:
    async def told() -> dict[str, Any] | None:
        shown = await scene.harness.rest.show(monitor_id)
        return shown if shown["health"]["reason"] else None

    return await until(told, "a reason of unknown health", within_sec=30)


async def _says(scene: Scene, monitor_id: str, text: str) -> bool:
    return (await _details(scene, monitor_id)).startswith(text)


async def _details(scene: Scene, monitor_id: str) -> str:
    handle = scene.harness.client.get_workflow_handle(monitor_id)
    metadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return str(metadata.current_details)


async def _failure(scene: Scene, monitor_id: str) -> str:
    described = await scene.harness.client.get_workflow_handle(monitor_id).describe()
    pending = described.raw_description.pending_activities
    failures = [each.last_failure.message for each in pending]
    return next((text for text in failures if BOT_CHECK in text), "")


@pytest.mark.parametrize("when", ["waiting", "monitoring"])
def test_health_is_unknown_for_a_reason_while_nothing_can_be_seen(seen: Seen, when: str) -> None:
    blind: Blindness = getattr(seen, when)
    health = blind.shown["health"]
    assert (health["video"], health["audio"]) == ("unknown", "unknown")
    assert BOT_CHECK in health["reason"]
    assert BOT_CHECK in blind.details
    assert blind.shown["status"] == when


def test_the_reason_is_in_the_failure_of_the_look(seen: Seen) -> None:
    assert BOT_CHECK in seen.waiting.failure


@pytest.mark.parametrize("when", ["waiting", "monitoring"])
def test_what_cannot_be_seen_has_not_ended_and_is_watched_again(seen: Seen, when: str) -> None:
    blind: Blindness = getattr(seen, when)
    assert blind.types == ["stream.started"]
    assert blind.afterwards["health"]["reason"] is None


@pytest.mark.parametrize(
    ("video_id", "reason"), [(video_id, reason) for video_id, (_, reason) in NEVER.items()]
)
def test_a_video_that_nobody_will_see_is_an_error_with_its_reason(
    seen: Seen, video_id: str, reason: str
) -> None:
    final, events = seen.ends[video_id]
    assert [event_type for event_type, _ in events] == ["monitor.error"]
    assert events[0][1]["reason"] == final["error_reason"] == reason
    assert events[0][1]["message"]


def test_a_video_that_is_removed_while_it_is_watched_is_an_error(seen: Seen) -> None:
    final, events = seen.ends[TAKEN]
    assert [event_type for event_type, _ in events] == ["stream.started", "monitor.error"]
    assert events[1][1]["reason"] == final["error_reason"] == "video_removed"


def test_bad_news_heard_once_is_not_believed(seen: Seen) -> None:
    assert seen.flipped == ["stream.started"]


def test_a_stream_that_is_over_already_has_ended(seen: Seen) -> None:
    _, events = seen.ends[OVER]
    assert events == [("stream.ended", {"reason": "stream_no_longer_live"})]
