"""What ffmpeg says of a segment."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from media.decoding.decoder.audio_coverage import GAP_MIN_SEC
from media.decoding.decoder.loudness import LOUDNESS_GATE_LUFS
from media.decoding.decoder.results import Span
from media.decoding.decoder.sample_entries import Unmeasurable
from media.decoding.decoder.ts_programs import TsProgram, first_ts_program
from media.decoding.ffmpeg_command import Layout

# Only at the beginning of a line: further in, it may be a title that the media carries.
_STREAM = re.compile(
    r"^\[info\] +Stream #0:\d+(?:\[(0x[0-9a-f]{1,8})\])?\S*: (Video|Audio): (\w+)(.*)", re.MULTILINE
)
_SIZE = re.compile(r"\b(\d{2,5})x(\d{2,5})\b")
_NUMBER = r"(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)"
_SILENCE = re.compile(rf"^lavfi\.silence_(start|end)={_NUMBER}$", re.MULTILINE)
_FRAME = re.compile(rf"^{_NUMBER} (\d{{1,9}}) 1/([1-9]\d{{0,8}})$", re.MULTILINE)
_LOUDNESS = re.compile(rf"^ +I: +{_NUMBER} LUFS", re.MULTILINE)
_ERROR = re.compile(r"\[(?:error|fatal)\] (.+)")


@dataclass(frozen=True)
class FfmpegTracks:
    """The first video and audio track of a segment; None where there is none.

    Attributes:
        program: whose they are, by its number, where there are several.
        unmeasurable: kinds of tracks of which none can be measured, and why.
    """

    video_codec: str | None = None
    audio_codec: str | None = None
    width: int | None = None
    height: int | None = None
    program: int | None = None
    unmeasurable: Mapping[str, Unmeasurable] = field(default_factory=dict)

    def without(self, unmeasurable: Mapping[str, Unmeasurable]) -> "FfmpegTracks":
        """Return these without those that cannot be measured."""
        return replace(
            self,
            video_codec=None if "video" in unmeasurable else self.video_codec,
            audio_codec=None if "audio" in unmeasurable else self.audio_codec,
            unmeasurable=unmeasurable,
        )

    @property
    def layout(self) -> Layout | None:
        """Which tracks there are; None without any."""
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


def read_silence(edges: str, end_sec: float) -> list[Span]:
    """Return the silent stretches whose edges `silencedetect` noted, as `ametadata` printed them.

    A silence that is still open at the end lasts until `end_sec`.
    """
    found: list[Span] = []
    start: float | None = None
    for edge, text in _SILENCE.findall(edges):
        if edge == "start":
            start = float(text)
        elif start is not None:
            found.append(Span(start, float(text)))
            start = None
    if start is not None:
        found.append(Span(start, end_sec))
    return found


def read_samples(text: str) -> list[Span]:
    """Return where there are samples: a line a frame, as `-stats_enc_pre` wrote them.

    Frames that follow each other are one span.
    """
    found: list[Span] = []
    for start_text, count, rate in _FRAME.findall(text):
        start = float(start_text)
        if not math.isfinite(start):
            break
        end = start + int(count) / int(rate)
        if found and abs(start - found[-1].end) < GAP_MIN_SEC:
            found[-1] = Span(found[-1].start, end)
        else:
            found.append(Span(start, end))
    return found


def read_loudness(log: str) -> float | None:
    """Return the integrated loudness in LUFS (EBU R 128), None when nothing passed the gate."""
    values = _LOUDNESS.findall(log)
    if not values:
        return None
    loudness = float(values[-1])
    return loudness if loudness > LOUDNESS_GATE_LUFS else None


def read_times(text: str) -> list[float]:
    """Return the pictures' times in seconds, one a line, as `-stats_enc_pre` wrote them."""
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
