"""Black pictures, and dark ones."""

import math

from benchmarks.truth.corpus.building import shown
from benchmarks.truth.footage import BIKES, CAR, photo
from benchmarks.truth.pictures import (
    BLACK,
    dimmed,
    faded,
    flat,
    noisy,
    vignette,
    with_box,
    with_light,
    with_text,
    words,
)
from benchmarks.truth.programme import Programme


def programmes() -> list[Programme]:
    """Return the programmes."""
    return [*_black(), *_dark()]


def _black() -> list[Programme]:
    return [
        shown("black", "black", BLACK, "blackout"),
        shown("black-lifted", "black", flat(16), "blackout"),
        shown("black-noisy", "black", noisy(flat(8), 4), "blackout"),
        shown("black-logo", "black", with_box(BLACK, (0.86, 0.06, 0.94, 0.14), 200), "blackout"),
        shown("black-residue", "black", dimmed(photo("coffee.png"), 0.01, 6), "blackout"),
        shown("black-vignette", "black", vignette(flat(14), 0.6), "blackout"),
        shown(
            "black-blinks", "black", faded(BIKES, lambda t: float(t % 2 < 0.4)), None, seconds=40
        ),
    ]


def _dark() -> list[Programme]:
    def flicker(t: float) -> float:
        return 190 + 40 * math.sin(7 * t) * math.sin(3.1 * t)

    def subtitle(t: float) -> str:
        return words(int(t / 4)) if t % 4 < 3 else ""

    return [
        shown("night", "dark", dimmed(CAR, 0.15), None, seconds=40),
        shown("candle", "dark", with_light(BLACK, 0.5, 0.6, 0.06, flicker), None, seconds=40),
        shown("deep-blue", "dark", flat((0, 0, 110)), "freeze"),
        shown("subtitles-on-black", "dark", with_text(BLACK, subtitle), None, seconds=40),
        shown("credits", "dark", with_text(BLACK, lambda t: words(int(t), 3)), None, seconds=40),
    ]
