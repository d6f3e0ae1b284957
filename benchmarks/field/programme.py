"""The programme that every source of the gallery plays, encoded once for each set of codecs."""

import hashlib
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped, unused-ignore]

from simulator.origin import Encoding, Programme
from simulator.origin.programme import filter_graph

NORMAL_SEC = 6.0
ENCODE_SEC = 300


@dataclass(frozen=True)
class Stretch:
    """A fault of the programme.

    Attributes:
        scene: what is shown; sound that stops is cut out of a normal scene after encoding.
        event_type: of the alert that it must cause, and no other.
        reason: that the alert gives, where there are several.
    """

    scene: str
    seconds: float
    event_type: str
    reason: str | None = None

    @property
    def track(self) -> str:
        """The track that shows it."""
        return "audio" if self.event_type == "alert.silence" else "video"


STRETCHES = (
    Stretch("black", 6.0, "alert.blackout"),
    Stretch("frozen", 7.0, "alert.freeze"),
    Stretch("silent", 6.0, "alert.silence", "below_threshold"),
    Stretch("normal", 6.0, "alert.silence", "audio_missing"),
)
CONFIG = {
    "blackout_threshold_sec": 3,
    "freeze_threshold_sec": 4,
    "silence_threshold_sec": 3,
    "recovery_sec": 1,
    "flapping_recovery_factor": 0,  # each scripted fault is told by itself
    "on_delivery_failure": "continue",
}


@dataclass(frozen=True)
class Codecs:
    """How the programme is encoded; `video` and `audio` are options of ffmpeg."""

    video: Sequence[str]
    audio: Sequence[str]
    fps: int = 15
    rate: str | None = None
    """A frame rate that is no whole number, for instance 30000/1001."""


def x264(*more: str) -> tuple[str, ...]:
    """Return options that encode H.264 quickly."""
    return ("libx264", "-preset", "veryfast", "-b:v", "150k", *more)


AAC = ("aac", "-b:a", "48k")
KEYFRAME_SEC = 1
H264 = Codecs(x264("-bf", "0"), AAC)


def base_file(cache: Path, codecs: Codecs) -> Path:
    """Encode the programme, or take it from the cache; return the file."""
    name = hashlib.sha256(repr((codecs, STRETCHES)).encode()).hexdigest()[:16]
    made = cache / f"{name}.mp4"
    if not made.exists():
        cache.mkdir(parents=True, exist_ok=True)
        partial = made.with_suffix(".partial")
        command = [imageio_ffmpeg.get_ffmpeg_exe(), *_arguments(codecs), "-f", "mp4", str(partial)]
        subprocess.run(command, check=True, timeout=ENCODE_SEC, stdin=subprocess.DEVNULL)
        partial.rename(made)
    return made


def _arguments(codecs: Codecs) -> list[str]:
    encoding = Encoding(width=320, height=180, fps=codecs.fps, sample_rate=48_000)
    graph = filter_graph(Programme.of(_scenes(), encoding))
    if codecs.rate:
        graph += f";[v]fps={codecs.rate}[w]"
    start_sec, end_sec = _sound_stops()
    gone = f"gte(pts*tb,{start_sec})*lt(pts*tb,{end_sec})"
    video = ["-map", "[w]" if codecs.rate else "[v]", "-c:v", *codecs.video]
    forced = f"expr:gte(t,n_forced*{KEYFRAME_SEC})"
    return [
        *("-hide_banner", "-v", "error", "-nostdin", "-y", "-filter_complex", graph, *video),
        *("-pix_fmt", "yuv420p", "-force_key_frames", forced, "-map", "[a]", "-c:a", *codecs.audio),
        *("-bsf:a", f"noise=drop='{gone}'"),
    ]


def _scenes() -> list[tuple[str, float]]:
    scenes = [("normal", NORMAL_SEC)]
    for stretch in STRETCHES:
        scenes += [(stretch.scene, stretch.seconds), ("normal", NORMAL_SEC)]
    return scenes


def _sound_stops() -> tuple[float, float]:
    end_sec = length_sec() - NORMAL_SEC
    return end_sec - STRETCHES[-1].seconds, end_sec


def length_sec() -> float:
    """Return how long the programme is."""
    return sum(seconds for _, seconds in _scenes())
