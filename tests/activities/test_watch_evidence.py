"""What a watch does for evidence: it shows its stream, and has incidents collected."""

import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import av
from PIL import Image
from temporalio.testing import ActivityEnvironment

from activities.declarations import WatchInput, WatchOutcome, WatchResult
from media.watching import WatchState
from monitors.config import MonitorConfig
from monitors.evidence import EvidenceHeader, EvidenceLevel
from simulator.origin import TINY, AtEnd, ChannelOptions, LiveOrigin, Programme, render
from tests.activities.scripted_http import Request, scripted
from tests.activities.watching import worker

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


async def test_of_an_incident_that_a_lost_worker_opened_nothing_is_there() -> None:
    first = await watched(("normal", 1.0), ("black", 30.0))
    state = WatchState.model_validate(first.result.state)
    state.pending_events = first.result.event_drafts
    state.clock_at = datetime.now(UTC)
    again = await watched(("black", 30.0), state=state.model_dump(mode="json"))
    assert again.files() == {}
    assert again.failures() == dict.fromkeys(("last_good", "first_faulty", "clip"), "lost")


async def test_without_evidence_nothing_leaves_the_worker() -> None:
    seen = await watched(("normal", 1.0), ("black", 30.0), evidence=EvidenceLevel.NONE)
    assert (seen.pictures, seen.files(), seen.failures()) == ([], {}, {})
