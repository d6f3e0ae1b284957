"""Where a glance shows that all is well, not measuring the rest changes nothing that is told."""

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import repeat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitors.config import Thresholds
from monitors.measurement import Interval
from tests.monitors.media_timeline import wall_clock
from tests.monitors.pictured import FPS, SCENES, Shown, cut, lengths_around, watched

LENGTHS = [3, 12, 25, 60, 150, 300]
anything = st.lists(
    st.tuples(st.sampled_from(sorted(SCENES)), st.integers(1, 60), st.sampled_from(LENGTHS)),
    min_size=2,
    max_size=6,
)
calm = st.tuples(st.sampled_from(["moving", "talking"]), st.integers(1, 60), st.integers(35, 110))
fault = st.tuples(
    st.sampled_from(["still", "black", "stumbling", "flickering"]),
    st.integers(1, 3),
    st.integers(5, 250),
)
calm_with_faults = st.lists(st.tuples(calm, fault), min_size=1, max_size=3).map(
    lambda pairs: [scene for pair in pairs for scene in pair]
)
limits = st.builds(
    Thresholds,
    blackout_threshold_sec=st.sampled_from([8, 12, 2]),
    freeze_threshold_sec=st.sampled_from([8, 12, 15, 3]),
    silence_threshold_sec=st.sampled_from([0, 4]),
    recovery_sec=st.sampled_from([0, 1, 5]),
)
one_off = st.sampled_from(["blackout_threshold_sec", "freeze_threshold_sec"]).flatmap(
    lambda name: limits.map(lambda set_to: [set_to.model_copy(update={name: 0})])
)


def disturbed(programme: Sequence[Shown], seed: int, chosen: Sequence[Thresholds]) -> list[Shown]:
    """Lose segments, go on elsewhere, fall silent and change thresholds, all of it sometimes."""
    chance, current, made = random.Random(seed), chosen[0], list[Shown]()
    for segment in programme:
        if chance.random() < 0.05:
            current = chance.choice(chosen)
        silent = chance.random() < 0.4
        made.append(
            replace(
                segment,
                is_lost=chance.random() < 0.06,
                restarts=chance.random() < 0.3,
                silent=(Interval(start=0.0, end=segment.duration_sec),) if silent else (),
                thresholds=current,
            )
        )
    return made


@settings(max_examples=120, deadline=None)
@given(
    shown=st.one_of(calm_with_faults, calm_with_faults, anything),
    segment_sec=st.sampled_from([1.0, 2.0, 3.0]),
    keyframes_apart=st.sampled_from([100, 10, 7]),
    seed=st.integers(0, 1 << 16),
    # A threshold that is switched on and off may open what began up to two segments before.
    chosen=st.one_of(st.lists(limits, min_size=1, max_size=3), one_off),
)
def test_it_tells_the_same_in_the_same_segments(
    shown: list[tuple[str, int, int]],
    segment_sec: float,
    keyframes_apart: int,
    seed: int,
    chosen: list[Thresholds],
) -> None:
    lengths = lengths_around(round(segment_sec * FPS), random.Random(seed))
    programme = disturbed(cut(shown, lengths, keyframes_apart), seed, chosen)
    assert watched(programme, skims=True)[0] == watched(programme, skims=False)[0]


@pytest.mark.parametrize("fault", ["still", "black", "flickering"])
@pytest.mark.parametrize("began", range(70, 110, 7))
def test_a_fault_in_a_calm_stream_began_where_it_began(fault: str, began: int) -> None:
    limits = Thresholds(blackout_threshold_sec=8, freeze_threshold_sec=10)
    scenes = [("moving", 1, began), (fault, 2, 160), ("moving", 3, 100)]
    programme = [replace(each, thresholds=limits) for each in cut(scenes, repeat(20), 100)]
    told, skimmed = watched(programme, skims=True)
    assert told == watched(programme, skims=False)[0]
    assert [change.started_at for _, change in told] == [wall_clock(began / FPS)] * 2
    assert skimmed >= 5


@pytest.mark.parametrize("kind", ["still", "black", "flickering", "stumbling"])
def test_what_may_be_a_fault_is_never_skimmed_for_long(kind: str) -> None:
    programme = cut([("moving", 1, 60), (kind, 2, 200)], repeat(20), 100)
    assert watched(programme, skims=True)[1] <= 4


def test_what_moves_a_little_is_skimmed_too() -> None:
    programme = cut([("talking", 2, 400)], repeat(20), 100)
    assert watched(programme, skims=True)[1] >= 15


def test_short_thresholds_have_each_picture_measured() -> None:
    short = Thresholds(blackout_threshold_sec=7)
    programme = cut([("moving", 1, 200)], repeat(20), 100)
    assert watched(programme, skims=True)[1] == 9
    assert watched([replace(each, thresholds=short) for each in programme], skims=True)[1] == 0
