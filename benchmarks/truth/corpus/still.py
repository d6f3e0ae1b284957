"""Frozen pictures."""

from collections.abc import Iterator

import numpy as np

from benchmarks.truth.corpus.building import FILMS, GOOD_SEC, shown
from benchmarks.truth.corpus.codings import CANVASES, CODINGS
from benchmarks.truth.footage import BIKES, CAR, RABBIT, photo
from benchmarks.truth.pictures import (
    BLACK,
    bars,
    clouds,
    dimmed,
    fade_between,
    faded,
    flat,
    held,
    in_turn,
    noisy,
    page,
    then,
    vignette,
    with_box,
    with_text,
    words,
)
from benchmarks.truth.programme import Canvas, Fault, Image, Picture, Programme
from benchmarks.truth.sounds import music, speech

NAMES = {"bikes": BIKES, "rabbit": RABBIT, "car": CAR}
PHOTOS = (
    *("astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg", "motorcycle_left.png"),
    *("coins.png", "gravel.png", "grass.png", "hubble_deep_field.jpg", "page.png", "brick.png"),
)
COLOURS = {
    "blue": (0, 0, 150),
    "deep-blue": (0, 0, 110),
    "green": (0, 110, 0),
    "red": (150, 0, 0),
    "purple": (80, 0, 120),
    "white": (255, 255, 255),
    "grey": (110, 110, 110),
}


def programmes() -> Iterator[Programme]:
    """Yield the programmes."""
    yield from _pictures()
    yield from _encoded()
    yield from _disturbed()
    yield from _placed()
    yield from _slides()


def _frozen(name: str, picture: Picture, group: str = "frozen", **how: object) -> Programme:
    return shown(f"frozen-{name}", group, picture, "freeze", **how)  # type: ignore[arg-type]


def _pictures() -> Iterator[Programme]:
    for name, film in NAMES.items():
        yield _frozen(name, held(film, GOOD_SEC - 0.1), around=film)
        yield _frozen(f"{name}-later", held(film, 3.3), around=film, sound=music())
    for name in PHOTOS:
        yield _frozen(name.partition(".")[0], photo(name))
    for number in range(4):
        yield _frozen(f"page-{number}", page(number))
    for name, colour in COLOURS.items():
        yield _frozen(f"flat-{name}", flat(colour))
    yield _frozen("page-dark", page(7, (10, 10, 14), (210, 210, 200)))
    yield _frozen("clouds", clouds())
    yield _frozen("clouds-rough", clouds(2, 0.7))
    yield _frozen("vignette", vignette(photo("chelsea.png"), 0.8))
    for factor in (0.15, 0.3, 0.5):
        yield _frozen(f"dim-{factor}", dimmed(photo("astronaut.png"), factor))
    yield _frozen("notice", with_text(BLACK, lambda _t: words(1, 4), 0.1, 0.45, 0.12))


def _encoded() -> Iterator[Programme]:
    for name, coding in CODINGS.items():
        yield _frozen(f"film-{name}", held(CAR, 7.0), "frozen, encodings", coding=coding)
        yield _frozen(f"photo-{name}", photo("coffee.png"), "frozen, encodings", coding=coding)
    for name, canvas in CANVASES.items():
        yield _frozen(f"film-{name}", held(BIKES, 7.0), "frozen, sizes", canvas=canvas)
        yield _frozen(f"clouds-{name}", clouds(4), "frozen, sizes", canvas=canvas)


def _flash(picture: Picture, *moments: float, length_sec: float = 0.1) -> Picture:
    """Show something else for a moment."""
    parts: list[tuple[float, Picture]] = [(0.0, picture)]
    for moment in moments:
        parts += [(moment, photo("rocket.jpg")), (moment + length_sec, picture)]
    return then(*parts)


def _disturbed() -> Iterator[Programme]:
    still, group = held(RABBIT, 7.0), "frozen, disturbed"
    yield _frozen("flash", _flash(still, 31.3), group)
    yield _frozen("flash-at-border", _flash(still, 32.0), group)
    yield _frozen("flashes", _flash(still, 20.4, 35.1, 50.0, 63.7), group)
    # Nobody can tell it from a camera that shows an empty room: at 1280x720 the noise of 4 levels
    # leaves no more of itself than 0.5 does here.
    for sigma in (0.5, 1.0, 1.5, 3.0, 6.0):
        yield _frozen(f"noise-{sigma}", noisy(still, sigma), group, is_certain=False)
    rows = in_turn(0.1, still, lambda t, canvas: _one_row_down(still, t, canvas))
    yield _frozen("deinterlaced", rows, group, is_certain=False)
    pumping = faded(still, lambda t: 1 + 0.04 * (t % 2 < 1))
    yield _frozen("pumping", pumping, group, is_certain=False)
    yield _frozen("faded-into", fade_between(RABBIT, held(still), GOOD_SEC - 0.4, GOOD_SEC), group)


def _one_row_down(picture: Picture, t: float, canvas: Canvas) -> Image:
    image = picture(t, canvas)
    moved = image.copy()
    moved[1:] = (image[1:].astype(np.uint16) + image[:-1]) // 2
    return moved


def _placed() -> Iterator[Programme]:
    film, still = BIKES, held(BIKES, 5.0)

    def placed(name: str, seconds: float, *spans: tuple[float, float]) -> Programme:
        parts: list[tuple[float, Picture]] = [(0.0, film)]
        for start, end in spans:
            parts += [(start, held(film, start - 0.1)), (end, film)]
        return Programme(
            name=f"frozen-{name}",
            group="frozen, places",
            seconds=seconds,
            picture=then(*parts),
            sound=speech(),
            faults=tuple(Fault("freeze", start - 0.1, end) for start, end in spans),
        )

    yield placed("odd-moment", 85, (7.7, 70.3))
    yield placed("to-the-end", 75, (9.4, 75.0))
    yield placed("58s", 75, (8.5, 66.3))
    yield placed("62s", 78, (8.5, 70.5))
    yield placed("twice", 110, (8.2, 40.1), (52.0, 85.0))
    yield placed("interrupted", 90, (8.2, 40.1), (41.4, 80.0))
    yield placed("six-seconds", 40, (8.3, 14.4), (25.1, 31.7))
    yield Programme(
        name="frozen-from-the-start",
        group="frozen, places",
        seconds=75,
        picture=then((0, still), (65.0, film)),
        sound=speech(),
        faults=(Fault("freeze", 0.0, 65.0),),
    )


def _slides() -> Iterator[Programme]:
    group = "slides"
    for every in (8.0, 20.0, 65.0):
        count = int(96 // every)
        pages = [page(number) for number in range(count)]
        yield Programme(
            name=f"slides-{every:g}s",
            group=group,
            seconds=every * count,
            picture=in_turn(every, *pages),
            sound=speech(),
            faults=tuple(Fault("freeze", n * every, (n + 1) * every) for n in range(count)),
        )
    yield shown("slides-colour", group, in_turn(3, *map(flat, _equally_bright())), None)
    text = [with_box(page(1), (0.1, 0.3 + 0.1 * n, 0.5, 0.36 + 0.1 * n), 200) for n in range(5)]
    yield shown("slides-highlight", group, in_turn(4, *text), None)
    yield shown("slides-photos", group, in_turn(4, *map(photo, PHOTOS[:6])), None)
    yield shown("slides-4s", group, in_turn(4, *map(page, range(8))), None)
    yield shown("slides-bars", group, in_turn(2, *FILMS[:2], bars()), None, seconds=40)


def _equally_bright() -> list[tuple[int, int, int]]:
    return [(150, 80, 80), (80, 112, 90), (85, 95, 175), (120, 92, 120)]
