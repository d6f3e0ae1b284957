"""A day of a YouTube stream in twelve minutes: no segment lost or doubled, nothing false told.

A segment of 40 ms stands for one of 5 s: the stream runs 125 times as fast as the site's, while
playlists, signed URLs, resolvers and the watch are real and in real time. The URLs live 20 s, and
now and then a playlist or a segment is refused before that. Only the measuring is left out.
On a busy machine use longer segments (`--segment-sec`): a day then takes longer.
"""

import argparse
import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from media.decoding.ffmpeg_probe import FfmpegProbe
from media.outbound.client import media_client
from media.outbound.guard import OutboundGuard
from media.sources.youtube.media_cache import MediaCache
from media.sources.youtube.request_budget import Egress
from media.sources.youtube.resolver_options import YouTubeOptions
from media.sources.youtube.site import YouTubeSite
from media.sources.youtube.video_source import YouTubeSource
from media.watching import SegmentProber, SegmentSeen, StreamWatch, WatchState
from monitors.config import MonitorConfig
from monitors.events import EndReason
from monitors.measurement import SegmentMeasurement
from simulator.origin.encoding import TINY
from simulator.youtube import Layout, MediaEnd, RequestKind, SimulatedYouTube, SiteFault, Video

SEGMENT_SEC = 0.04
STANDS_FOR_SEC = 5.0
URL_LIFE_SEC = 20.0
LISTED = 500
"""Segments that a playlist lists: more than pass during a look at the site."""

REFUSALS_APART_SEC = 7.0
QUIET_SEC = 10.0
"""Nothing is refused so shortly before the end: who looks anew then finds that it is over."""

SCENES = (("normal", 4.0),)
VIDEOS = {"muxedvideo1": Layout.MUXED, "splitvideo1": Layout.SPLIT}


class NoProbe(FfmpegProbe):
    """Takes every segment for a good one."""

    async def measure(
        self, segment: bytes, *, duration_sec: float, silence_db: float, **_turn: object
    ) -> SegmentMeasurement:
        """Return a measurement without faults."""
        return SegmentMeasurement(duration_sec=duration_sec, size_bytes=len(segment))


@dataclass
class Followed:
    """What was seen of one stream.

    Attributes:
        sequences: media sequences by track, in the order in which they were judged.
        told: events, by type; there should be none.
        published: how many segments the site published.
        looks: at the video, for its media.
    """

    sequences: dict[str, list[int]] = field(default_factory=dict)
    failed: int = 0
    told: list[str] = field(default_factory=list)
    ended: EndReason | None = None
    published: int = 0
    looks: int = 0

    def note(self, seen: SegmentSeen) -> None:
        """Take note of a segment."""
        self.sequences.setdefault(seen.track, []).append(seen.segment.sequence)
        self.failed += seen.error is not None

    @property
    def lost(self) -> int:
        """How many segments between the first one seen and the last one published are missing."""
        return sum(self.published - seen[0] - len(set(seen)) for seen in self.sequences.values())

    @property
    def doubled(self) -> int:
        """How many segments were judged more than once."""
        return sum(len(seen) - len(set(seen)) for seen in self.sequences.values())


async def soak(wall_sec: float, *, segment_sec: float = SEGMENT_SEC) -> dict[str, Followed]:
    """Follow the videos for `wall_sec`, then let them end."""
    followed = {video_id: Followed() for video_id in VIDEOS}
    async with SimulatedYouTube() as site, _egress(site) as egress:
        videos = [_on_air(site, name, layout, segment_sec) for name, layout in VIDEOS.items()]
        refusing = asyncio.create_task(_refuse_now_and_then(site))
        async with asyncio.TaskGroup() as watching:
            for video in videos:
                watching.create_task(_follow(site, video, egress, followed[video.video_id]))
            await asyncio.sleep(max(0.0, wall_sec - QUIET_SEC))
            refusing.cancel()
            await asyncio.sleep(QUIET_SEC)
            for video in videos:
                video.end(media=MediaEnd.ENDLIST)
        for video in videos:
            seen = followed[video.video_id]
            seen.published = len(video.broadcast.segments)
            seen.looks = site.requests.extractions(video_id=video.video_id)
    return followed


@asynccontextmanager
async def _egress(site: SimulatedYouTube) -> AsyncIterator[YouTubeSite]:
    options = YouTubeOptions(proxy=site.proxy_url, ca_bundle=site.ca_path)
    egress = YouTubeSite(options, egress=Egress(interval_sec=0.5))
    try:
        yield egress
    finally:
        await egress.close()


def _on_air(site: SimulatedYouTube, video_id: str, layout: Layout, segment_sec: float) -> Video:
    video = site.video(video_id)
    video.layout, video.url_life_sec = layout, URL_LIFE_SEC
    video.window_sec = round(LISTED * segment_sec)
    rate = {"fps": round(1 / segment_sec), "segment_sec": segment_sec}
    video.go_live(SCENES, encoding=TINY.model_copy(update=rate))
    return video


async def _follow(
    site: SimulatedYouTube, video: Video, egress: YouTubeSite, seen: Followed
) -> None:
    guard = OutboundGuard(allow_private_networks=True)
    probe = NoProbe("none", parallel=1)
    async with media_client(guard, proxy=site.proxy_url, ca_bundle=site.ca_path) as client:
        stream = YouTubeSource(video.video_id, egress, client, MediaCache())
        prober = SegmentProber(client, probe, segment_max_bytes=1024 * 1024)
        state = WatchState()
        while seen.ended is None:
            watch = StreamWatch(
                stream, state, config=MonitorConfig(), prober=prober, on_segment=seen.note
            )
            seen.ended = await watch.run()
            seen.told += [happening.event_type.value for happening in state.pending_events]
            state.pending_events.clear()
            # As from worker to worker.
            state = WatchState.model_validate_json(state.model_dump_json())


async def _refuse_now_and_then(site: SimulatedYouTube) -> None:
    """Refuse a playlist or a segment of one of the videos, in turns, for one request."""
    kinds = (RequestKind.PLAYLIST, RequestKind.SEGMENT)
    for kind, video_id in itertools.cycle(itertools.product(kinds, VIDEOS)):
        await asyncio.sleep(REFUSALS_APART_SEC)
        site.faults.add(SiteFault(kinds=frozenset({kind}), video_id=video_id, status=403, times=1))


def main() -> int:
    """Print what was seen as JSON; return 0 when nothing was lost, doubled or told."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=24, help="simulated hours (24)")
    parser.add_argument(
        "--segment-sec", type=float, default=SEGMENT_SEC, help=f"of a segment ({SEGMENT_SEC})"
    )
    given = parser.parse_args()
    wall_sec = given.hours * 3600 / STANDS_FOR_SEC * given.segment_sec
    followed = asyncio.run(soak(wall_sec, segment_sec=given.segment_sec))
    for video_id, seen in followed.items():
        print(json.dumps({"video": video_id, "wall_sec": wall_sec, **_figures(seen)}))
    return int(any(seen.lost or seen.doubled or seen.told for seen in followed.values()))


def _figures(seen: Followed) -> dict[str, object]:
    return {
        "published": seen.published,
        "measured": {track: len(each) for track, each in seen.sequences.items()},
        "lost": seen.lost,
        "doubled": seen.doubled,
        "failed": seen.failed,
        "events": seen.told,
        "looks": seen.looks,
        "ended": seen.ended,
    }


if __name__ == "__main__":
    raise SystemExit(main())
