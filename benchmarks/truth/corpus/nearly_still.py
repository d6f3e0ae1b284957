"""Pictures in which little moves."""

import math
from collections.abc import Iterator

from benchmarks.truth.corpus.building import shown
from benchmarks.truth.corpus.codings import CANVASES, CODINGS
from benchmarks.truth.footage import BIKES, CAR, RABBIT, pan, photo
from benchmarks.truth.pictures import (
    clouds,
    faded,
    in_turn,
    noisy,
    page,
    shaken,
    slower,
    snow,
    talking,
    ticker,
    with_box,
    with_light,
    with_text,
    words,
)
from benchmarks.truth.programme import Canvas, Image, Picture, Programme

GROUP = "nearly frozen"
LARGE = Canvas(640, 360, 8)


def programmes() -> Iterator[Programme]:
    """Yield the programmes."""
    yield from _people()
    yield from _writing()
    yield from _cameras()
    yield from _drawn()


def _alive(name: str, picture: Picture, **how: object) -> Programme:
    return shown(name, GROUP, picture, None, **how)  # type: ignore[arg-type]


def _people() -> Iterator[Programme]:
    for size in (0.05, 0.06, 0.08, 0.12):
        yield _alive(f"talking-{size}", talking(clouds(2), size))
        yield _alive(f"talking-photo-{size}", talking(photo("coffee.png"), size))
    for size in (0.04, 0.06):
        yield _alive(f"talking-large-{size}", talking(clouds(5), size), canvas=LARGE)
    for name in ("x264-40k", "x264-bframes", "x265", "mpeg2", "vp9-opus"):
        yield _alive(f"talking-{name}", talking(clouds(2), 0.08), coding=CODINGS[name])
    yield _alive("talking-pauses", talking(clouds(2), 0.08, pause_sec=3.0))


def _writing() -> Iterator[Programme]:
    def clock(t: float) -> str:
        return f"12:{int(t + 0.5) // 60:02}:{int(t + 0.5) % 60:02}"

    def on_keyframes(t: float) -> str:
        return clock(t - 0.5)

    for size in (0.09, 0.14):
        yield _alive(f"clock-{size}", with_text(photo("coffee.png"), clock, 0.55, 0.05, size))
    large = with_text(photo("chelsea.png"), clock, 0.8, 0.05, 0.05)
    yield _alive("clock-large", large, canvas=LARGE)
    # Each digit changes where an encoder begins anew, and everything changes a little.
    fresh = with_text(photo("coffee.png"), on_keyframes, 0.55, 0.05, 0.12)
    yield _alive("clock-on-keyframes", fresh)
    for speed in (0.05, 0.15, 0.4):
        yield _alive(f"ticker-{speed}", ticker(photo("astronaut.png"), speed))
    yield _alive(
        "typing", with_text(page(2), lambda t: "x" * int(t * 2 % 30), 0.1, 0.85, 0.07, (20,) * 3)
    )
    subtitled = with_text(photo("rocket.jpg"), lambda t: words(int(t / 3)), 0.1, 0.85, 0.08)
    yield _alive("subtitled-photo", subtitled)
    grey = with_text(
        photo("coffee.png"), lambda t: words(int(t / 3)), 0.1, 0.85, 0.07, (150, 150, 150)
    )
    yield _alive("subtitled-grey", grey)
    scores = with_text(
        photo("grass.png"), lambda t: f"{int(t) * 7 % 90}:{int(t) * 3 % 90}", 0.4, 0.4, 0.2
    )
    yield _alive("scores", scores)
    yield _alive(
        "terminal", with_text(page(3, (8, 8, 8), (200,) * 3), lambda t: words(int(t * 2)), 0.1, 0.8)
    )


def _cameras() -> Iterator[Programme]:
    for speed in (0.4, 0.7, 1.5, 4.0):
        yield _alive(f"pan-{speed}", pan("coffee.png", speed))
    for sigma in (3.0, 5.0, 8.0):
        yield _alive(f"sensor-{sigma}", noisy(photo("chelsea.png"), sigma))
        yield _alive(
            f"sensor-crf18-{sigma}", noisy(photo("brick.png"), sigma), coding=CODINGS["x264-crf18"]
        )
    for rate in (0.5, 1.0, 2.0):
        yield _alive(f"webcam-{rate}fps", slower(CAR, rate))
        yield _alive(f"webcam-bikes-{rate}fps", slower(BIKES, rate))
    yield _alive("tremble", shaken(photo("gravel.png"), 1.2))
    dusk = faded(photo("rocket.jpg"), lambda t: 1.0 - t / 110)
    yield shown("dusk", GROUP, dusk, "freeze", is_certain=False)
    yield _alive("aurora", with_light(photo("hubble_deep_field.jpg"), 0.5, 0.3, 0.4, _slow_wave))
    for name, canvas in CANVASES.items():
        yield _alive(f"talking-{name}", talking(clouds(6), 0.1), canvas=canvas)
        yield _alive(f"film-slow-{name}", slower(RABBIT, 2), canvas=canvas)


def _slow_wave(t: float) -> float:
    return 60 + 60 * math.sin(t / 2)


def _drawn() -> Iterator[Programme]:
    def blinking(t: float, canvas: Canvas) -> Image:
        colour = 255 if int(t) % 2 else 0
        return with_box(page(3), (0.88, 0.86, 0.96, 0.96), colour)(t, canvas)

    def progress(t: float, canvas: Canvas) -> Image:
        return with_box(page(4), (0.1, 0.88, 0.1 + t / 100, 0.94), (30, 90, 200))(t, canvas)

    def spinner(t: float, canvas: Canvas) -> Image:
        x, y = 0.5 + 0.06 * math.cos(t * 4), 0.5 + 0.1 * math.sin(t * 4)
        return with_box(page(5), (x, y, x + 0.03, y + 0.05), (200, 40, 40))(t, canvas)

    def levels(t: float, canvas: Canvas) -> Image:
        picture = photo("camera.png")
        for bar in range(6):
            height = 0.15 * abs(math.sin(t * (2 + bar) + bar))
            left = 0.1 + 0.05 * bar
            picture = with_box(picture, (left, 0.9 - height, left + 0.03, 0.9), (90, 220, 90))
        return picture(t, canvas)

    drawings = [with_light(page(n), 0.3 + 0.05 * n, 0.6, 0.1, lambda _t: 120.0) for n in range(4)]
    yield _alive("blinking-box", blinking)
    yield _alive("progress", progress)
    yield _alive("spinner", spinner)
    yield _alive("levels", levels)
    yield _alive("held-drawings", in_turn(1.5, *drawings))
    yield _alive("snow-static", snow())
    yield _alive(
        "colours", lambda t, c: with_box(photo("coins.png"), (0.7, 0.1, 0.9, 0.4), _hue(t))(t, c)
    )


def _hue(t: float) -> tuple[int, int, int]:
    """Return colours of one brightness that go round."""
    u, v = 40 * math.cos(t), 40 * math.sin(t)
    return (round(110 + 1.402 * v), round(110 - 0.344 * u - 0.714 * v), round(110 + 1.772 * u))
