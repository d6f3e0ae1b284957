"""The programmes, by what they are about."""

from functools import cache

from benchmarks.truth.corpus import black, levels, nearly_still, ordinary, signals, silence, still
from benchmarks.truth.programme import Programme

PARTS = (still, nearly_still, black, silence, levels, signals, ordinary)


@cache
def programmes_by_name() -> dict[str, Programme]:
    """Return all programmes; their names are unique."""
    by_name: dict[str, Programme] = {}
    for part in PARTS:
        for each in part.programmes():
            if each.name in by_name:
                raise ValueError(f"two programmes are called {each.name}")
            by_name[each.name] = each
    return by_name
