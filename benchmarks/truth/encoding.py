"""Encoding programmes, once, into short segments that can be joined to longer ones."""

import contextlib
import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from benchmarks.truth.programme import Coding, Programme, Samples
from simulator.origin.render import ffmpeg_path

PIECE_SEC = 1
"""Each begins with a keyframe."""

ENCODE_SEC = 300
PROBED_MOMENTS = 25
LIST, INIT = "programme.m3u8", "init.mp4"


@dataclass(frozen=True)
class EncodedPiece:
    """A second of a programme."""

    data: bytes
    duration_sec: float


@dataclass(frozen=True)
class Encoded:
    """A programme as media: an initialization section, which may be empty, and its pieces."""

    init: bytes
    pieces: tuple[EncodedPiece, ...]

    def cut(self, lengths: Sequence[int]) -> "Encoded":
        """Return it in segments of that many pieces, again and again.

        Pieces of MPEG-TS, and fragments of MP4, behind each other are the same media.
        """
        owner = [
            n for n, count in enumerate(_cycled(lengths, len(self.pieces))) for _ in range(count)
        ]
        numbered = zip(owner, self.pieces, strict=False)
        joined = [[it for _, it in group] for _, group in groupby(numbered, key=lambda it: it[0])]
        return Encoded(
            self.init,
            tuple(
                EncodedPiece(b"".join(it.data for it in each), sum(it.duration_sec for it in each))
                for each in joined
            ),
        )

    @property
    def whole(self) -> bytes:
        """The programme as one file."""
        return self.init + b"".join(it.data for it in self.pieces)


def _cycled(lengths: Sequence[int], total: int) -> Iterator[int]:
    covered = 0
    while covered < total:
        for length in lengths:
            yield length
            covered += length


def encoded(programme: Programme, cache: Path, *, is_fresh: bool = False) -> Encoded:
    """Return a programme's media, made now or before."""
    folder = cache / f"{programme.name}-{_key(programme)}"
    if is_fresh:
        shutil.rmtree(folder, ignore_errors=True)
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix="making-", dir=cache))
        try:
            _encode(programme, work)
            with contextlib.suppress(OSError):  # another process was first
                work.rename(folder)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return _load(folder)


def _key(programme: Programme) -> str:
    """Return what tells a programme from an earlier one of its name: looks at some moments of it.

    What changes between these, and nothing else, needs `--fresh`.
    """
    canvas, coding = programme.canvas, programme.coding
    parts = [repr((programme.seconds, programme.faults, canvas, coding)).encode()]
    for moment in np.linspace(0, programme.seconds, PROBED_MOMENTS, endpoint=False):
        if programme.picture:
            parts.append(programme.picture(float(moment), canvas).tobytes())
        if programme.sound:
            times = moment + np.arange(64) / coding.sample_rate
            parts.append(programme.sound(times, coding.sample_rate).tobytes())
    return hashlib.sha256(b"".join(parts)).hexdigest()[:12]


def samples(programme: Programme) -> Samples | None:
    """Return all sound of a programme."""
    if programme.sound is None:
        return None
    rate = programme.coding.sample_rate
    times = np.arange(round(programme.seconds * rate)) / rate
    sound = programme.sound(times, rate)
    return np.broadcast_to(sound, (programme.coding.channels, sound.shape[1]))


def _encode(programme: Programme, folder: Path) -> None:
    canvas, coding = programme.canvas, programme.coding
    inputs: list[str] = []
    if programme.picture:
        size = f"{canvas.width}x{canvas.height}"
        inputs += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", str(canvas.fps)]
        inputs += ["-i", "pipe:0"]
    sound = samples(programme)
    if sound is not None:
        (folder / "sound").write_bytes(np.ascontiguousarray(sound.T, "<f4").tobytes())
        inputs += ["-f", "f32le", "-ar", str(coding.sample_rate), "-ac", str(coding.channels)]
        inputs += ["-i", "sound"]
    command = [ffmpeg_path(), "-v", "error", *inputs, *_output(programme, coding)]
    quiet = subprocess.DEVNULL  # some encoders print whatever they are told
    with subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stderr=quiet) as process:
        assert process.stdin  # noqa: S101
        if programme.picture:
            for number in range(round(programme.seconds * canvas.fps)):
                process.stdin.write(programme.picture(number / canvas.fps, canvas).tobytes())
        process.stdin.close()
        if process.wait(ENCODE_SEC):
            raise RuntimeError(f"ffmpeg cannot encode {programme.name}")
    (folder / "sound").unlink(missing_ok=True)


def _output(programme: Programme, coding: Coding) -> list[str]:
    arguments: list[str] = []
    if programme.picture:
        gop = str(programme.canvas.fps * PIECE_SEC)
        keyframes = f"expr:gte(t,n_forced*{PIECE_SEC})"
        arguments += [*coding.video, "-g", gop, "-keyint_min", gop, "-sc_threshold", "0"]
        arguments += ["-threads", "1", "-force_key_frames", keyframes]
        scale = f"scale={coding.scale[0]}:{coding.scale[1]}," if coding.scale else ""
        if "-pix_fmt" not in coding.video:
            arguments += ["-vf", f"{scale}format=yuv420p"]
    if programme.sound:
        arguments += coding.audio
    kind, suffix = ("fmp4", "m4s") if coding.container == "fmp4" else ("mpegts", "ts")
    return [
        *arguments,
        *("-f", "hls", "-hls_time", str(PIECE_SEC), "-hls_list_size", "0", "-strict", "-2"),
        *("-hls_segment_type", kind, "-hls_fmp4_init_filename", INIT),
        *("-hls_segment_filename", f"%04d.{suffix}", LIST),
    ]


def _load(folder: Path) -> Encoded:
    lines = (folder / LIST).read_text().splitlines()
    durations = [float(it[8:].split(",")[0]) for it in lines if it.startswith("#EXTINF:")]
    names = [it for it in lines if it and not it.startswith("#")]
    init = folder / INIT
    return Encoded(
        init.read_bytes() if init.exists() else b"",
        tuple(
            EncodedPiece((folder / name).read_bytes(), sec)
            for name, sec in zip(names, durations, strict=True)
        ),
    )
