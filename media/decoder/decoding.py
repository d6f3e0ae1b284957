"""Measuring a segment in one pass with the libraries of ffmpeg, inside a decoder process."""

import contextlib
import io
from dataclasses import dataclass
from typing import NoReturn

import av
from av.container import InputContainer
from av.stream import Disposition

from media.decoder.findings import Findings, Undecodable
from media.decoder.seen import SeenPictures
from media.decoder.sound import Sound
from media.decoder.whitelist import CODECS, CONTAINERS, MAX_PIXELS, named_container
from media.decoder.wire import JobHead
from monitors.motion import Depth, Motion

CONTAINER_OPTIONS = {
    "format_whitelist": ",".join(CONTAINERS),
    "protocol_whitelist": "none",
    # Else ffmpeg decodes the first pictures when it opens a segment, to learn what decoding them
    # teaches anyway: a fifth of the work on a segment of two seconds.
    "codec_whitelist": "none",
    # Nor does it have to look for the end.
    "skip_estimate_duration_from_pts": "1",
}
CODEC_OPTIONS = {"codec_whitelist": ",".join(CODECS), "max_pixels": str(MAX_PIXELS)}
ORDERLY = {"strict": "strict"}
"""For H.264: hold back as many pictures as its level allows to be out of order, where the stream
does not say how many are. ffmpeg would guess from the first pictures, and lose those before it
knows."""

MOST_BROKEN = 2 / 3
"""Of a track's packets; what is left of a segment that has more of them says nothing."""


def measure_segment(segment: bytes, job: JobHead) -> Findings:
    """Measure one segment, where that is wanted and enough by a few of its pictures.

    Raises:
        Undecodable: it is no media that can be decoded.
        MemoryError: it takes more memory than this process may have.
    """
    if job.depth != Depth.EVERYTHING:
        with contextlib.suppress(Undecodable):
            findings = _pass(segment, job)
            if not findings.is_skimmed or _is_enough(findings.motion, job):
                return findings
    return _pass(segment, job._replace(depth=Depth.EVERYTHING))


def _is_enough(motion: Motion, job: JobHead) -> bool:
    return motion is Motion.MOVES or (motion is Motion.STANDS and job.depth == Depth.KEYFRAMES)


def _pass(segment: bytes, job: JobHead) -> Findings:
    try:
        with _opened(segment) as container:
            return _measured(container, job)
    except av.MemoryError:
        raise
    except (av.FFmpegError, ValueError) as error:
        raise Undecodable(_plain(error)) from error


def _opened(segment: bytes) -> InputContainer:
    return av.open(
        io.BytesIO(segment),
        "r",
        format=named_container(segment),
        container_options=CONTAINER_OPTIONS,
        io_open=_refuse_to_open,
        metadata_errors="replace",
    )


def _refuse_to_open(url: str, flags: int, options: dict[str, str]) -> NoReturn:
    raise PermissionError("a segment may not open anything")


def _measured(container: InputContainer, job: JobHead) -> Findings:
    video, audio = _video_track(container), _audio_track(container)
    if video is None and audio is None:
        raise Undecodable("ffmpeg found no picture and no sound")
    began_sec = (container.start_time or 0) / av.time_base
    pictures = SeenPictures(job)
    sound = Sound(job.silence_db, began_sec=began_sec, with_loudness=job.with_loudness)
    _decode(container, video, audio, pictures, sound)
    findings = Findings(
        has_video=video is not None,
        has_audio=audio is not None,
        video_codec=video.codec_context.codec.canonical_name if video else None,
        audio_codec=audio.codec_context.codec.canonical_name if audio else None,
        width=video.codec_context.width if video else None,
        height=video.codec_context.height if video else None,
    )
    if video:
        pictures.describe(findings)
    if audio:
        sound.describe(findings, job.duration_sec)
    return findings


def _video_track(container: InputContainer) -> av.VideoStream | None:
    tracks = (it for it in container.streams.video if it.codec_context is not None)
    return next((it for it in tracks if not it.disposition & Disposition.attached_pic), None)


def _audio_track(container: InputContainer) -> av.AudioStream | None:
    return next((it for it in container.streams.audio if it.codec_context is not None), None)


def _decode(
    container: InputContainer,
    video: av.VideoStream | None,
    audio: av.AudioStream | None,
    pictures: SeenPictures,
    sound: Sound,
) -> None:
    tracks = [track for track in (video, audio) if track is not None]
    counts = {track.index: _Packets() for track in tracks}
    for track in tracks:
        track.codec_context.thread_count = 1
        is_h264 = track.codec_context.name == "h264"
        track.codec_context.options = {**CODEC_OPTIONS, **(ORDERLY if is_h264 else {})}
    for packet in container.demux(tracks):
        if pictures.is_in_vain:
            break  # all of it is measured in another pass
        is_video = video is not None and packet.stream_index == video.index
        if is_video and not pictures.want(packet):
            continue
        count = counts[packet.stream_index]
        count.all += 1
        try:
            frames = packet.decode()
        except av.MemoryError:
            raise
        except av.FFmpegError as error:
            count.broken += 1
            count.error = _plain(error)
            continue
        for frame in frames:
            if isinstance(frame, av.VideoFrame):
                pictures.add(frame)
            elif isinstance(frame, av.AudioFrame):
                sound.add(frame)
    sound.finish()
    for count in counts.values():
        count.judge()


@dataclass
class _Packets:
    """How decoding one track went."""

    all: int = 0
    broken: int = 0
    error: str = ""

    def judge(self) -> None:
        """Raise when too few packets could be decoded.

        Raises:
            Undecodable: more than `MOST_BROKEN` of them were broken.
        """
        if self.broken > MOST_BROKEN * self.all:
            raise Undecodable(self.error)


def _plain(error: Exception) -> str:
    """Return the text of an error without numbers that mean nothing to people."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
