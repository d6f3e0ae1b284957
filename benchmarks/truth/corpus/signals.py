"""Test signals, and what looks or sounds like them."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.truth.corpus.building import GOOD_SEC, heard, shown
from benchmarks.truth.footage import CAR, photo
from benchmarks.truth.pictures import bars, clouds, dimmed, noisy, page, smpte, with_box, with_text
from benchmarks.truth.programme import Canvas, Image, Picture, Programme, Samples, Sound
from benchmarks.truth.sounds import mixed, music, noise, nothing, speech, then, tone

SECONDS = 40.0


def programmes() -> Iterator[Programme]:
    """Yield the programmes."""
    yield from _bars()
    yield from _nearly_bars()
    yield from _tones()


def _signal(name: str, picture: Picture, sound: Sound | None = None, **how: object) -> Programme:
    group = "bars"
    return shown(name, group, picture, "test_signal", seconds=SECONDS, sound=sound, **how)  # type: ignore[arg-type]


def _bars() -> Iterator[Programme]:
    yield _signal("bars", bars())
    yield _signal("bars-8", bars(8))
    yield _signal("bars-smpte", smpte())
    yield _signal("bars-noisy", noisy(bars(), 3))
    yield _signal("bars-moving", bars(8, lambda t: t * 0.1))
    yield _signal("bars-ident", with_text(bars(), lambda _t: "STUDIO 3", 0.35, 0.7, 0.14))
    yield _signal("bars-clock", with_text(smpte(), lambda t: f"00:00:{int(t):02}", 0.3, 0.3, 0.14))
    for name, canvas in {
        "256x144-25": Canvas(256, 144, 25),
        "640x360-8": Canvas(640, 360, 8),
    }.items():
        yield _signal(f"bars-{name}", smpte(), canvas=canvas)


def _nearly_bars() -> Iterator[Programme]:
    def stripes(*colours: tuple[int, int, int]) -> Picture:
        def at(_t: float, canvas: Canvas) -> Image:
            places = (np.arange(canvas.width) * len(colours) / canvas.width).astype(int)
            row = np.array(colours, np.uint8)[places]
            return np.broadcast_to(row, (canvas.height, canvas.width, 3)).copy()

        return at

    flags = {
        "flag-france": stripes((0, 85, 164), (255, 255, 255), (239, 65, 53)),
        "flag-belgium": stripes((0, 0, 0), (253, 218, 36), (239, 51, 64)),
        "piano": stripes(*[(240,) * 3, (20,) * 3] * 7),
        "greys": stripes(*[(30 * n,) * 3 for n in range(8)]),
        "palette": stripes(
            (200, 30, 30), (30, 200, 30), (220, 220, 40), (30, 30, 200), (90, 90, 90)
        ),
        "chart": with_box(page(1), (0.2, 0.5, 0.3, 0.9), (40, 90, 200)),
    }
    for name, picture in flags.items():
        yield shown(name, "nearly bars", picture, "freeze")
    small = dimmed(bars(), 0.5)
    yield shown("bars-in-the-studio", "nearly bars", _set_into(small, CAR), None)
    yield shown("brick-wall", "nearly bars", photo("brick.png"), "freeze")
    yield shown("clouds-again", "nearly bars", clouds(9), "freeze")


def _set_into(inner: Picture, outer: Picture) -> Picture:
    def at(t: float, canvas: Canvas) -> Image:
        image = outer(t, canvas).copy()
        height, width = canvas.height // 3, canvas.width // 3
        image[:height, :width] = inner(t, Canvas(width, height, canvas.fps))
        return image

    return at


def _tones() -> Iterator[Programme]:
    def signal(name: str, sound: Sound) -> Programme:
        return heard(name, "tone", sound, "test_signal", seconds=SECONDS)

    for level in (-18, -20, -9, -30):
        yield signal(f"tone-1khz{level}", tone(1000, level))
    yield signal("tone-1khz-noisy", mixed(tone(1000, -18), noise(-50)))
    end = GOOD_SEC + SECONDS
    both = then((0, speech()), (GOOD_SEC, tone(1000, -18)), (end, speech()))
    yield shown("bars-and-tone", "tone", smpte(), "test_signal", seconds=SECONDS, sound=both)
    yield shown("bars-silent", "tone", bars(), "test_signal", seconds=25.0, sound=speech())
    near: dict[str, Sound] = {
        "whistle": _warbling(1000, 12, 5.5),
        "organ": mixed(*(tone(262 * n, -20 - 3 * n) for n in range(1, 7))),
        "synthesiser": mixed(tone(500, -22), tone(1000, -20), tone(1500, -26)),
        "tone-440-loud": tone(440, -18),
        "tone-1100": tone(1100, -18),
        "beeps": _beeps,
        "music-and-tone": mixed(music(), tone(1000, -30)),
    }
    for name, sound in near.items():
        yield heard(name, "nearly a tone", sound, None, seconds=SECONDS)


def _warbling(hz: float, depth_hz: float, rate_hz: float) -> Sound:
    def at(t: NDArray[np.float64], _rate: int) -> Samples:
        swing = depth_hz / rate_hz * np.sin(2 * math.pi * rate_hz * t)
        wave = 0.1 * (1 + 0.3 * np.sin(9 * t)) * np.sin(2 * math.pi * hz * t + swing)
        return np.stack([wave.astype(np.float32)])

    return at


def _beeps(t: NDArray[np.float64], rate: int) -> Samples:
    on = (t % 2.0) < 1.0
    return np.where(on, tone(1000, -18)(t, rate), nothing(t, rate))
