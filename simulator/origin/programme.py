"""A programme: scenes one after the other, and how ffmpeg is told to make them.

Pure. `simulator.origin.render` runs what is described here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from simulator.origin.encoding import LOWEST, Container, Encoding, Tracks
from simulator.origin.scenes import Scene, SceneKind, picture_filter, sound_filter

TRACKLESS = frozenset({SceneKind.AUDIO_ONLY, SceneKind.VIDEO_ONLY})
PLAYLIST_NAME = "programme.m3u8"
INIT_NAME = "init.mp4"


class ProgrammeError(ValueError):
    """The programme cannot be made as described."""


@dataclass(frozen=True)
class SceneSpan:
    """Where a scene lies, in stream seconds from the programme's first frame; `end` exclusive."""

    scene: Scene
    start_sec: float
    end_sec: float

    def overlaps(self, start_sec: float, end_sec: float) -> bool:
        return self.start_sec < end_sec and start_sec < self.end_sec


@dataclass(frozen=True)
class Programme:
    """Scenes and their encoding.

    Raises:
        ProgrammeError: no scenes, or a track that comes and goes where that cannot be (the one
            init segment of fragmented MP4 names the tracks of all).
    """

    scenes: tuple[Scene, ...]
    encoding: Encoding = LOWEST

    def __post_init__(self) -> None:
        if not self.scenes or not self.total_frames:
            raise ProgrammeError("a programme needs a scene of at least a frame")
        encoding = self.encoding
        can_lose = encoding.container is Container.MPEGTS and encoding.tracks is Tracks.BOTH
        if not can_lose and any(scene.kind in TRACKLESS for scene in self.scenes):
            raise ProgrammeError("only MPEG-TS with both tracks can lose one: use Encoding.tracks")

    @classmethod
    def of(cls, scenes: Sequence[tuple[str, float]], encoding: Encoding = LOWEST) -> "Programme":
        return cls(
            tuple(Scene(kind=SceneKind(kind), duration_sec=sec) for kind, sec in scenes), encoding
        )

    @cached_property
    def _borders(self) -> list[int]:
        """Frame numbers at which scenes begin and end: rounding errors never add up."""
        ends = accumulate(scene.duration_sec for scene in self.scenes)
        return [0, *(round(end * self.encoding.fps) for end in ends)]

    @property
    def total_frames(self) -> int:
        return self._borders[-1]

    @property
    def duration_sec(self) -> float:
        return self.total_frames / self.encoding.fps

    def scenes_at(self) -> list[SceneSpan]:
        fps = self.encoding.fps
        pairs = zip(self._borders, self._borders[1:], strict=False)
        return [
            SceneSpan(scene, start / fps, end / fps)
            for scene, (start, end) in zip(self.scenes, pairs, strict=True)
        ]

    def spans(self, *kinds: str) -> list[SceneSpan]:
        return [span for span in self.scenes_at() if span.scene.kind in kinds]

    def with_encoding(self, encoding: Encoding) -> "Programme":
        return Programme(self.scenes, encoding)


def ffmpeg_arguments(programme: Programme) -> list[str]:
    """Return the arguments that encode the programme in one go and cut it into HLS segments.

    One encoder for all of it: its state and its timestamps run through scenes and segments as
    they do in a live encoder.
    """
    encoding = programme.encoding
    arguments = ["-hide_banner", "-v", "error", "-nostdin", "-filter_complex_threads", "1"]
    arguments += ["-filter_complex", filter_graph(programme)]
    if encoding.has_video:
        arguments += ["-map", "[v]", *_video_arguments(programme)]
    if encoding.has_audio:
        arguments += ["-map", "[a]", "-c:a", "aac", "-b:a", f"{encoding.audio_kbps}k", "-ac", "1"]
    return [*arguments, *_segment_arguments(encoding)]


def filter_graph(programme: Programme) -> str:
    encoding = programme.encoding
    chains: list[str] = []
    labels = ""
    for number, span in enumerate(programme.scenes_at()):
        end = f"end={span.end_sec - span.start_sec:.6f}"
        if encoding.has_video:
            picture = picture_filter(span.scene, encoding, number)
            chains.append(f"{picture},trim={end},setsar=1,format=yuv420p[v{number}]")
            labels += f"[v{number}]"
        if encoding.has_audio:
            chains.append(f"{sound_filter(span.scene, encoding)},atrim={end}[a{number}]")
            labels += f"[a{number}]"
    video, audio = int(encoding.has_video), int(encoding.has_audio)
    outputs = "[v]" * video + "[a]" * audio
    chains.append(f"{labels}concat=n={len(programme.scenes)}:v={video}:a={audio}{outputs}")
    return ";".join(chains)


def _video_arguments(programme: Programme) -> list[str]:
    encoding = programme.encoding
    gop, rate = str(encoding.gop_frames), f"{encoding.video_kbps}k"
    return [
        *("-c:v", "libx264", "-preset", "veryfast", "-profile:v", "main", "-threads", "1"),
        *("-b:v", rate, "-maxrate", rate, "-bufsize", f"{encoding.video_kbps * 2}k"),
        *("-g", gop, "-keyint_min", gop, "-sc_threshold", "0", "-bf", "0"),
        *("-force_key_frames", f"expr:{_keyframes(programme)}"),
    ]


def _keyframes(programme: Programme) -> str:
    """Return where keyframes must be: at segment borders, and where a lost picture comes back."""
    encoding = programme.encoding
    returns = [round(span.end_sec * encoding.fps) for span in programme.spans(SceneKind.AUDIO_ONLY)]
    segment = round(encoding.segment_sec * encoding.fps)
    return "+".join([f"not(mod(n,{segment}))", *(f"eq(n,{frame})" for frame in returns)])


def _segment_arguments(encoding: Encoding) -> list[str]:
    fragmented = encoding.container is Container.FMP4
    suffix, kind = ("m4s", "fmp4") if fragmented else ("ts", "mpegts")
    return [
        *("-f", "hls", "-hls_time", str(encoding.segment_sec), "-hls_list_size", "0"),
        *("-hls_playlist_type", "vod", "-hls_segment_type", kind),
        *("-hls_fmp4_init_filename", INIT_NAME, "-hls_segment_filename", f"%06d.{suffix}"),
        PLAYLIST_NAME,
    ]


def missing_tracks(programme: Programme, start_sec: float, end_sec: float) -> list[SceneSpan]:
    """Return where a track is missing in a segment, in seconds from the segment's first frame."""
    return [
        SceneSpan(
            span.scene,
            max(span.start_sec, start_sec) - start_sec,
            min(span.end_sec, end_sec) - start_sec,
        )
        for span in programme.spans(*TRACKLESS)
        if span.overlaps(start_sec, end_sec)
    ]


def strip_arguments(
    source: str, target: str, duration_sec: float, gaps: Sequence[SceneSpan]
) -> list[str]:
    """Return the arguments that take missing tracks out of one MPEG-TS segment.

    A track that is missing all the segment long is not announced either; one that goes or
    comes within the segment is announced and has no packets there. Timestamps stay.
    """
    keep = ["-c", "copy", "-copyts", "-muxdelay", "0", "-muxpreload", "0", "-mpegts_copyts", "1"]
    tracks: list[str] = []
    for track, kind in (("v", SceneKind.AUDIO_ONLY), ("a", SceneKind.VIDEO_ONLY)):
        own = [gap for gap in gaps if gap.scene.kind is kind]
        if any(gap.end_sec - gap.start_sec > duration_sec - _INSTANT_SEC for gap in own):
            continue
        tracks += ["-map", f"0:{track}"]
        if own:
            tracks += [f"-bsf:{track}", f"noise=drop='{_within(own)}'"]
    head = ["-hide_banner", "-v", "error", "-nostdin", "-copyts", "-i", source]
    return [*head, *tracks, *keep, "-f", "mpegts", target]


_INSTANT_SEC = 0.001


def _within(gaps: Sequence[SceneSpan]) -> str:
    moment = f"(pts-startpts)*tb+{_INSTANT_SEC}"
    return "+".join(f"between({moment},{gap.start_sec:.6f},{gap.end_sec:.6f})" for gap in gaps)
