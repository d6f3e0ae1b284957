"""Footage of the third set, from packages that nothing here depends on.

    python -m benchmarks.truth.third_footage

fetches it (PyPI): the earth from space, old and new music, photos. `espeak-ng` speaks, and ffmpeg
draws: fractals, cells, plasma, test patterns. None of it tuned a threshold.
"""

import os
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from benchmarks.truth.footage import fitted, frames_of
from benchmarks.truth.programme import Canvas, Image, Picture, Samples, Sound
from simulator.origin.render import ffmpeg_path

FOLDER = Path(tempfile.gettempdir()) / "stream-tracker-footage-3"
PACKAGES = ("arcade==3.3.3", "pygame==2.6.1", "matplotlib==3.11.2")
FETCH = ("pip", "download", "--no-deps", "--only-binary", ":all:")
UNPACK, SPEAK = ("unzip", "-qo"), ("espeak-ng", "-w")
WANTED = (
    *("earth.mp4", "funkyrobot.mp3", "1918.mp3", "house_lo.mp3", "grace_hopper.jpg"),
    *("camera_rgb.jpg", "abstract_1.jpg", "abstract_2.jpg", "diffuse.jpg"),
)
SPOKEN = (
    "Good evening. Here is the news. The harbour was closed this morning after a storm broke two "
    "of its gates. Repairs are going to take a week, the mayor said; ferries leave from the north "
    "pier. And now the weather: rain in the west, some sun in the east, and a cold night for all."
)
DRAWN_SEC = 30


def fetch() -> None:
    """Fetch the packages, keep what is wanted of them, and have the text spoken."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as work:
        subprocess.run([*FETCH, *PACKAGES], cwd=work, check=True)
        for package in Path(work).glob("*.whl"):
            subprocess.run([*UNPACK, package.name], cwd=work, check=True)
        for name in WANTED:
            (FOLDER / name).write_bytes(next(Path(work).rglob(name)).read_bytes())
    subprocess.run([*SPEAK, FOLDER / "spoken.wav", SPOKEN], check=True)


def is_there() -> bool:
    """Return whether all footage has been fetched."""
    return all((FOLDER / name).exists() for name in (*WANTED, "spoken.wav"))


def picture(name: str) -> Picture:
    """Show a photo, cut to the canvas."""
    return lambda _t, canvas: fitted(FOLDER / name, canvas.width, canvas.height)


def film(name: str) -> Picture:
    """Play a film again and again."""

    def at(t: float, canvas: Canvas) -> Image:
        frames = frames_of(FOLDER / name, canvas.width, canvas.height, canvas.fps)
        return frames[round(t * canvas.fps) % len(frames)]

    return at


def drawn(source: str, width: int, height: int, fps: int = 10) -> Picture:
    """Play what a source of ffmpeg draws in that size."""

    def at(t: float, canvas: Canvas) -> Image:
        frames = _drawn(f"{source}:s={width}x{height}:r={fps}", canvas.width, canvas.height)
        shown: Image = frames[int(t * fps + 1e-6) % len(frames)]
        return shown

    return at


@cache
def _drawn(source: str, width: int, height: int) -> NDArray[np.uint8]:
    graph = ("-f", "lavfi", "-i", source, "-t", str(DRAWN_SEC))
    raw = ("-vf", f"scale={width}:{height}", "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1")
    command = [ffmpeg_path(), "-v", "error", *graph, *raw]
    pixels = subprocess.run(command, capture_output=True, check=True).stdout
    frames: NDArray[np.uint8] = np.frombuffer(pixels, np.uint8).reshape(-1, height, width, 3)
    return frames


EARTH = film("earth.mp4")
FRACTAL = drawn("mandelbrot=maxiter=400", 320, 180)
CELLS = drawn("life=ratio=0.4:mold=8:life_color=#c83232:death_color=#c8c832:seed=7", 64, 36)
AUTOMATON = drawn("cellauto=rule=110:scroll=1:seed=3", 160, 90)
PLASMA = drawn("gradients=speed=0.03:seed=5:nb_colors=4", 160, 90)
TRIANGLES = drawn("sierpinski=seed=4", 320, 180)
PATTERN = drawn("testsrc2=duration=30", 320, 180)
RINGS = drawn("zoneplate=kt=2:kx=0:k0=20:kx2=12:ky2=12", 320, 180)


@cache
def _samples(name: str, rate: int) -> NDArray[np.float32]:
    resampler = av.AudioResampler("fltp", "mono", rate)
    with av.open(os.fspath(FOLDER / name)) as container:
        frames = [out for it in container.decode(audio=0) for out in resampler.resample(it)]
        frames += resampler.resample(None)
    return np.concatenate([it.to_ndarray()[0] for it in frames])


def _sound(name: str, start_sec: float, end_sec: float) -> Sound:
    def at(t: NDArray[np.float64], rate: int) -> Samples:
        known = _samples(name, rate)[round(start_sec * rate) : round(end_sec * rate)]
        return np.stack([known[np.round(t * rate).astype(int) % len(known)]])

    return at


NEWS = _sound("spoken.wav", 0, 60)
FUNK, OLD_SONG, HOUSE = (
    _sound("funkyrobot.mp3", 20, 90),
    _sound("1918.mp3", 30, 90),
    _sound("house_lo.mp3", 0, 7),
)


def coloured(dbfs: float, power: float, seed: int = 1) -> Sound:
    """Play noise of that RMS level whose power falls with frequency**`power`: 1 is pink, 2 brown.

    Below 0 it rises: -1 is blue.
    """

    def at(t: NDArray[np.float64], rate: int) -> Samples:
        wave = _coloured(rate, power, seed)
        return np.stack([wave[np.round(t * rate).astype(int) % len(wave)] * 10 ** (dbfs / 20)])

    return at


@cache
def _coloured(rate: int, power: float, seed: int) -> NDArray[np.float32]:
    count = 2 ** int(np.ceil(np.log2(20 * rate)))
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(count))
    hz = np.maximum(np.fft.rfftfreq(count, 1 / rate), 20.0)
    wave = np.fft.irfft(spectrum / hz ** (power / 2))
    even: NDArray[np.float32] = (wave / wave.std()).astype(np.float32)
    return even


def swelling(sound: Sound, gain: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Sound:
    """Play `sound` with a gain that depends on the moment."""
    return lambda t, rate: (sound(t, rate) * gain(t)).astype(np.float32)


if __name__ == "__main__":
    fetch()
