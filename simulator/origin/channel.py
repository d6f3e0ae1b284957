"""One live channel: its renditions on one schedule, its faults, and what is asked of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from simulator.origin.clock import Clock, as_datetime
from simulator.origin.faults import Fault, FaultKind, FaultSet, Resource, disappear
from simulator.origin.files import AUDIO_LABEL, ChannelFiles
from simulator.origin.publication import AtEnd, Change, ChannelOptions, Published
from simulator.origin.render import RenderedProgramme
from simulator.origin.rendition import Rendition
from simulator.origin.reply import Reply
from simulator.origin.scenes import Scene
from simulator.origin.timeline import Timeline


@dataclass(frozen=True)
class SceneOnAir:
    """A scene that was or is on air; `start_sec` and `end_sec` in stream time over loops."""

    scene: Scene
    start_sec: float
    end_sec: float
    # when its first moment was captured and its last one was or will be
    started_at: datetime
    ended_at: datetime


class Channel:
    """A live channel of a `LiveOrigin`; made by `LiveOrigin.add`.

    Everything that is switched here takes effect at once, or with the next segment.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        clock: Clock,
        variants: Sequence[RenderedProgramme],
        *,
        audio: RenderedProgramme | None = None,
        options: ChannelOptions | None = None,
        changes: Sequence[Change] = (),
    ) -> None:
        self.name = name
        self.options = options or ChannelOptions()
        self.faults = FaultSet()
        self.programme = variants[0].programme
        self._base_url = base_url
        self._clock = clock
        self._durations = _common_durations(variants, audio)
        self._timeline = Timeline(
            self._durations,
            clock.now(),
            backlog=self.options.backlog_segments,
            at_end=self.options.at_end,
            first_sequence=self.options.first_sequence,
            changes=changes,
        )
        renditions = _renditions(variants, audio, byte_range=self.options.byte_range)
        self._files = ChannelFiles(renditions, self._timeline, self.options)

    @property
    def url(self) -> str:
        """URL of the first variant's media playlist."""
        return f"{self._base_url}/live/{self.name}/index.m3u8"

    @property
    def master_url(self) -> str:
        return f"{self._base_url}/live/{self.name}/master.m3u8"

    @property
    def manifest_url(self) -> str:
        return f"{self._base_url}/live/{self.name}/manifest.mpd"

    @property
    def published(self) -> list[Published]:
        """All segments on air so far, oldest first."""
        self._timeline.advance(self._clock.now())
        return list(self._timeline.entries)

    @property
    def position_sec(self) -> float:
        """The stream time that is being captured now."""
        now = self._clock.now()
        self._timeline.advance(now)
        return self._timeline.position(now)

    def published_at(self, sequence: int) -> datetime:
        """Return when the segment of this media sequence, of the newest numbering, appeared."""
        self._timeline.advance(self._clock.now())
        entry = self._timeline.find(sequence)
        if entry is None:
            raise KeyError(sequence)
        return as_datetime(entry.published_at)

    def captured_at(self, stream_sec: float) -> datetime:
        """Return when a moment of the stream was captured: what EXT-X-PROGRAM-DATE-TIME says."""
        self._timeline.advance(self._clock.now())
        return as_datetime(self._timeline.captured_at(stream_sec))

    def available_at(self, stream_sec: float) -> datetime:
        """Return when the segment that holds a moment of the stream appeared.

        Nobody can know of the moment earlier: detection delays count from here.
        """
        for entry in reversed(self.published):
            if entry.stream_sec <= stream_sec < entry.stream_sec + entry.duration_sec:
                return as_datetime(entry.published_at)
        raise KeyError(stream_sec)

    def scenes_on_air(self, *kinds: str) -> list[SceneOnAir]:
        """Return the scenes that have begun, oldest first; only these kinds if any are named."""
        position, length = self.position_sec, sum(self._durations)
        if self.options.at_end is AtEnd.END:
            position = min(position, length)
        shown = [
            self._on_air(span.scene, span.start_sec + loop * length, span.end_sec + loop * length)
            for loop in range(math.ceil(position / length))
            for span in self.programme.scenes_at()
            if span.start_sec + loop * length < position
        ]
        return [each for each in shown if not kinds or each.scene.kind in kinds]

    def fault(self, fault: Fault) -> int:
        """Switch a fault on; the number is for `clear`."""
        return self.faults.add(fault, self._clock.now())

    def clear(self, number: int | None = None) -> None:
        """Switch a fault off, or all of them."""
        if number is None:
            self.faults.clear()
        else:
            self.faults.remove(number)

    def disappear(self) -> int:
        """Answer 404 to everything until `clear`."""
        return self.fault(disappear())

    def stall(self) -> None:
        """Publish nothing new until `resume`."""
        self._timeline.stall(self._clock.now())

    def resume(self, *, catch_up: bool = False) -> None:
        """Go on after `stall`; with `catch_up` what was held back appears at once."""
        self._timeline.resume(self._clock.now(), catch_up=catch_up)

    def restart(self) -> None:
        """Number from 0 again with new URIs from the next segment on."""
        self._timeline.restart(self._clock.now())

    def jump(self, by: int) -> None:
        """Move the media sequence from the next segment on."""
        self._timeline.jump(self._clock.now(), by)

    def end(self) -> None:
        self._timeline.end(self._clock.now())

    def answer(self, path: str, first_byte: int | None) -> tuple[Reply, Resource, Fault | None]:
        """Return the answer to a path below the channel, what it is, and the fault that hits it.

        The `first_byte` of the requested range tells segments of one file apart.
        """
        now = self._clock.now()
        self._timeline.advance(now)
        resource = self._files.resource(path, first_byte, now)
        fault = self.faults.strike(resource, now)
        return self._files.reply(path, resource, self._shown_at(fault, now)), resource, fault

    def _shown_at(self, fault: Fault | None, now: float) -> float:
        if fault and fault.kind is FaultKind.STALE:
            return now - fault.age_sec
        if fault and fault.kind in (FaultKind.FROZEN, FaultKind.ENDED):
            return self._timeline.captured_at(fault.from_sec or 0.0)
        return now

    def _on_air(self, scene: Scene, start_sec: float, end_sec: float) -> SceneOnAir:
        started, ended = self.captured_at(start_sec), self.captured_at(end_sec)
        return SceneOnAir(scene, start_sec, end_sec, started, ended)


def _renditions(
    variants: Sequence[RenderedProgramme], audio: RenderedProgramme | None, *, byte_range: bool
) -> dict[str, Rendition]:
    labelled = {f"v{number}": rendered for number, rendered in enumerate(variants)}
    if audio:
        labelled[AUDIO_LABEL] = audio
    return {
        label: Rendition(label, rendered, byte_range=byte_range)
        for label, rendered in labelled.items()
    }


def _common_durations(
    variants: Sequence[RenderedProgramme], audio: RenderedProgramme | None
) -> list[float]:
    """Return the schedule that all renditions keep: the first one's, as long as the shortest."""
    # A sound rendition may be cut into one segment more or less than the picture.
    counts = [len(each.segments) for each in [*variants, *([audio] if audio else [])]]
    return variants[0].durations_sec[: min(counts)]
