"""The live stream of the demo: the script, put on air by the simulator."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cli.demo.checklist import Row
from cli.demo.script import (
    BACKLOG_SEGMENTS,
    SCENES,
    STALL,
    TARGET_DURATION_SEC,
    Moment,
    scene_starts,
)
from runtime.errors import StartError
from simulator.origin import (
    AtEnd,
    Change,
    ChangeKind,
    Channel,
    ChannelOptions,
    Encoding,
    LiveOrigin,
    Programme,
    RenderedProgramme,
    RenderError,
    render,
)

CHANNEL = "demo"


@dataclass(frozen=True)
class SceneOnAir:
    caption: str
    started_at: datetime


class Broadcast:
    """The programme on air; it starts when this is made."""

    def __init__(self, origin: LiveOrigin, rendered: RenderedProgramme) -> None:
        stall = Change(kind=ChangeKind.STALL, at_sec=STALL.at_sec, for_sec=STALL.for_sec)
        options = ChannelOptions(at_end=AtEnd.END, backlog_segments=BACKLOG_SEGMENTS)
        self._channel: Channel = origin.add(CHANNEL, rendered, options=options, changes=[stall])
        self.url = self._channel.master_url

    @property
    def segments(self) -> int:
        return len(self._channel.published)

    def scenes(self) -> list[SceneOnAir]:
        """Return the scenes that have begun, oldest first, the stall among them."""
        position = self._channel.position_sec
        shown = [
            SceneOnAir(scene.caption, self._channel.captured_at(start))
            for scene, start in zip(SCENES, scene_starts(SCENES), strict=False)
            if start < position
        ]
        if position >= STALL.at_sec:
            stalled_at = self._published_at(Moment(STALL.at_sec - TARGET_DURATION_SEC))
            caption = f"nothing: the encoder stalls for {STALL.for_sec:g} s"
            shown += [SceneOnAir(caption, stalled_at)] if stalled_at else []
        resumed_at = self._published_at(Moment(STALL.at_sec))
        shown += [SceneOnAir("the encoder is back", resumed_at)] if resumed_at else []
        return shown

    def set_moments(self, row: Row) -> None:
        """Enter into a row the wall clock of its moments, as far as they have come."""
        expected = row.expected
        if row.known_at is None and expected.known:
            row.known_at = self._published_at(expected.known)
        if row.known_at and expected.started_sec is not None:
            row.started_at = self._channel.captured_at(expected.started_sec)
        if row.known_at and expected.recovered_sec is not None:
            row.recovered_at = self._channel.captured_at(expected.recovered_sec)

    def _published_at(self, moment: Moment) -> datetime | None:
        try:
            published_at = self._channel.available_at(moment.stream_sec)
        except KeyError:
            return None
        return published_at + timedelta(seconds=moment.later_sec)


async def render_programme(cache_dir: Path) -> RenderedProgramme:
    """Return the programme's media: a second or two of ffmpeg, and StartError where it fails."""
    programme = Programme.of(
        [(scene.kind, scene.duration_sec) for scene in SCENES],
        Encoding(segment_sec=TARGET_DURATION_SEC),
    )
    rendering = asyncio.create_task(asyncio.to_thread(render, programme, cache_dir))
    try:
        return await asyncio.shield(rendering)
    except RenderError as error:
        raise StartError(f"the programme cannot be rendered: {error}") from None
    except asyncio.CancelledError:
        # A thread cannot be stopped, and it still writes into a folder that is to be removed.
        await asyncio.gather(rendering, return_exceptions=True)
        raise
