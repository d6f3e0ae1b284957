"""Slates that were uploaded, loops, and what looks like them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from PIL import Image as Pillow

from benchmarks.truth.corpus.building import GOOD_SEC, shown
from benchmarks.truth.corpus.codings import CODINGS
from benchmarks.truth.footage import photo
from benchmarks.truth.pictures import clouds, noisy, page, with_text
from benchmarks.truth.programme import Canvas, Fault, Image, Picture, Programme


def _scaled(slate: Picture) -> Picture:
    """Show a slate as it was uploaded, scaled to the canvas."""

    def at(t: float, canvas: Canvas) -> Image:
        whole = Pillow.fromarray(slate(t, Canvas(640, 360, canvas.fps)))
        return np.asarray(whole.resize((canvas.width, canvas.height), Pillow.Resampling.BICUBIC))

    return at


SORRY = _scaled(page(5, (20, 40, 120), (240, 240, 240)))
UPLOADED: Mapping[str, Picture] = {"sorry": SORRY, "rocket": photo("rocket.jpg")}
LOOP_SEC = 40.0


def programmes() -> Iterator[Programme]:
    """Yield the programmes."""
    yield from _slates()
    yield from _loops()


def _slates() -> Iterator[Programme]:
    def slate(name: str, picture: Picture, kind: str | None = "slate", **how: object) -> Programme:
        known = {"seconds": 40.0} | how
        found = shown(name, "slates", picture, kind, **known)  # type: ignore[arg-type]
        return replace(found, slates=UPLOADED)

    yield slate("slate-sorry", SORRY)
    yield slate("slate-photo-poor", photo("rocket.jpg"), coding=CODINGS["x264-40k"])
    yield slate("slate-hevc", SORRY, coding=CODINGS["x265"])
    yield slate("slate-noisy", noisy(photo("rocket.jpg"), 3))
    yield slate("slate-clock", with_text(SORRY, lambda t: f"{int(t):03}", 0.85, 0.9, 0.07))
    yield slate("slate-25s", SORRY, seconds=25.0)
    yield slate("no-slate", page(6, (20, 40, 120), (240, 240, 240)), "freeze", seconds=64.0)


def _loops() -> Iterator[Programme]:
    def loop(name: str, period_sec: float, kind: str | None = "loop", **how: object) -> Programme:
        found = shown(
            name,
            "loops",
            _again(period_sec),
            None,
            seconds=LOOP_SEC,
            around=_scenes,
            **how,  # type: ignore[arg-type]
        )
        fault = Fault("loop", GOOD_SEC + period_sec, GOOD_SEC + LOOP_SEC)
        config = {"loop_threshold_sec": 20.0}
        return replace(found, faults=(fault,) if kind else (), config=config)

    yield loop("loop-4s", 4.0)
    yield loop("loop-10s", 10.0)
    yield loop("loop-6s-hevc", 6.0, coding=CODINGS["x265"])
    yield loop("no-loop", LOOP_SEC, None)
    yield replace(
        shown("no-loop-still", "loops", photo("astronaut.png"), "freeze", around=_scenes),
        config={"loop_threshold_sec": 20.0},
    )


def _scenes(t: float, canvas: Canvas) -> Image:
    """Show another scene every half second; none comes again."""
    return clouds(100 + int(2 * t + 1e-6))(t, canvas)


def _again(period_sec: float) -> Picture:
    return lambda t, canvas: _scenes(GOOD_SEC + (t - GOOD_SEC) % period_sec, canvas)
