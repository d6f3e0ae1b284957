"""The programmes, by what they are about."""

from functools import cache

from benchmarks.truth import other_footage, third_footage
from benchmarks.truth.corpus import (
    black,
    cards,
    levels,
    nearly_still,
    ordinary,
    second_pictures,
    second_sounds,
    signals,
    silence,
    still,
    third_dark,
    third_pictures,
    third_sounds,
)
from benchmarks.truth.programme import Programme

PARTS = (still, nearly_still, black, silence, levels, signals, cards, ordinary)
SECOND = (second_pictures, second_sounds)
THIRD = (third_pictures, third_dark, third_sounds)


@cache
def programmes_by_name() -> dict[str, Programme]:
    """Return all programmes; their names are unique."""
    by_name: dict[str, Programme] = {}
    second = SECOND if other_footage.is_there() else ()
    third = THIRD if third_footage.is_there() else ()
    for part in PARTS + second + third:
        for each in part.programmes():
            if each.name in by_name:
                raise ValueError(f"two programmes are called {each.name}")
            by_name[each.name] = each
    return by_name
