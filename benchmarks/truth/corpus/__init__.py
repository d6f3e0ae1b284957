"""The programmes, by what they are about."""

from functools import cache

from benchmarks.truth.corpus import black, ordinary, silence, still
from benchmarks.truth.programme import Programme

PARTS = (still, black, silence, ordinary)


@cache
def programmes_by_name() -> dict[str, Programme]:
    """Return all programmes; their names are unique."""
    found = [each for part in PARTS for each in part.programmes()]
    by_name = {each.name: each for each in found}
    if len(by_name) < len(found):
        raise ValueError("two programmes have one name")
    return by_name
