"""Where a context shows that all is well, not measuring the rest changes nothing that is told."""

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle, repeat

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from monitors.config import Thresholds
from monitors.detectors.media_detectors import MediaDetectors
from monitors.detectors.skimming import MEASURED_PER_STILL_SEGMENT, MOST_DEFERRED
from monitors.frames import DecodeDepth
from monitors.incidents import IncidentOpened
from monitors.measurement import AdditionalAudio, Interval, ProbeContext
from tests.monitors.media_timeline import wall_clock
from tests.monitors.pictured import (
    FPS,
    SCENES,
    Shown,
    Watched,
    cut,
    is_flaw,
    lengths_around,
    watched,
)

LENGTHS = [3, 12, 25, 60, 150, 300]
anything = st.lists(
    st.tuples(st.sampled_from(sorted(SCENES)), st.integers(1, 60), st.sampled_from(LENGTHS)),
    min_size=2,
    max_size=6,
)
calm = st.tuples(st.sampled_from(["moving", "talking"]), st.integers(1, 60), st.integers(35, 110))
fault = st.tuples(
    st.sampled_from(["still", "black", "stumbling", "flickering", "blinking"]),
    st.integers(1, 3),
    st.one_of(st.integers(5, 250), st.integers(200, 600)),
)
calm_with_faults = st.lists(st.tuples(calm, fault), min_size=1, max_size=3).map(
    lambda pairs: [scene for pair in pairs for scene in pair]
)
limits = st.builds(
    Thresholds,
    blackout_threshold_sec=st.sampled_from([8, 12, 4.5, 2]),
    freeze_threshold_sec=st.sampled_from([8, 12, 15, 3, 6.5, 30, 50]),
    silence_threshold_sec=st.sampled_from([0, 4]),
    recovery_sec=st.sampled_from([0, 1, 5]),
)
one_off = st.sampled_from(["blackout_threshold_sec", "freeze_threshold_sec"]).flatmap(
    lambda name: limits.map(lambda set_to: [set_to.model_copy(update={name: 0})])
)


def disturbed(programme: Sequence[Shown], seed: int, chosen: Sequence[Thresholds]) -> list[Shown]:
    """Lose segments, fill the cache, fall silent and change thresholds, all of it sometimes."""
    chance, current, made = random.Random(seed), chosen[0], list[Shown]()
    has_room = True
    for segment in programme:
        if chance.random() < 0.1:
            has_room = not has_room
        if chance.random() < 0.05:
            current = chance.choice(chosen)
        silent = chance.random() < 0.4
        made.append(
            replace(
                segment,
                is_lost=chance.random() < 0.06,
                silent=(Interval(start=0.0, end=segment.duration_sec),) if silent else (),
                thresholds=current,
                has_room=has_room,
            )
        )
    return made


def begins_with_a_flash(scenes: Sequence[tuple[str, int, int]], segments: Sequence[Shown]) -> bool:
    """Return whether a keyframe near the beginning of a freeze is a flaw: it is told a bit late."""
    keyframes = {
        round(each.position.start_sec * FPS) + keyframe
        for each in segments
        for keyframe in each.keyframes
    }
    began = 0
    for kind, _, count in scenes:
        near = range(min(count, 5 * len(segments[0].pictures)))
        if kind == "stumbling" and any(is_flaw(it) and began + it in keyframes for it in near):
            return True
        began += count
    return False


@settings(max_examples=60, deadline=None)
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
    segments = cut(shown, lengths, keyframes_apart)
    assume(not begins_with_a_flash(shown, segments))
    programme = disturbed(segments, seed, chosen)
    assert watched(programme, skims=True).told == watched(programme, skims=False).told


@settings(max_examples=40, deadline=None)
@given(
    shown=st.one_of(calm_with_faults, anything),
    seed=st.integers(0, 1 << 16),
    limit=limits,
)
def test_what_cannot_be_had_any_more_makes_no_incident(
    shown: list[tuple[str, int, int]], seed: int, limit: Thresholds
) -> None:
    chance = random.Random(seed)
    segments = cut(shown, lengths_around(round(FPS), chance), 100)
    programme = [replace(each, thresholds=limit) for each in segments]
    lossy = watched(programme, skims=True, at_hand=lambda *_: chance.random() < 0.5)
    true = [(it.kind, it.started_at) for it in opened(watched(programme, skims=False))]
    for told in opened(lossy):
        assert any(kind is told.kind and since <= told.started_at for kind, since in true)
    assert len(opened(lossy)) <= len(true)


@settings(max_examples=40, deadline=None)
@given(
    shown=st.one_of(calm_with_faults, anything),
    seed=st.integers(0, 1 << 16),
    limit=limits,
)
def test_a_worker_that_is_lost_makes_no_incident_and_none_begin_earlier(
    shown: list[tuple[str, int, int]], seed: int, limit: Thresholds
) -> None:
    chance = random.Random(seed)
    segments = cut(shown, lengths_around(round(FPS), chance), 100)
    programme = [
        replace(each, thresholds=limit, restarts=chance.random() < 0.1) for each in segments
    ]
    true = [(it.kind, it.started_at) for it in opened(watched(programme, skims=False))]
    for told in opened(watched(programme, skims=True)):
        assert any(kind is told.kind and since <= told.started_at for kind, since in true)


def opened(seen: Watched) -> list[IncidentOpened]:
    return [change for _, change in seen.told if isinstance(change, IncidentOpened)]


@pytest.mark.parametrize("fault", ["still", "black", "flickering"])
@pytest.mark.parametrize("began", range(70, 110, 7))
def test_a_fault_in_a_calm_stream_began_where_it_began(fault: str, began: int) -> None:
    limits = Thresholds(blackout_threshold_sec=8, freeze_threshold_sec=10)
    scenes = [("moving", 1, began), (fault, 2, 160), ("moving", 3, 100)]
    programme = [replace(each, thresholds=limits) for each in cut(scenes, repeat(20), 100)]
    seen = watched(programme, skims=True)
    assert seen.told == watched(programme, skims=False).told
    assert [change.started_at for _, change in seen.told] == [wall_clock(began / FPS)] * 2
    assert sum(seen.skimmed) >= 5


@pytest.mark.parametrize("kind", ["still", "black", "flickering", "stumbling"])
def test_what_may_be_a_fault_is_looked_at_closely_where_the_cache_is_full(kind: str) -> None:
    programme = cut([("moving", 1, 60), (kind, 2, 200)], repeat(20), 100)
    shown = [replace(each, has_room=False) for each in programme]
    assert DecodeDepth.KEYFRAME not in watched(shown, skims=True).depths


def test_what_moves_a_little_is_skimmed_too() -> None:
    programme = cut([("talking", 2, 400)], repeat(20), 100)
    assert sum(watched(programme, skims=True).skimmed) >= 15


def test_slides_that_change_long_before_a_freeze_is_due_are_never_measured() -> None:
    slides = [("still", seed, 200) for seed in range(1, 7)]
    seen = watched(patiently(cut(slides, repeat(20), 100)), skims=True)
    assert set(seen.depths) == {DecodeDepth.KEYFRAME}
    assert not any(seen.measured_again)


def test_somebody_who_talks_is_looked_at_until_seen_to_move() -> None:
    seen = watched(patiently(cut([("talking", 2, 1200)], repeat(20), 100)), skims=True)
    assert not any(seen.measured_again)
    assert 3 <= seen.depths.count(DecodeDepth.MOVEMENT) <= 8


def test_a_freeze_is_caught_up_with_step_by_step() -> None:
    scenes = [("moving", 1, 100), ("still", 2, 700)]
    seen = watched(patiently(cut(scenes, repeat(20), 100)), skims=True)
    assert max(seen.measured_again) <= MEASURED_PER_STILL_SEGMENT
    assert sum(seen.measured_again) >= 15
    assert seen.depths[-5:] == [DecodeDepth.EVERYTHING] * 5


def test_nothing_is_deferred_for_a_track_that_is_only_listened_to() -> None:
    context = MediaDetectors(tracks=frozenset({"audio"})).probe_context(2.0, Thresholds())
    assert context.depth is DecodeDepth.EVERYTHING


def test_what_is_deferred_is_bounded_whatever_the_threshold() -> None:
    far = Thresholds(blackout_threshold_sec=0, freeze_threshold_sec=3600)
    programme = cut([("still", 2, 3000)], cycle([5, 40]), 100)
    seen = watched([replace(each, thresholds=far) for each in programme], skims=True)
    assert 8 <= max(seen.deferred) <= MOST_DEFERRED + 1


def test_the_sound_of_what_is_deferred_is_not_kept() -> None:
    silent = [Interval(start=at, end=at + 0.5) for at in (0.0, 1.0)]
    further = AdditionalAudio(index=2, silent=silent)
    (segment,) = cut([("moving", 1, 20)], repeat(20), 100)
    measurement = segment.measured(ProbeContext(depth=DecodeDepth.KEYFRAME)).model_copy(
        update={"silent": silent, "audio_gaps": silent, "additional_audio": [further]}
    )
    detectors = MediaDetectors()
    detectors.feed(measurement, segment.position, Thresholds())
    (deferred,) = detectors.video.deferred
    assert measurement.stretches == 6
    assert deferred.measurement.stretches == 0
    assert deferred.measurement.cached is measurement.cached


def patiently(programme: Sequence[Shown]) -> list[Shown]:
    """Return a programme that is watched with the thresholds that users have mostly."""
    return [replace(each, thresholds=Thresholds()) for each in programme]


@pytest.mark.parametrize(("threshold_sec", "is_skimmed"), [(3.9, False), (4.0, True)])
def test_thresholds_under_two_segments_have_each_picture_measured(
    threshold_sec: float, is_skimmed: bool
) -> None:
    limit = Thresholds(blackout_threshold_sec=threshold_sec)
    programme = cut([("moving", 1, 200)], repeat(20), 100)
    shown = [replace(each, thresholds=limit) for each in programme]
    assert set(watched(shown, skims=True).skimmed) == {is_skimmed}
