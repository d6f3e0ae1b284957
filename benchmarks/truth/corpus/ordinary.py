"""Programmes of which nothing is to be told."""

from benchmarks.truth.corpus.building import shown
from benchmarks.truth.footage import BIKES, CAR, RABBIT, film_sound, pan
from benchmarks.truth.pictures import in_turn, page, snow
from benchmarks.truth.programme import Programme
from benchmarks.truth.sounds import music


def programmes() -> list[Programme]:
    """Return the programmes."""
    group = "ordinary"
    return [
        shown("film-bikes", group, BIKES, None, seconds=60, around=BIKES, sound=music()),
        shown("film-rabbit", group, RABBIT, None, seconds=60, around=RABBIT, sound=film_sound()),
        shown("film-car", group, CAR, None, seconds=60, around=CAR),
        shown("pan", group, pan("astronaut.png", 12), None, seconds=60, sound=music(-25)),
        shown("snow", group, snow(), None, seconds=60),
        shown("slides-4s", group, in_turn(4, *map(page, range(8))), None, seconds=60),
    ]
