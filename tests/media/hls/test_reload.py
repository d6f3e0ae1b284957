"""How often a live playlist is asked for, and how late a segment is seen."""

import random
from dataclasses import dataclass

import pytest

from media.hls.cursor import PlaylistCursor
from media.hls.playlist import MediaPlaylist
from media.hls.reload import MIN_RELOAD_SEC, counted_start, next_reload_delay
from tests.media.hls.build import window


@pytest.mark.parametrize(
    ("changed", "target_sec", "segment_sec", "delay_sec"),
    [
        pytest.param(True, 6, 6, 6, id="changed: the target duration"),
        pytest.param(False, 6, 6, 3, id="unchanged: half of it"),
        pytest.param(True, 6, 5, 6, id="shorter segments"),
        pytest.param(True, 2, 2.4, 2.4, id="longer by rounding"),
        pytest.param(True, 2, 600, 2.5, id="an absurd segment"),
        pytest.param(False, 1, 1, MIN_RELOAD_SEC, id="the floor"),
    ],
)
def test_the_delay_follows_the_target_duration(
    changed: bool, target_sec: float, segment_sec: float, delay_sec: float
) -> None:
    playlist = window(0, 5, target_sec=target_sec, duration_sec=segment_sec)
    delay = next_reload_delay(playlist, changed=changed)
    assert delay == pytest.approx(delay_sec)


def test_reading_takes_a_tenth_of_a_core_at_most() -> None:
    delay = next_reload_delay(window(0, 5), changed=False, read_sec=0.9)
    assert delay == pytest.approx(9)


@pytest.mark.parametrize(
    ("interval_sec", "playlist", "delay_sec"),
    [
        pytest.param(2, window(0, 9), 2, id="more often"),
        pytest.param(30, window(0, 9), 30, id="less often"),
        pytest.param(60, window(0, 9), 45, id="not past the window"),
        pytest.param(60, window(0, 0), 5, id="a window that only begins"),
        pytest.param(60, window(0, -1), 5, id="an empty window"),
    ],
)
def test_a_check_interval_replaces_the_rule(
    interval_sec: float, playlist: MediaPlaylist, delay_sec: float
) -> None:
    for changed in (True, False):
        delay = next_reload_delay(playlist, changed=changed, check_interval_sec=interval_sec)
        assert delay == delay_sec


@dataclass
class Watched:
    requests: int
    segments: int
    missed: int
    longest_wait_sec: float


def watch(
    *,
    target_sec: float,
    segment_sec: float,
    phase_sec: float,
    jitter_sec: float,
    request_sec: float,
) -> Watched:
    """Follow 300 segments in simulated time; segment n is published at n * segment_sec + jitter."""
    dice = random.Random(7)
    published = [n * segment_sec + dice.uniform(0, jitter_sec) for n in range(301)]
    cursor, now = PlaylistCursor(), 10 * segment_sec + phase_sec
    watched = Watched(0, 0, 0, 0.0)
    while now < published[-1]:
        last = sum(moment <= now for moment in published) - 1
        playlist = window(last - 2, last, target_sec=target_sec, duration_sec=segment_sec)
        advance = cursor.advance(playlist)
        for each in advance.segments:
            cursor.done(each)
            if watched.requests:
                watched.segments += 1
                waited_sec = now - published[each.sequence]
                watched.longest_wait_sec = max(watched.longest_wait_sec, waited_sec)
        watched.missed += advance.missed
        watched.requests += 1
        now += max(request_sec, next_reload_delay(playlist, changed=advance.changed))
    return watched


@pytest.mark.parametrize("phase_sec", [0.0, 0.01, 0.9, 1.7])
@pytest.mark.parametrize(
    ("target_sec", "segment_sec", "jitter_sec"),
    [
        pytest.param(6, 6, 0, id="exactly the target duration"),
        pytest.param(6, 6, 0.3, id="the target duration with jitter"),
        pytest.param(6, 5, 0, id="5 s of 6"),
        pytest.param(5, 5.005, 0.1, id="5.005 s of 5"),
        pytest.param(4, 4.004, 0, id="4.004 s of 4"),
        pytest.param(2, 2.4, 0.1, id="2.4 s of 2"),
        pytest.param(2, 2, 0.1, id="low latency, 2 s"),
        pytest.param(1, 1, 0.1, id="low latency, 1 s"),
        pytest.param(10, 4, 0.5, id="4 s of 10"),
    ],
)
def test_about_one_request_a_segment_finds_each_in_time(
    target_sec: float, segment_sec: float, jitter_sec: float, phase_sec: float
) -> None:
    watched = watch(
        target_sec=target_sec,
        segment_sec=segment_sec,
        phase_sec=phase_sec,
        jitter_sec=jitter_sec,
        request_sec=0.2,
    )
    assert watched.missed == 0
    assert watched.requests <= 1.2 * watched.segments
    assert watched.longest_wait_sec <= max(target_sec, segment_sec) + 1e-6


@pytest.mark.parametrize(
    ("now", "due_at", "start"),
    [(50.0, None, 50.0), (50.01, 50.0, 50.0), (50.2, 50.0, 50.2), (49.5, 50.0, 49.5)],
    ids=["first", "timer a little late", "held up", "earlier than due"],
)
def test_a_timer_that_fires_a_little_late_moves_no_later_request(
    now: float, due_at: float | None, start: float
) -> None:
    assert counted_start(now, due_at) == start
