"""Segments keep their numbers from load to load, though a manifest may give them none."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.hls.cursor import PlaylistCursor
from media.hls.playlist import MediaPlaylist, Segment

START = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def window(first: int, last: int, lengths_sec: Sequence[float]) -> MediaPlaylist:
    """Return a playlist of the stream's segments from one to another, without numbers."""
    starts = [sum(lengths_sec[:place]) for place in range(first, last)]
    return MediaPlaylist(
        target_duration_sec=2.0,
        media_sequence=0,
        segments=tuple(
            Segment(
                uri="https://media.example/segment",
                sequence=place,
                duration_sec=lengths_sec[first + place],
                program_date_time=START + timedelta(seconds=start),
                name=f"at {start}",
            )
            for place, start in enumerate(starts)
        ),
        is_numbered=False,
    )


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(1, 12)), min_size=1, max_size=12),
    st.lists(st.sampled_from([1.0, 1.9, 2.0, 2.1]), min_size=100, max_size=100),
)
def test_every_segment_in_a_window_is_analysed_once(
    loads: list[tuple[int, int]], lengths_sec: list[float]
) -> None:
    cursor = PlaylistCursor()
    analysed: list[str] = []
    newest = first = 0
    for forward, size in loads:
        newest = max(newest + forward, 1)
        first = max(first, newest - size)  # windows do not grow at their old end
        playlist = cursor.numbered(window(first, newest, lengths_sec))
        for segment in cursor.advance(playlist).segments:
            analysed.append(segment.name)
            cursor.done(segment)
        cursor = PlaylistCursor.model_validate_json(cursor.model_dump_json())
    assert len(set(analysed)) == len(analysed)
    everything = {it.name for it in window(0, newest, lengths_sec).segments}
    assert set(analysed) <= everything


@pytest.mark.parametrize("missed", [0, 3, 50])
def test_what_left_the_window_unseen_is_counted(missed: int) -> None:
    lengths_sec = [2.0] * 100
    cursor = PlaylistCursor()
    for segment in cursor.advance(cursor.numbered(window(0, 10, lengths_sec))).segments:
        cursor.done(segment)
    advance = cursor.advance(cursor.numbered(window(10 + missed, 20 + missed, lengths_sec)))
    assert advance.missed == missed
    assert advance.missed_sec == pytest.approx(2.0 * missed)
    assert len(advance.segments) == 10
    assert not advance.restarted


def test_after_a_new_resolution_the_wall_clock_tells_what_was_done() -> None:
    lengths_sec = [2.0] * 100
    cursor = PlaylistCursor()
    for segment in cursor.advance(cursor.numbered(window(0, 10, lengths_sec))).segments:
        cursor.done(segment)
    cursor.moved()
    advance = cursor.advance(cursor.numbered(window(4, 12, lengths_sec)))
    assert [it.name for it in advance.segments] == ["at 20.0", "at 22.0"]
