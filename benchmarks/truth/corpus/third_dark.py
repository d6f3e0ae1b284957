"""Black and dark pictures of the third set."""

import math
from collections.abc import Iterator

import numpy as np

from benchmarks.truth.corpus.third_pictures import (
    AV1,
    BEFORE_SEC,
    DARK_LONG,
    FAST,
    FEW,
    FIELDS,
    FROZEN,
    HEVC,
    MPEG2,
    OLD_TV,
    SHORT,
    SLOW,
    VP9,
    programme,
)
from benchmarks.truth.pictures import (
    BLACK,
    always,
    dimmed,
    faded,
    flat,
    noisy,
    with_box,
    with_light,
    with_text,
    words,
)
from benchmarks.truth.programme import Canvas, Image, Picture, Programme
from benchmarks.truth.third_footage import CELLS, EARTH, FRACTAL, PATTERN, PLASMA, picture

BLACKOUT, DARK = "third set: black", "third set: dark"


def programmes() -> Iterator[Programme]:
    """Yield the programmes."""
    yield from _black()
    yield from _dark()


def _black() -> Iterator[Programme]:
    def black(name: str, shown: Picture, seconds: float = SHORT, **how: object) -> Programme:
        return programme(f"black-{name}", BLACKOUT, shown, "blackout", seconds=seconds, **how)  # type: ignore[arg-type]

    yield black("long", BLACK, DARK_LONG)
    yield black("av1", flat(3), DARK_LONG, coding=AV1)
    yield black("hevc", noisy(flat(5), 2), coding=HEVC, around=PLASMA)
    yield black("vp9", BLACK, coding=VP9, around=CELLS)
    yield black("fields", noisy(flat(7), 3), canvas=OLD_TV, coding=FIELDS, around=PATTERN)
    yield black("60fps", BLACK, canvas=FAST, around=PATTERN)
    yield black("5fps", flat(14), DARK_LONG, canvas=FEW, around=CELLS)
    yield black("mpeg2", noisy(flat(10), 4), coding=MPEG2)
    yield black(
        "green-logo", with_box(BLACK, (0.85, 0.06, 0.95, 0.16), (40, 200, 90)), around=CELLS
    )
    yield black("after-earth", BLACK, around=EARTH, coding=SLOW)
    fade = faded(FRACTAL, lambda t: min(1.0, max(0.0, BEFORE_SEC - t)) if t < 21.25 else 1.0)
    yield black("faded-into", fade, around=fade)


def _dark() -> Iterator[Programme]:
    def dark(name: str, shown: Picture, **how: object) -> Programme:
        return programme(name, DARK, shown, None, **({"seconds": DARK_LONG} | how))  # type: ignore[arg-type]

    yield dark("cells-dim", dimmed(CELLS, 0.15))
    yield dark("stars-passing", _stars)
    yield dark("fireworks", _fireworks)
    yield dark(
        "lightning",
        lambda t, c: dimmed(picture("camera_rgb.jpg"), 0.9 if t % 2.5 < 0.17 else 0.03)(t, c),
    )
    yield dark("credits", _credits, around=CELLS)
    beam = with_light(flat(2), 0.9, 0.5, 0.2, lambda _t: 120.0)
    yield dark("torch", lambda t, c: np.roll(beam(t, c), round(40 * math.sin(t)), axis=1))
    yield dark("night-blue", dimmed(PLASMA, 0.2), around=PLASMA)
    yield programme("sky-dark-blue", FROZEN, flat((0, 0, 95)), "freeze", seconds=SHORT)


def _stars(t: float, canvas: Canvas) -> Image:
    image = BLACK(t, canvas).copy()
    for x, y, far in np.random.default_rng(3).random((90, 3)):
        column = int((x + t * (0.03 + 0.1 * far)) % 1.0 * (canvas.width - 2))
        image[int(y * (canvas.height - 2)) :][:2, column : column + 2] = round(90 + 160 * far)
    return image


def _fireworks(t: float, canvas: Canvas) -> Image:
    image, since = BLACK(t, canvas).copy(), t % 2.0
    centre = np.random.default_rng(int(t / 2)).random(2) * 0.5 + 0.25
    for angle in np.linspace(0, 2 * math.pi, 24):
        x = centre[0] + 0.12 * since * math.cos(angle)
        y = centre[1] + 0.2 * since * math.sin(angle) + 0.05 * since**2
        row, column = int(y * canvas.height), int(x * canvas.width)
        image[row : row + 3, column : column + 3] = np.array((255, 180, 80)) * max(0, 1 - since / 2)
    return image


def _credits(t: float, canvas: Canvas) -> Image:
    text = "\n".join(words(number, 2) for number in range(60))
    return with_text(BLACK, always(text), 0.3, 0.9 - 0.08 * (t - BEFORE_SEC), 0.07)(t, canvas)
