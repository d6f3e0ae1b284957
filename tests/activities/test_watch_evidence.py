"""What a watch does for evidence: it shows its stream, and has incidents collected."""

import io
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import av
from PIL import Image
from temporalio.testing import ActivityEnvironment

from activities.declarations import WatchInput, WatchOutcome, WatchResult
from media.watching import WatchState
from monitors.config import MonitorConfig
from monitors.events import EventType
from monitors.evidence import EvidenceHeader, EvidenceLevel
from simulator.origin import TINY, AtEnd, ChannelOptions, LiveOrigin, Programme, render
from tests.activities.scripted_http import Answer, Request, ScriptedServer, scripted
from tests.activities.watching import Worker, worker
from tests.testkit.waiting import until_true

MONITOR = "mon-1"
CONFIG = MonitorConfig(blackout_threshold_sec=2, silence_threshold_sec=0, suspend_threshold_sec=2)


class Watched:
    """A watch that returned, and what the gateway was given for it."""

    def __init__(self, result: WatchResult, requests: Sequence[Request]) -> None:
        self.result = result
        put = [each for each in requests if each.method == "PUT"]
        self.pictures = [each.body for each in put if each.path.endswith("/picture")]
        self._files = [each for each in put if "/evidence/" in each.path]

    def files(self) -> dict[str, bytes]:
        """Return files by moment or kind."""
        return {_name(each): each.body for each in self._files if not each.path.endswith("failure")}

    def failures(self) -> dict[str, str]:
        """Return reasons by moment or kind."""
        failed = [each for each in self._files if each.path.endswith("failure")]
        return {_name(each): json.loads(each.body)["reason"] for each in failed}


def _name(request: Request) -> str:
    moment, kind = (
        request.headers.get(name.lower()) for name in (EvidenceHeader.MOMENT, EvidenceHeader.KIND)
    )
    return moment or kind or ""


async def watched(
    *scenes: tuple[str, float],
    at_end: AtEnd = AtEnd.END,
    state: dict[str, Any] | None = None,
    evidence: EvidenceLevel = EvidenceLevel.CLIP,
) -> Watched:
    """Watch until something happens, and give the worker the time to collect evidence of it."""
    async with LiveOrigin() as origin, scripted() as gateway:
        options = ChannelOptions(at_end=at_end, backlog_segments=4, window_segments=10)
        url = origin.add("live", render(Programme.of(scenes, TINY)), options=options).url
        config = CONFIG.model_copy(update={"evidence": evidence})
        order = WatchInput(
            monitor_id=MONITOR, stream_url=url, config=config, state=state, checkpoint_sec=60
        )
        async with worker(gateway_url=gateway.url, with_evidence=True) as parts:
            result = await ActivityEnvironment().run(parts.watching.watch_stream, order)
        assert result.outcome is WatchOutcome.EVENTS_READY
        return Watched(result, gateway.requests)


def brightness(jpeg: bytes) -> float:
    with Image.open(io.BytesIO(jpeg)) as image:
        levels = image.convert("L").tobytes()
    return sum(levels) / len(levels)


async def test_an_incident_of_media_has_both_pictures_and_a_clip() -> None:
    seen = await watched(("normal", 3.0), ("black", 30.0))
    files = seen.files()
    assert files.keys() == {"last_good", "first_faulty", "clip"}
    assert brightness(files["last_good"]) > 30 > brightness(files["first_faulty"])
    with av.open(io.BytesIO(files["clip"]), "r") as clip:
        (frames,) = [it.frames for it in clip.streams.video]
        rate = clip.streams.video[0].average_rate
    assert rate is not None
    assert frames / rate >= 5.0  # three seconds of programme and two of black
    assert brightness(seen.pictures[0]) > 30


async def test_a_stream_that_stands_still_shows_its_last_good_picture() -> None:
    seen = await watched(("normal", 3.0), at_end=AtEnd.STALL)
    assert seen.files().keys() == {"last_good", "clip"}
    assert seen.failures() == {"first_faulty": "no_picture"}
    assert brightness(seen.files()["last_good"]) > 30


def pictures_of(result: WatchResult, gateway: ScriptedServer) -> dict[str, bytes]:
    files = Watched(result, gateway.requests).files()
    return {moment: file for moment, file in files.items() if moment != "clip"}


def asked_for(gateway: ScriptedServer) -> list[str]:
    asked = [each.path for each in gateway.requests if each.method == "GET"]
    return [each for each in asked if "/evidence/" in each]


@asynccontextmanager
async def on_air(*scenes: tuple[str, float]) -> AsyncIterator[str]:
    """Yield the URL of a stream whose playlist names the segments of thirty seconds."""
    async with LiveOrigin() as origin:
        options = ChannelOptions(backlog_segments=4, window_segments=30)
        yield origin.add("live", render(Programme.of(scenes, TINY)), options=options).url


async def lost_worker(url: str, **config: float) -> WatchResult:
    """Watch until something happens, for six seconds at most, on a worker that is lost then."""
    order = WatchInput(
        monitor_id=MONITOR,
        stream_url=url,
        config=CONFIG.model_copy(update=config),
        checkpoint_sec=6,
    )
    async with worker() as parts:
        return await ActivityEnvironment().run(parts.watching.watch_stream, order)


async def going_on(
    parts: Worker, url: str, state: dict[str, Any], checkpoint_sec: float = 1.0, **config: float
) -> WatchResult:
    order = WatchInput(
        monitor_id=MONITOR,
        stream_url=url,
        config=CONFIG.model_copy(update={"evidence": EvidenceLevel.CLIP, **config}),
        state=state,
        checkpoint_sec=checkpoint_sec,
    )
    return await ActivityEnvironment().run(parts.watching.watch_stream, order)


async def both_pictures(result: WatchResult, gateway: ScriptedServer) -> bool:
    """Wait for both pictures, and return whether one is of the programme and one is black."""
    await until_true(lambda: len(pictures_of(result, gateway)) == 2, "two pictures", within_sec=20)
    files = pictures_of(result, gateway)
    return brightness(files["last_good"]) > 30 > brightness(files["first_faulty"])


async def test_of_an_incident_that_a_lost_worker_told_the_next_one_makes_the_pictures() -> None:
    async with on_air(("normal", 3.0), ("black", 30.0)) as url, scripted() as gateway:
        told = await lost_worker(url)
        async with worker(gateway_url=gateway.url, with_evidence=True) as parts:
            result = await going_on(parts, url, told.state)
            assert await both_pictures(result, gateway)
    assert told.event_drafts
    assert result.event_drafts == []
    assert Watched(result, gateway.requests).failures() == {}


async def test_a_lost_worker_that_did_not_tell_its_incident_any_more_costs_only_the_clip() -> None:
    async with on_air(("normal", 3.0), ("black", 30.0)) as url, scripted() as gateway:
        first = await lost_worker(url)
        heartbeat = WatchState.model_validate(first.state)
        heartbeat.pending_events = first.event_drafts
        async with worker(gateway_url=gateway.url, with_evidence=True) as parts:
            told = await going_on(parts, url, heartbeat.model_dump(mode="json"))
            result = await going_on(parts, url, told.state)
            assert await both_pictures(result, gateway)
    assert told.event_drafts == first.event_drafts
    assert Watched(result, gateway.requests).failures() == {"clip": "lost"}


async def test_a_worker_that_takes_over_a_fault_has_the_pictures_of_its_beginning() -> None:
    async with on_air(("normal", 3.0), ("black", 30.0)) as url, scripted() as gateway:
        first = await lost_worker(url, blackout_threshold_sec=20.0)
        async with worker(gateway_url=gateway.url, with_evidence=True) as parts:
            result = await going_on(parts, url, first.state, checkpoint_sec=60)
            assert await both_pictures(result, gateway)
    assert first.event_drafts == []
    assert [each.event_type for each in result.event_drafts] == [EventType.BLACKOUT]


async def test_a_fault_is_pictured_half_way_so_that_its_alert_only_asks_for_the_pictures() -> None:
    has_all = Answer(status=204)
    async with on_air(("normal", 3.0), ("black", 30.0)) as url, scripted(has_all) as gateway:
        first = await lost_worker(url, blackout_threshold_sec=20.0)
        async with worker(gateway_url=gateway.url, with_evidence=True) as parts:
            result = await going_on(parts, url, first.state, 60, blackout_threshold_sec=12.0)
            assert await both_pictures(result, gateway)
            await until_true(lambda: len(asked_for(gateway)) == 2, "two questions")
    assert [each.event_type for each in result.event_drafts] == [EventType.BLACKOUT]
    put = [each for each in gateway.requests if each.method == "PUT" and "evd-" in each.path]
    assert [_name(each) for each in put].count("first_faulty") == 1


async def test_pictures_that_the_gateway_has_are_not_made_again() -> None:
    answers = Answer(status=204)
    async with on_air(("normal", 3.0), ("black", 30.0)) as url, scripted(answers) as gateway:
        told = await lost_worker(url)
        async with worker(gateway_url=gateway.url, with_evidence=True) as parts:
            result = await going_on(parts, url, told.state, checkpoint_sec=8)
    assert len(asked_for(gateway)) == 2
    assert pictures_of(result, gateway) == {}


async def test_without_evidence_nothing_leaves_the_worker() -> None:
    seen = await watched(("normal", 1.0), ("black", 30.0), evidence=EvidenceLevel.NONE)
    assert (seen.pictures, seen.files(), seen.failures()) == ([], {}, {})
