"""Programmes of which nothing is to be told."""

from collections.abc import Iterator

from benchmarks.truth.corpus.building import FILMS, shown
from benchmarks.truth.corpus.codings import CANVASES, CODINGS
from benchmarks.truth.footage import BIKES, CAR, RABBIT, film_sound, pan, photo
from benchmarks.truth.pictures import fade_between, in_turn, ticker
from benchmarks.truth.programme import Picture, Programme
from benchmarks.truth.sounds import music, noise


def programmes() -> Iterator[Programme]:
    """Yield the programmes."""
    for name, film in {"bikes": BIKES, "rabbit": RABBIT, "car": CAR}.items():
        yield _usual(f"film-{name}", film)
        yield _usual(f"film-{name}-music", film, sound=music())
        yield _usual(f"film-{name}-sound", film, sound=film_sound())
    for place, (name, coding) in enumerate(CODINGS.items()):
        yield _usual(f"film-{name}", FILMS[place % 3], coding=coding, seconds=40)
    for place, (name, canvas) in enumerate(CANVASES.items()):
        yield _usual(f"film-{name}", FILMS[place % 3], canvas=canvas, seconds=40)
    for name in ("astronaut.png", "coffee.png", "hubble_deep_field.jpg", "motorcycle_right.png"):
        yield _usual(f"pan-{name.partition('.')[0]}", pan(name, 12), sound=music(-25))
    yield _usual("cuts", in_turn(3, *FILMS))
    yield _usual("news", ticker(CAR, 0.2))
    yield _usual("dissolves", fade_between(BIKES, pan("chelsea.png", 6), 20, 40), sound=noise(-30))
    yield _usual("photo-then-film", in_turn(4, photo("coffee.png"), CAR))


def _usual(name: str, picture: Picture, seconds: float = 60, **how: object) -> Programme:
    return shown(name, "ordinary", picture, None, seconds=seconds, around=picture, **how)  # type: ignore[arg-type]
