"""What a watch remembers. Heartbeats carry it, so another worker can continue from it."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from pydantic import AwareDatetime, BaseModel, Field

from media.hls.cursor import PlaylistCursor
from media.sources.youtube.confirmation import Confirmation
from media.sources.youtube.site_messages import EGRESS_FAILURES
from media.watching.track_state import TrackState
from monitors.config import Thresholds
from monitors.coverage_log import CoverageLog
from monitors.detectors.explanations import Explanations
from monitors.detectors.incident_tracker import IncidentTracker
from monitors.detectors.renditions import RenditionDetector
from monitors.detectors.stream_faults import (
    Elapsed,
    SegmentErrorDetector,
    StallDetector,
    suspend_threshold_sec,
)
from monitors.events import EventDraft, EventType, incident_event
from monitors.incidents import IncidentChange, IncidentOpened
from monitors.measurement import SegmentMeasurement, Track, Unmeasurable
from monitors.reports import AudioFacts, HealthReport, MediaFacts, Statistics, VideoFacts
from monitors.status import HEALTH_ORDER, SEEN_AS, Health, IncidentKind

MAIN = "main"
AUDIO = "audio"
STILL_SHARE = 0.5  # share of the suspension threshold after which other renditions are tried
SOUND_FAILS = "audio_failing"
MOST_UNMEASURABLE = 8  # how many different tracks, codecs and reasons are reported


class WatchState(BaseModel):
    """All that is known of a stream."""

    # by name: `main`; `audio` where it has a playlist of its own; `audio 2`, `audio 3`, … where all
    # audio tracks are measured
    tracks: dict[str, TrackState] = {}
    # when watching began; it moves on while the stream cannot be seen. A worker that is lost before
    # its first segment leaves nothing else.
    began_at: AwareDatetime | None = None
    broadcast: str | None = None
    target_duration_sec: float = 0.0
    stall: StallDetector = Field(default_factory=StallDetector)
    segment_errors: SegmentErrorDetector = Field(default_factory=SegmentErrorDetector)
    renditions: RenditionDetector = Field(default_factory=RenditionDetector)
    gone: Elapsed | None = None  # how long the manifest has been seen to be gone
    not_live: int = 0  # times in a row that the source said the stream is over
    said_over_at: AwareDatetime | None = None  # when it said so last
    # how often the source said that the stream can never be watched
    bad_news: Confirmation = Field(default_factory=Confirmation)
    # why the stream cannot be observed now, as a stable word; None while it is
    unknown: str | None = None
    unknown_because: str | None = None
    looked_at: AwareDatetime | None = None  # when the source was last asked in vain
    look_again_at: AwareDatetime | None = None  # when it may be asked again; None for any time
    statistics: Statistics = Field(default_factory=Statistics)
    last_check_at: AwareDatetime | None = None
    failing: set[str] = set()  # tracks whose last segment could not be fetched or decoded
    # why the last segment of a track could not be measured, though nothing is wrong with it, by
    # track
    hidden: dict[str, str] = {}
    # tracks whose playlist could not be loaded last. An additional audio track is missing then,
    # which is a silence.
    unloaded: set[str] = set()
    at_end: set[str] = set()
    # when a segment's URL was refused last and the source was asked again
    refused_at: AwareDatetime | None = None
    unmeasurable: list[tuple[Track, str | None, str]] = []
    incidents: IncidentTracker = Field(default_factory=IncidentTracker)
    # incidents that are not reported, since something else explains them
    explanations: Explanations = Field(default_factory=Explanations)
    clock_at: AwareDatetime | None = None
    media: MediaFacts = Field(default_factory=MediaFacts)
    # what was observed and the gateway does not know yet
    coverage: CoverageLog = Field(default_factory=CoverageLog)
    # events that are not returned to the workflow yet. They are part of the state, so that a worker
    # that dies before it returns loses none.
    pending_events: list[EventDraft] = []

    def go_on_at(self, at: datetime) -> None:
        """Continue after a pause, with a clock that shows `at` now.

        A clock that shows an earlier time was set back, or is another machine's: pending waits
        move with it. One that shows a much later time was set forward, or nobody watched: that
        is no stall.
        """
        if self.clock_at is None:
            return
        passed = at - self.clock_at
        if passed > self.coverage.pause:
            self.leave_out(at)
        elif passed.total_seconds() < 0:
            self.look_again_at = self.look_again_at and self.look_again_at + passed
            self.said_over_at = self.said_over_at and self.said_over_at + passed
            self.refused_at = self.refused_at and self.refused_at + passed

    def unseen_sec(self, name: str, at: datetime) -> float:
        """For how long a track that begins now should have been watched."""
        # An additional audio track may begin in the middle of the stream, so it owes nothing
        # before.
        if is_additional(name):
            return 0.0
        return (at - self.began_at).total_seconds() if self.began_at else 0.0

    def begin_broadcast(self, broadcast: str | None) -> None:
        """Start to read a broadcast whose media sequences are unrelated to the last one's."""
        for track in self.tracks.values():
            track.cursor = PlaylistCursor()
        if self.broadcast is not None:
            self.began_at = None
        self.broadcast = broadcast

    def observe_stall(
        self, *, has_new: bool, at: datetime, thresholds: Thresholds, reason: str | None = None
    ) -> Iterable[IncidentChange]:
        """Judge the playlist of any track that was loaded at `at`.

        A stream advances while any of its tracks does; a track that stops alone is missing, see
        `missing_sec`.
        """
        was_suspended = self.stall.is_open
        changes = self.stall.observed(has_new, at, self._slowest_sec(), thresholds, reason)
        if was_suspended:
            self._unobserved_tracks(at)
        if self.stall.is_open:
            self.segment_errors.unobserved(at)  # there was nothing that could fail
        return changes

    def missing_sec(self, name: str, *, new_sec: float, thresholds: Thresholds) -> float:
        """How much more media a track lacks that the others have, beside new media."""
        track, moved = self.tracks[name], self.stall.elapsed
        if moved is None or not self.tracks.keys() - self.at_end - {name}:
            return 0.0
        return track.absence.missing_sec(
            moved.started_at,
            new_sec=new_sec,
            target_duration_sec=track.target_duration_sec,
            thresholds=thresholds,
        )

    @property
    def is_over(self) -> bool:
        """Whether picture and first audio have come to their end; additional audio may be lost."""
        return all(name in self.at_end or is_additional(name) for name in self.tracks)

    @property
    def is_failing(self) -> bool:
        """Whether any track's playlist or segment could not be had last."""
        return bool(self.failing or self.unloaded)

    @property
    def is_rendition_failing(self) -> bool:
        """Whether picture or first audio fails: only then another rendition may be better."""
        return not all(map(is_additional, self.failing | self.unloaded))

    def may_stand_still(self, thresholds: Thresholds) -> bool:
        """Return whether other renditions are tried: picture or first audio has had nothing new.

        That takes half as long as it takes to call the stream suspended.
        """
        going_on = [it for it in self.tracks.keys() - self.at_end if not is_additional(it)]
        idle = [self.tracks[name].absence.idle for name in going_on]
        limit_sec = suspend_threshold_sec(self._slowest_sec(), thresholds)
        waited = [each.duration_sec for each in (self.stall.elapsed, *idle) if each]
        return max(waited, default=0.0) >= STILL_SHARE * limit_sec

    def _slowest_sec(self) -> float:
        return max((track.target_duration_sec for track in self.tracks.values()), default=0.0)

    def known_tracks(self) -> frozenset[Track]:
        """Those that the stream is expected to have unless the user says so."""
        known = (track.detectors.known for track in self.tracks.values())
        return frozenset[Track]().union(*known)

    def lose_sight(self, reason: str, because: str, at: datetime) -> None:
        """Note that the stream could not be observed until `at`; that is no fault of the stream."""
        self.unknown, self.unknown_because = reason, because
        self.began_at = self.began_at and at
        self.leave_out(at)
        self.coverage.unseen(reason, at)

    def regain_sight(self, at: datetime) -> bool:
        """Note that the stream can be observed; return whether it could not before."""
        was_unknown = self.unknown is not None
        if was_unknown:
            self.leave_out(at)
        self.unknown = self.unknown_because = None
        self.coverage.observed(at)
        if self.stall.is_open:
            self.coverage.stood_still(at)
        return was_unknown

    def cover(self, start: datetime, end: datetime, reason: str | None) -> None:
        """Account for media of the main track; `reason` says why it could not be measured."""
        is_sound_unseen = AUDIO in self.failing | self.unloaded
        reason = reason or self.hidden.get(AUDIO) or (SOUND_FAILS if is_sound_unseen else None)
        self.coverage.judged(start, end, reason)

    def observed(self, at: datetime) -> bool:
        """Note that a playlist was read; return whether the stream was unknown before."""
        was_unknown = self.regain_sight(at)
        self.gone = None
        self.bad_news = Confirmation()
        return was_unknown

    def unseen_because(self) -> str | None:
        """A key that changes whenever it is worth reporting why the stream is not seen.

        A pause of all polls names its length: a new pause is worth reporting.
        """
        return self.unknown_because if self.unknown in EGRESS_FAILURES else self.unknown

    def leave_out(self, at: datetime) -> None:
        """Exclude the time to `at` from all thresholds: nothing was seen."""
        self.segment_errors.unobserved(at)
        self.stall.unobserved(at)
        self._unobserved_tracks(at)
        if self.gone:
            self.gone.leave_out(at)

    def _unobserved_tracks(self, at: datetime) -> None:
        for track in self.tracks.values():
            track.absence.unobserved(at)

    def carry(self, tracks: Mapping[str, frozenset[Track]], additional: Iterable[str] = ()) -> None:
        """Keep the tracks that are watched now; `additional` names the additional audio tracks."""
        # When sound moves to a playlist of its own, or back, the stream is still the same: it
        # continues at the main track's place, and each detector stays with what it judges. The
        # numbers of two playlists need not match (RFC 8216 6.3.2).
        place = self.tracks.get(MAIN, TrackState())
        kept = {name: track for name, track in self.tracks.items() if not is_additional(name)}
        if {name: track.detectors.tracks for name, track in kept.items()} != tracks:
            detected = [track.detectors for track in kept.values()]
            kept = {
                name: (kept.get(name) or place.apart()).carrying(carried, detected)
                for name, carried in tracks.items()
            }
        others = {
            name: self.tracks.get(name) or TrackState.of_additional_audio() for name in additional
        }
        self.tracks = kept | others
        self.failing &= self.tracks.keys()
        self.hidden = {name: why for name, why in self.hidden.items() if name in self.tracks}
        self.unloaded &= self.tracks.keys()

    def note(
        self,
        changes: Iterable[IncidentChange],
        at: datetime,
        thresholds: Thresholds,
        media_until: datetime | None = None,
    ) -> bool:
        """Draft the events of incidents that changed; return whether there are any."""
        noted = False
        causes = [each for track in self.tracks.values() for each in track.detectors.causes()]
        unexplained = self.explanations.told(changes, causes)
        told = self.incidents.told(
            unexplained, at, thresholds, media_until=media_until, pause=self.coverage.pause
        )
        for change in told:
            noted = True
            self.pending_events.append(incident_event(change, at))
            if isinstance(change, IncidentOpened):
                self.statistics.count(change.kind)
        return noted

    def note_unmeasurable(self, track: Track, why: Unmeasurable, at: datetime) -> bool:
        """Draft an event for a track that cannot be measured; return whether it is news."""
        found = (track, why.codec, why.reason)
        if found in self.unmeasurable or len(self.unmeasurable) >= MOST_UNMEASURABLE:
            return False
        self.unmeasurable.append(found)
        data = {"track": track, "codec": why.codec, "reason": why.reason}
        event_type = EventType.STREAM_UNMEASURABLE
        self.pending_events.append(EventDraft(event_type=event_type, timestamp=at, data=data))
        return True

    def note_media(self, measurement: SegmentMeasurement) -> None:
        if figures := measurement.figures:
            self.media.audio = AudioFacts(
                codec=measurement.audio_codec,
                channels=figures.channels,
                sample_rate_hz=figures.sample_rate_hz,
            )
            levels = (it.detectors.sound.levels for it in self.tracks.values())
            self.media.levels = next((it for it in levels if it.channels_dbfs), None)
        if measurement.video_codec is None:
            return
        bits = 8 * measurement.video_bytes
        self.media.video = VideoFacts(
            codec=measurement.video_codec,
            width=measurement.width,
            height=measurement.height,
            fps=measurement.frame_rate,
            bitrate_bps=round(bits / measurement.duration_sec) if bits else None,
        )

    def health(self) -> HealthReport:
        if self.unknown_because:
            return HealthReport(last_check_at=self.last_check_at, reason=self.unknown_because)
        conditions = [track.detectors.health() for track in self.tracks.values()]
        # One that flaps stays open while its detector sees nothing.
        opened = self.incidents.open_tracks()
        video = [Health.ERROR] if "video" in opened else [each for each, _ in conditions]
        audio = [Health.ERROR] if "audio" in opened else [each for _, each in conditions]
        return HealthReport(
            video=_known(video),
            audio=_known(audio),
            last_check_at=self.last_check_at,
            reason=self._warning(),
        )

    def _warning(self) -> str | None:
        """Which faults are seen whose incidents are not open."""
        opened = self.incidents.open_incidents()
        kinds = [it for track in self.tracks.values() for it in track.detectors.warnings()]
        # Each once: several tracks may have the same.
        seen = dict.fromkeys(SEEN_AS[kind] for kind in kinds if kind not in opened)
        return ", ".join(seen) or None

    def as_of(self) -> datetime | None:
        """When something was last learned; None while there is nothing to report."""
        if not (self.last_check_at or self.looked_at or self.coverage.untold):
            return None
        moments = (self.last_check_at, self.looked_at, self.coverage.looked_at)
        return max((at for at in moments if at), default=None)

    def open_incidents(self) -> dict[IncidentKind, datetime]:
        return self.incidents.open_incidents()


def _known(conditions: Iterable[Health]) -> Health:
    known = [condition for condition in conditions if condition is not Health.UNKNOWN]
    return max(known, key=HEALTH_ORDER.index, default=Health.UNKNOWN)


def is_additional(name: str) -> bool:
    return name not in (MAIN, AUDIO)
