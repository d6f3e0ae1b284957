"""What ffmpeg says of a segment."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from media.decoding.decoder.audio_coverage import GAP_MIN_SEC
from media.decoding.decoder.sample_entries import UnmeasurableCodec
from media.decoding.decoder.ts_programs import TsProgram, first_ts_program
from media.decoding.ffmpeg_command import Layout

# Only at the beginning of a line: further in, it may be a title that the media carries.
_STREAM = re.compile(
    r"^\[info\] +Stream #0:\d+(?:\[(0x[0-9a-f]{1,8})\])?\S*: (Video|Audio): (\w+)(.*)", re.MULTILINE
)
_SIZE = re.compile(r"\b(\d{2,5})x(\d{2,5})\b")
_NUMBER = r"(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)"
_FRAME = re.compile(rf"^{_NUMBER} (\d{{1,9}}) 1/([1-9]\d{{0,8}})$", re.MULTILINE)
_ERROR = re.compile(r"\[(?:error|fatal)\] (.+)")


class SampleRun(NamedTuple):
    """Samples that follow each other without a gap."""

    start_sec: float
    samples: int
    rate_hz: int

    @property
    def end_sec(self) -> float:
        return self.start_sec + self.samples / self.rate_hz


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
    unmeasurable: Mapping[str, UnmeasurableCodec] = field(default_factory=dict)

    def without(self, unmeasurable: Mapping[str, UnmeasurableCodec]) -> "FfmpegTracks":
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


def read_samples(text: str) -> list[SampleRun]:
    """Return where there are samples: a line a frame, as `-stats_enc_pre` wrote them.

    Frames that follow each other are one run.
    """
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
