"""Which tracks of a segment are measured, and which cannot be."""

import re
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import av
from av.container import InputContainer
from av.stream import Disposition, Stream

from media.decoding.decoder.sample_entries import (
    UNSUPPORTED_CODEC,
    SampleEntry,
    UnmeasurableCodec,
    sample_entries,
)
from media.decoding.decoder.ts_programs import first_ts_program, metadata_pids, ts_programs
from media.decoding.decoder.whitelist import CODECS, MPEGTS

UNKNOWN_CODEC = "unknown"  # where ffmpeg does not say which one it is that it cannot decode
MOST_ADDITIONAL_AUDIO = 15  # see `monitors.measurement`
UNDETERMINED = "und"
_LANGUAGE = re.compile(r"[A-Za-z0-9-]{1,35}")

StreamT = TypeVar("StreamT", bound=Stream)


class AudioTrack(NamedTuple):
    """One of several audio tracks; `place` counts them from 1."""

    place: int
    stream: av.AudioStream
    why_not: UnmeasurableCodec | None

    @property
    def language(self) -> str | None:
        """As the container names it; None for none, or a strange name."""
        named = self.stream.metadata.get("language", "")
        return named if _LANGUAGE.fullmatch(named) and named != UNDETERMINED else None


class MeasurableTracks(NamedTuple):
    """The first of each kind that can be measured; `sounds` are all audio tracks."""

    video: av.VideoStream | None
    audio: av.AudioStream | None
    sounds: tuple[AudioTrack, ...]

    @property
    def additional(self) -> list[AudioTrack]:
        first = self.audio or next((each.stream for each in self.sounds), None)
        return [each for each in self.sounds if each.stream is not first][:MOST_ADDITIONAL_AUDIO]


def tracks_of(
    container: InputContainer, segment: bytes
) -> tuple[MeasurableTracks, dict[str, UnmeasurableCodec]]:
    """Return the first video and the first audio track of a segment that can be measured.

    They are of the first program that has one of them. Where there are tracks of a kind, and none
    of them can be measured, also return why the first one cannot, by kind.
    """
    videos = [it for it in container.streams.video if not it.disposition & Disposition.attached_pic]
    audios = list(container.streams.audio)
    if container.format.name == MPEGTS:
        if not all(it.rate for it in audios):
            metadata = metadata_pids(segment)
            audios = [it for it in audios if it.id not in metadata]
        media = {it.id for it in (*videos, *audios)}
        if program := first_ts_program(ts_programs(segment), media):
            videos = [it for it in videos if it.id in program.pids]
            audios = [it for it in audios if it.id in program.pids]
    entries = sample_entries(segment)
    video, why_no_picture = _first(videos, entries)
    audio, why_no_sound = _first(audios, entries)
    reasons = {"video": why_no_picture, "audio": why_no_sound}
    sounds = [
        AudioTrack(place, each, _why_not(each, entries.get(each.id)))
        for place, each in enumerate(audios, 1)
    ]
    return MeasurableTracks(video, audio, tuple(sounds)), {
        kind: why for kind, why in reasons.items() if why
    }


def _first(
    streams: Sequence[StreamT], entries: dict[int, SampleEntry]
) -> tuple[StreamT | None, UnmeasurableCodec | None]:
    reasons = [_why_not(each, entries.get(each.id)) for each in streams]
    for stream, why in zip(streams, reasons, strict=True):
        if why is None:
            return stream, None
    return None, next(iter(reasons), None)


def _why_not(stream: Stream, entry: SampleEntry | None) -> UnmeasurableCodec | None:
    if entry and (why := entry.why_not()):
        return why
    decoder = stream.codec_context.codec if stream.codec_context else None
    if decoder is None or decoder.name not in CODECS:
        known = entry.codec if entry else decoder.canonical_name if decoder else UNKNOWN_CODEC
        return UnmeasurableCodec(known, UNSUPPORTED_CODEC)
    return None
