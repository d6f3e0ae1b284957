"""Frozen pictures, and what only seems so."""

from benchmarks.truth.corpus.building import shown
from benchmarks.truth.footage import BIKES, CAR, RABBIT, pan, photo
from benchmarks.truth.pictures import (
    clouds,
    dimmed,
    held,
    noisy,
    page,
    slower,
    talking,
    ticker,
    with_box,
    with_text,
)
from benchmarks.truth.programme import Programme

PHOTOS = ("astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg", "motorcycle_left.png")


def programmes() -> list[Programme]:
    """Return the programmes."""
    return [*_frozen(), *_near()]


def _frozen() -> list[Programme]:
    films = {"bikes": BIKES, "rabbit": RABBIT, "car": CAR}
    found = [
        shown(f"frozen-{name}", "freeze", held(film, 8.0), "freeze", around=film)
        for name, film in films.items()
    ]
    found += [shown(f"frozen-{it[:5]}", "freeze", photo(it), "freeze") for it in PHOTOS]
    found += [
        shown("frozen-clouds", "freeze", clouds(), "freeze"),
        shown("frozen-page", "freeze", page(4), "freeze"),
        shown("frozen-dim", "freeze", dimmed(photo("coffee.png"), 0.3), "freeze"),
    ]
    return found


def _near() -> list[Programme]:
    clock = with_text(photo("coffee.png"), lambda t: f"12:{int(t) // 60:02}:{int(t) % 60:02}")
    return [
        shown("talking-large", "nearly frozen", talking(clouds(2), 0.10), None),
        shown("talking-small", "nearly frozen", talking(clouds(2), 0.06), None),
        shown("ticker", "nearly frozen", ticker(photo("astronaut.png")), None),
        shown("clock", "nearly frozen", clock, None),
        shown("slow-pan", "nearly frozen", pan("coffee.png", 0.7), None),
        shown("sensor-noise", "nearly frozen", noisy(photo("chelsea.png"), 4), None),
        shown("webcam-1fps", "nearly frozen", slower(CAR, 1), None),
        shown(
            "cursor",
            "nearly frozen",
            with_text(page(2), lambda t: "x" * int(t * 2 % 30), 0.1, 0.85, 0.07, (20, 20, 20)),
            None,
        ),
        shown(
            "blinking-box",
            "nearly frozen",
            lambda t, c: with_box(page(3), (0.9, 0.9, 0.95, 0.95), 255 if int(t) % 2 else 0)(t, c),
            None,
        ),
    ]
