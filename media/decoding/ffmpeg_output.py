"""The ffmpeg of a probe: what it is asked to write, and what that says of a segment."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple

from media.decoding.decoder.sample_entries import UnmeasurableCodec
from media.decoding.decoder.sound_parts import GAP_MIN_SEC
from media.decoding.decoder.ts_programs import TsProgram, first_ts_program
from media.decoding.decoder.whitelist import CODECS, CONTAINERS, MAX_PIXELS
from media.decoding.limits import MIN_FRAMES
from monitors.frames import FRAME_HEIGHT, FRAME_WIDTH
from monitors.pictures import MOST_PICTURE_WIDTH

TIMES, SAMPLES, SOUND, PICTURE = "times", "samples", "sound", "picture"
OUTPUTS = (TIMES, SAMPLES, SOUND, PICTURE)
"""What ffmpeg writes beside the pictures, the names of its further outputs."""

QUANTIZER = "5"  # of the JPEG; a picture of 1280x720 has 100 KiB


class Layout(StrEnum):
    BOTH = "both"
    VIDEO = "video"
    AUDIO = "audio"


def probe_arguments(
    ffmpeg: str,
    layout: Layout,
    *,
    container: str | None = None,
    max_frames: int = MIN_FRAMES,
    program: int | None = None,
    with_picture: bool = False,
) -> list[str]:
    """Return the command that measures the segment on its standard input.

    The pictures go to standard output, scaled down to full-range YUV and one after the other. Their
    times, the sound and its times go to outputs of their own (`OUTPUTS`): the log on standard error
    mixes up what ffmpeg's threads write at the same time. Without a `container` ffmpeg finds out by
    itself. The tracks are the first ones of all, or of the `program` of that number. Where a
    picture is wanted, the first one is also encoded as JPEG.
    """
    tracks = "0" if program is None else f"0:p:{program}"
    arguments = [ffmpeg, "-hide_banner", "-nostats", "-loglevel", "level+info"]
    # Nothing inside the media can make ffmpeg open a file or a URL.
    arguments += ["-protocol_whitelist", "pipe", "-threads", "1", "-filter_threads", "1"]
    arguments += ["-format_whitelist", ",".join(CONTAINERS)]
    arguments += ["-codec_whitelist", ",".join(CODECS)]
    arguments += ["-export_side_data", "film_grain"]
    arguments += ["-max_pixels", str(MAX_PIXELS), *(["-f", container] if container else [])]
    arguments += ["-i", "pipe:0", "-sn", "-dn"]
    if layout is not Layout.AUDIO:
        arguments += _video_output(tracks, max_frames)
        arguments += _picture_output(tracks) if with_picture else []
    if layout is not Layout.VIDEO:
        arguments += _audio_output(tracks)
    return arguments


def _video_output(tracks: str, max_frames: int) -> list[str]:
    scale = f"scale={FRAME_WIDTH}:{FRAME_HEIGHT}:flags=area:out_range=full,format=yuv420p"
    return [
        *("-map", f"{tracks}:v:0", "-an", "-vf", scale, "-fps_mode", "passthrough"),
        *("-frames:v", str(max_frames)),
        *("-stats_enc_pre:v", f"pipe:{{{TIMES}}}", "-stats_enc_pre_fmt:v", "{t}"),
        *("-f", "rawvideo", "pipe:1"),
    ]


def _picture_output(tracks: str) -> list[str]:
    size = f"w='min({MOST_PICTURE_WIDTH},iw)':h='min({MOST_PICTURE_WIDTH},ih)'"
    fitted = f"scale={size}:force_original_aspect_ratio=decrease:out_range=full,format=yuvj420p"
    return [
        *("-map", f"{tracks}:v:0", "-an", "-vf", fitted, "-frames:v", "1"),
        *("-c:v", "mjpeg", "-q:v", QUANTIZER, "-f", "image2pipe", f"pipe:{{{PICTURE}}}"),
    ]


def _audio_output(tracks: str) -> list[str]:
    return [
        *("-map", f"{tracks}:a:0", "-vn", "-c:a", "pcm_f32le"),
        *("-stats_enc_pre:a", f"pipe:{{{SAMPLES}}}", "-stats_enc_pre_fmt:a", "{t} {samp} {tb}"),
        *("-f", "f32le", f"pipe:{{{SOUND}}}"),
    ]


# Only at the beginning of a line: further in, it may be a title that the media carries.
_STREAM = re.compile(
    r"^\[info\] +Stream #0:\d+(?:\[(0x[0-9a-f]{1,8})\])?\S*: (Video|Audio): (\w+)(.*)", re.MULTILINE
)
_SIZE = re.compile(r"\b(\d{2,5})x(\d{2,5})\b")
_NUMBER = r"(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)"
_FRAME = re.compile(rf"^{_NUMBER} (\d{{1,9}}) 1/([1-9]\d{{0,8}})$", re.MULTILINE)
_ERROR = re.compile(r"\[(?:error|fatal)\] (.+)")


class SampleRun(NamedTuple):
    start_sec: float
    samples: int
    rate_hz: int

    @property
    def end_sec(self) -> float:
        return self.start_sec + self.samples / self.rate_hz


@dataclass(frozen=True)
class FfmpegTracks:
    """The first video and audio track of a segment; None where there is none."""

    video_codec: str | None = None
    audio_codec: str | None = None
    width: int | None = None
    height: int | None = None
    program: int | None = None  # whose they are, by its number, where there are several
    # kinds of tracks of which none can be measured, and why
    unmeasurable: Mapping[str, UnmeasurableCodec] = field(default_factory=dict)

    def without(self, unmeasurable: Mapping[str, UnmeasurableCodec]) -> "FfmpegTracks":
        return replace(
            self,
            video_codec=None if "video" in unmeasurable else self.video_codec,
            audio_codec=None if "audio" in unmeasurable else self.audio_codec,
            unmeasurable=unmeasurable,
        )

    @property
    def layout(self) -> Layout | None:
        if self.video_codec and self.audio_codec:
            return Layout.BOTH
        if self.video_codec:
            return Layout.VIDEO
        return Layout.AUDIO if self.audio_codec else None


def read_tracks(log: str, known: Sequence[TsProgram] = ()) -> FfmpegTracks:
    """Return the tracks that ffmpeg found in its input, of the first program that has one."""
    streams = [
        (int(pid or "0", 16), kind, codec, rest)
        for pid, kind, codec, rest in _STREAM.findall(log)
        if codec != "none" and "(attached pic)" not in rest
    ]
    program = first_ts_program(known, {pid for pid, *_ in streams})
    found: dict[str, tuple[str, str]] = {}
    for pid, kind, codec, rest in streams:
        if program is None or pid in program.pids:
            found.setdefault(kind, (codec, rest))
    video = found.get("Video")
    size = _SIZE.search(video[1]) if video else None
    return FfmpegTracks(
        video_codec=video[0] if video else None,
        audio_codec=found["Audio"][0] if "Audio" in found else None,
        width=int(size[1]) if size else None,
        height=int(size[2]) if size else None,
        program=program.number if program else None,
    )


def read_samples(text: str) -> list[SampleRun]:
    """Read a line a frame, as `-stats_enc_pre` wrote them; one run where they join."""
    found: list[SampleRun] = []
    for start_text, count, rate in _FRAME.findall(text):
        start = float(start_text)
        if not math.isfinite(start):
            break
        if found and abs(start - found[-1].end_sec) < GAP_MIN_SEC:
            found[-1] = found[-1]._replace(samples=found[-1].samples + int(count))
        else:
            found.append(SampleRun(start, int(count), int(rate)))
    return found


def read_times(text: str) -> list[float]:
    """In seconds, one a line, as `-stats_enc_pre` wrote them."""
    times: list[float] = []
    for line in text.splitlines():
        try:
            time = float(line)
        except ValueError:
            break  # a cut last line
        if not math.isfinite(time):
            break
        times.append(time)
    return times


def first_error(log: str) -> str | None:
    match = _ERROR.search(log)
    return match[1].strip() if match else None
