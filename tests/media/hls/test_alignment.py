"""Another rendition is followed from where the one before was left."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from media.hls.cursor import PlaylistCursor
from media.hls.playlist import MediaPlaylist
from tests.media.hls.build import window

AT = datetime(2026, 5, 1, tzinfo=UTC)
LENGTH_SEC = 5.0


def dated(playlist: MediaPlaylist, *, first_at_sec: float) -> MediaPlaylist:
    starts = [AT + timedelta(seconds=first_at_sec + 5 * n) for n in range(len(playlist.segments))]
    segments = [
        replace(segment, program_date_time=start)
        for segment, start in zip(playlist.segments, starts, strict=True)
    ]
    return replace(playlist, segments=tuple(segments))


def seen_up_to(last: int, *, is_dated: bool = True) -> PlaylistCursor:
    """Return a cursor that is done with 0 to `last`, which began at 0 s, 5 s, ... after `AT`."""
    playlist = window(0, last, duration_sec=LENGTH_SEC)
    cursor = PlaylistCursor()
    for each in cursor.advance(dated(playlist, first_at_sec=0) if is_dated else playlist).segments:
        cursor.done(each)
    cursor.switch()
    return PlaylistCursor.model_validate_json(cursor.model_dump_json())


@pytest.mark.parametrize(
    ("first", "last", "first_at_sec", "expected", "missed"),
    [
        pytest.param(0, 6, 0, [5, 6], 0, id="the same numbers"),
        pytest.param(1000, 1006, 0, [1005, 1006], 0, id="higher numbers"),
        pytest.param(7, 9, 20.2, [8, 9], 0, id="nearly in step"),
        pytest.param(500, 502, 35, [500, 501, 502], 2, id="some left the window"),
        pytest.param(500, 502, 10, [], 0, id="in step with what was seen"),
        pytest.param(500, 501, 5, [], 0, id="behind"),
    ],
)
def test_by_the_clock(
    first: int, last: int, first_at_sec: float, expected: list[int], missed: int
) -> None:
    cursor = seen_up_to(4)
    there = dated(window(first, last, duration_sec=LENGTH_SEC), first_at_sec=first_at_sec)
    advance = cursor.advance(there)
    assert [each.sequence for each in advance.segments] == expected
    assert (advance.missed, advance.restarted, advance.rejoined) == (missed, False, False)


def test_one_that_is_behind_is_followed_from_where_the_other_was_left() -> None:
    cursor = seen_up_to(9)
    seen = []
    for last in range(502, 520):
        there = dated(
            window(last - 2, last, duration_sec=LENGTH_SEC), first_at_sec=5 * (last - 502)
        )
        for each in cursor.advance(there).segments:
            cursor.done(each)
            seen.append(each.program_date_time)
    assert seen == [AT + timedelta(seconds=50 + 5 * n) for n in range(len(seen))]
    assert len(seen) == 10


def test_by_the_numbers_where_no_clock_tells() -> None:
    cursor = seen_up_to(4, is_dated=False)
    advance = cursor.advance(window(7, 9, duration_sec=LENGTH_SEC))
    assert [each.sequence for each in advance.segments] == [7, 8, 9]
    assert (advance.missed, advance.rejoined) == (2, False)


@pytest.mark.parametrize("first", [90_000, 700])
def test_from_the_live_edge_where_nothing_tells(first: int) -> None:
    cursor = seen_up_to(4, is_dated=False)
    advance = cursor.advance(window(first, first + 5, duration_sec=LENGTH_SEC))
    assert (advance.segments, advance.missed, advance.rejoined) == ((), 0, True)
    advance = cursor.advance(window(first + 1, first + 6, duration_sec=LENGTH_SEC))
    assert [each.sequence for each in advance.segments] == [first + 6]
    assert (advance.changed, advance.missed, advance.rejoined) == (True, 0, False)


@pytest.mark.parametrize("first_at_sec", [-9_000_000, 9_000_000])
def test_a_clock_that_is_far_off_does_not_count(first_at_sec: float) -> None:
    cursor = seen_up_to(4)
    advance = cursor.advance(dated(window(9, 11), first_at_sec=first_at_sec))
    assert (advance.segments, advance.missed, advance.rejoined) == ((), 0, True)


def test_nothing_seen_yet_is_joined_as_ever() -> None:
    cursor = PlaylistCursor()
    cursor.switch()
    assert [each.sequence for each in cursor.advance(window(10, 12)).segments] == [10, 11, 12]
