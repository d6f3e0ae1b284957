"""Black pictures, and dark ones."""

import math
from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.truth.corpus.building import GOOD_SEC, LONGER, shown
from benchmarks.truth.corpus.codings import CANVASES, CODINGS
from benchmarks.truth.footage import BIKES, CAR, RABBIT, photo
from benchmarks.truth.pictures import (
    BLACK,
    always,
    dimmed,
    faded,
    flat,
    noisy,
    then,
    vignette,
    with_box,
    with_light,
    with_text,
    words,
)
from benchmarks.truth.programme import Canvas, Fault, Image, Picture, Programme
from benchmarks.truth.sounds import speech

SECONDS = 40.0
LOGO, CORNER = (0.86, 0.06, 0.94, 0.14), (0.04, 0.86, 0.16, 0.94)


def programmes() -> Iterator[Programme]:
    """Yield the programmes."""
    yield from _black()
    yield from _placed()
    yield from _nights()
    yield from _lights()
    yield from _writing()


def _blackout(name: str, picture: Picture, group: str = "black", **how: object) -> Programme:
    return shown(f"black-{name}", group, picture, "blackout", **how)  # type: ignore[arg-type]


def _dark(name: str, picture: Picture) -> Programme:
    return shown(name, "dark, not black", picture, None, seconds=SECONDS)


def _black() -> Iterator[Programme]:
    for level in (0, 6, 12, 16, 20):
        yield _blackout(f"level-{level}", flat(level))
    for sigma in (1.5, 3.0, 5.0):
        yield _blackout(f"noise-{sigma}", noisy(flat(9), sigma))
    for name, place in {"logo": LOGO, "logo-below": CORNER}.items():
        yield _blackout(name, with_box(BLACK, place, 200))
        yield _blackout(f"{name}-dim", with_box(flat(5), place, 90))
    yield _blackout("logo-text", with_text(BLACK, lambda _t: "NEWS", 0.84, 0.06, 0.07))
    yield _blackout("residue", dimmed(photo("coffee.png"), 0.012, 4))
    yield _blackout("vignette", vignette(flat(14), 0.7))
    yield _blackout("blueish", flat((2, 2, 12)))
    for name, coding in CODINGS.items():
        yield _blackout(f"in-{name}", BLACK, "black, encodings", coding=coding)
        yield _blackout(f"noise-in-{name}", noisy(flat(9), 3), "black, encodings", coding=coding)
    for name, canvas in CANVASES.items():
        yield _blackout(f"at-{name}", with_box(BLACK, LOGO, 180), "black, sizes", canvas=canvas)


def _placed() -> Iterator[Programme]:
    def placed(name: str, seconds: float, *spans: tuple[float, float]) -> Programme:
        parts: list[tuple[float, Picture]] = [(0.0, RABBIT)]
        for start, end in spans:
            parts += [(start, BLACK), (end, RABBIT)]
        return Programme(
            name=f"black-{name}",
            group="black, places",
            seconds=seconds,
            picture=then(*parts),
            sound=speech(),
            faults=tuple(Fault("blackout", start, end) for start, end in spans),
        )

    yield placed("odd-moment", 55, (7.7, 40.3))
    yield placed("to-the-end", 45, (9.4, 45.0))
    yield placed("from-the-start", 45, (0.0, 34.1))
    yield placed("29s", 50, (8.3, 37.2))
    yield placed("31s", 50, (8.3, 39.4))
    yield placed("twice", 60, (8.3, 30.0), (38.0, 55.0))
    yield placed("interrupted", 70, (8.0, 40.5), (42.0, 60.2))
    yield placed("four-seconds", 40, (8.3, 12.4), (25.1, 29.7))
    yield placed("second-long", 40, (8.3, 9.4), (25.1, 26.2), (30.0, 31.0))
    blinks = faded(BIKES, lambda t: float(t % 2 < 0.4))
    yield shown("black-blinks", "black, places", blinks, None, seconds=SECONDS)
    end = GOOD_SEC + LONGER["blackout"]
    fade = faded(BIKES, lambda t: 1.0 if t >= end else min(1.0, max(0.0, GOOD_SEC - t) / 0.5))
    yield _blackout("faded-into", fade, "black, places", around=fade)


def _nights() -> Iterator[Programme]:
    for name, film in {"car": CAR, "bikes": BIKES, "rabbit": RABBIT}.items():
        for factor in (0.1, 0.15, 0.25):
            yield _dark(f"night-{name}-{factor}", dimmed(film, factor))
    yield _dark("night-noisy", noisy(dimmed(CAR, 0.15), 4))
    yield _dark("night-lifted", dimmed(CAR, 0.12, 14))
    yield _dark("letterbox", with_box(with_box(BIKES, (0, 0, 1, 0.3), 0), (0, 0.7, 1, 1), 0))
    small = with_box(with_box(BIKES, (0, 0, 1, 0.38), 0), (0, 0.62, 1, 1), 0)
    yield _dark("window", with_box(with_box(small, (0, 0, 0.38, 1), 0), (0.62, 0, 1, 1), 0))


def _flicker(level: float) -> Callable[[float], float]:
    return lambda t: level * (1 + 0.2 * math.sin(7 * t) * math.sin(3.1 * t))


def _lights() -> Iterator[Programme]:
    for radius in (0.04, 0.06, 0.12):
        yield _dark(f"candle-{radius}", with_light(BLACK, 0.5, 0.6, radius, _flicker(190)))
    two = with_light(BLACK, 0.5, 0.6, 0.05, _flicker(190))
    yield _dark("candles", with_light(two, 1.2, 0.55, 0.05, lambda t: _flicker(170)(t + 2)))
    yield _dark(
        "fireworks", with_light(BLACK, 0.9, 0.4, 0.3, lambda t: 220 * math.exp(-3 * (t % 2)))
    )
    yield _dark("spotlight", _spotlight)
    yield _dark("torch", _torch)
    yield _dark("cars-at-night", _headlamps)
    yield _dark("lightning", with_light(flat(8), 0.8, 0.2, 0.8, lambda t: 200.0 * (t % 3 < 0.3)))


def _spotlight(t: float, canvas: Canvas) -> Image:
    lit = with_light(BLACK, 0.9, 0.5, 0.25, lambda _t: 255.0)(t, canvas)
    image: Image = (CAR(t, canvas) * lit.astype(np.float32) / 255).astype(np.uint8)
    return image


def _torch(t: float, canvas: Canvas) -> Image:
    x, y = 0.9 + 0.5 * math.sin(t), 0.5 + 0.2 * math.sin(1.7 * t)
    return with_light(flat(4), x, y, 0.1, lambda _t: 150.0)(t, canvas)


def _headlamps(t: float, canvas: Canvas) -> Image:
    lamps = flat(5)
    for lamp in range(3):
        x = (0.3 * t + 0.6 * lamp) % 1.8
        lamps = with_light(lamps, x, 0.65, 0.03, lambda _t: 220.0)
    return lamps(t, canvas)


def _writing() -> Iterator[Programme]:
    def subtitle(t: float) -> str:
        return words(int(t / 4)) if t % 4 < 3 else ""

    def console(t: float) -> str:
        return "\n".join(words(int(t) + line) for line in range(4))

    yield _dark("subtitles-on-black", with_text(BLACK, subtitle))
    yield _dark("credits", with_text(BLACK, lambda t: words(int(t), 3)))
    yield _dark("credits-rolling", _rolling)
    yield _dark("console", with_text(BLACK, console, 0.05, 0.1, 0.09, (60, 220, 60)))
    yield _dark("countdown", with_text(BLACK, lambda t: str(60 - int(t)), 0.42, 0.35, 0.3))
    clock = with_text(BLACK, lambda t: f"12:00:{int(t) % 60:02}", 0.75, 0.05, 0.08)
    yield shown(
        "clock-on-black", "dark, not black", clock, "blackout", seconds=SECONDS, is_certain=False
    )


def _rolling(t: float, canvas: Canvas) -> Image:
    picture = BLACK
    for line in range(5):
        y = 1.0 - (0.12 * t - 0.25 * line) % 1.25
        picture = with_text(picture, always(words(line, 3)), 0.25, y, 0.09)
    return picture(t, canvas)
