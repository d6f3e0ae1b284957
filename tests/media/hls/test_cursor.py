"""A follower sees each segment once, in order, whatever the servers and its own crashes do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.hls.cursor import IMPLAUSIBLE_JUMP, REMEMBERED, Advance, PlaylistCursor
from media.hls.playlist import ByteRange, Encryption, MediaPlaylist
from tests.media.hls.build import TARGET_SEC, segment, window


def sequences(advance: Advance) -> list[int]:
    return [segment.sequence for segment in advance.segments]


def follow(cursor: PlaylistCursor, playlist: MediaPlaylist) -> Advance:
    """Advance and be done with all of it."""
    advance = cursor.advance(playlist)
    for each in advance.segments:
        cursor.done(each)
    return advance


def taken_over(cursor: PlaylistCursor) -> PlaylistCursor:
    return PlaylistCursor.model_validate_json(cursor.model_dump_json())


def joined(playlist: MediaPlaylist) -> PlaylistCursor:
    cursor = PlaylistCursor()
    follow(cursor, playlist)
    return cursor


@pytest.mark.parametrize(
    ("playlist", "expected"),
    [
        pytest.param(window(10, 12), [10, 11, 12], id="a short window as a whole"),
        pytest.param(window(0, 99), [94, 95, 96, 97, 98, 99], id="30 s of a long one"),
        pytest.param(window(0, 99, ended=True), [94, 95, 96, 97, 98, 99], id="an ended one too"),
        pytest.param(window(0, 9, duration_sec=40), [9], id="at least one segment"),
        pytest.param(window(0, 9, duration_sec=20), [9], id="never more than 30 s"),
    ],
)
def test_the_first_playlist_is_joined_at_its_end(
    playlist: MediaPlaylist, expected: list[int]
) -> None:
    advance = PlaylistCursor().advance(playlist)
    assert sequences(advance) == expected
    assert (advance.changed, advance.missed, advance.restarted) == (True, 0, False)


@pytest.mark.parametrize(
    ("playlist", "unseen_sec", "expected", "missed"),
    [
        pytest.param(window(94, 99), 20, [94, 95, 96, 97, 98, 99], 0, id="not long"),
        pytest.param(window(94, 99), 85, [94, 95, 96, 97, 98, 99], 11, id="longer than is listed"),
        pytest.param(window(80, 99), 40, [92, 93, 94, 95, 96, 97, 98, 99], 0, id="all is listed"),
        pytest.param(window(3, 5), 85, [3, 4, 5], 3, id="no more than there ever were"),
    ],
)
def test_what_should_have_been_seen_before_the_first_playlist_is_seen_or_missed(
    playlist: MediaPlaylist, unseen_sec: float, expected: list[int], missed: int
) -> None:
    """A worker that is lost before its first segment leaves no position."""
    advance = PlaylistCursor().advance(playlist, unseen_sec=unseen_sec)
    assert (sequences(advance), advance.missed) == (expected, missed)


def test_an_empty_playlist_is_not_joined_yet() -> None:
    cursor = PlaylistCursor()
    assert cursor.advance(window(0, -1)) == Advance(segments=())
    assert sequences(cursor.advance(window(0, 1))) == [0, 1]


def test_an_empty_playlist_in_between_changes_nothing() -> None:
    cursor = joined(window(0, 3))
    assert cursor.advance(window(0, -1)) == Advance(segments=())
    assert sequences(cursor.advance(window(2, 5))) == [4, 5]


def test_what_is_left_of_a_playlist_is_what_is_not_done() -> None:
    cursor, playlist = PlaylistCursor(), window(4, 7)
    assert cursor.left(playlist) == ()
    advance = cursor.advance(playlist)
    assert taken_over(cursor).left(playlist) == advance.segments
    for done, each in enumerate(advance.segments, start=1):
        cursor.done(each)
        assert cursor.left(playlist) == advance.segments[done:]


def test_new_segments_are_those_after_the_last() -> None:
    cursor = joined(window(0, 3))
    assert sequences(follow(cursor, window(1, 5))) == [4, 5]
    assert sequences(follow(cursor, window(3, 6))) == [6]


def test_the_same_playlist_again_brings_nothing() -> None:
    cursor = joined(window(0, 3))
    assert cursor.advance(window(0, 3)) == Advance(segments=())


def test_what_is_not_done_comes_again() -> None:
    cursor = PlaylistCursor()
    advance = cursor.advance(window(0, 3))
    cursor.done(advance.segments[0])
    assert sequences(taken_over(cursor).advance(window(0, 3))) == [1, 2, 3]
    assert sequences(cursor.advance(window(1, 4))) == [1, 2, 3, 4]


def test_segments_that_left_the_window_are_counted_once() -> None:
    cursor = joined(window(0, 3))
    advance = cursor.advance(window(10, 12))
    assert (sequences(advance), advance.missed, advance.missed_sec) == ([10, 11, 12], 6, 30.0)
    assert taken_over(cursor).advance(window(10, 12)).missed == 0


def test_a_gap_is_passed_on_as_one() -> None:
    cursor = joined(window(0, 3))
    playlist = window(2, 5)
    gap = segment(4, gap=True)
    advance = cursor.advance(replace(playlist, segments=(*playlist.segments[:2], gap, segment(5))))
    assert [(each.sequence, each.gap) for each in advance.segments] == [(4, True), (5, False)]


def test_a_sequence_that_goes_back_is_a_restart() -> None:
    cursor = joined(window(100, 105))
    advance = follow(cursor, window(0, 2, programme="b"))
    assert (sequences(advance), advance.restarted, advance.changed) == ([0, 1, 2], True, True)
    assert sequences(follow(cursor, window(1, 3, programme="b"))) == [3]


def test_a_restart_is_told_once() -> None:
    cursor = joined(window(100, 105))
    cursor.advance(window(0, 2, programme="b"))
    again = taken_over(cursor).advance(window(0, 3, programme="b"))
    assert (sequences(again), again.restarted) == ([0, 1, 2, 3], False)


@pytest.mark.parametrize("first", [1, 2])
def test_a_restart_under_the_same_names_is_told_by_its_short_window(first: int) -> None:
    """ffmpeg, started again: live0.ts comes again, and the window grows anew."""
    cursor = joined(window(0, 5))
    for begin in range(1, 9):
        follow(cursor, window(begin, begin + 5))
    advance = follow(taken_over(cursor), window(0, first))
    assert (sequences(advance), advance.restarted) == (list(range(first + 1)), True)


def test_a_restart_of_a_packager_that_always_counts_from_zero_is_seen() -> None:
    """With single_file, ffmpeg lists byte ranges of the same file from its beginning."""
    cursor = PlaylistCursor()
    for first in range(8):
        follow(cursor, cursor.numbered(always_from_zero(first, first + 5)))
    advance = follow(cursor, cursor.numbered(always_from_zero(0, 1)))
    assert (len(advance.segments), advance.restarted) == (2, True)
    assert len(follow(cursor, cursor.numbered(always_from_zero(0, 2))).segments) == 1


def test_names_that_come_again_in_a_single_file_do_not_lead_back() -> None:
    """The encoder starts again, and some byte ranges happen to begin where others did."""
    cursor, numbers = PlaylistCursor(), list[int]()
    for first in range(4, 12):
        follow(cursor, cursor.numbered(always_from_zero(first, first + 5)))
    for first, last in ((0, 0), (0, 1), (0, 3), (0, 5), (1, 6), (2, 7)):
        numbers += sequences(follow(cursor, cursor.numbered(always_from_zero(first, last))))
    assert numbers == list(range(13, 21))


def test_an_older_copy_of_a_growing_window_is_only_stale() -> None:
    """As with EXT-X-PLAYLIST-TYPE:EVENT."""
    cursor = joined(window(0, 5))
    follow(cursor, window(0, 20))
    assert cursor.advance(window(0, 6)) == Advance(segments=())


def test_a_restart_under_numbers_seen_before_is_told_by_its_uris() -> None:
    cursor = joined(window(0, 5))
    advance = cursor.advance(window(3, 8, programme="b"))
    assert (sequences(advance), advance.restarted) == ([3, 4, 5, 6, 7, 8], True)


def test_a_short_restart_under_numbers_seen_before_is_no_stale_copy() -> None:
    cursor = joined(window(0, 5))
    advance = cursor.advance(window(0, 1, programme="b"))
    assert (sequences(advance), advance.restarted) == ([0, 1], True)


def test_segments_of_the_old_programme_that_were_never_done_are_missed() -> None:
    cursor = PlaylistCursor()
    advance = cursor.advance(window(100, 105))
    cursor.done(advance.segments[0])
    assert cursor.advance(window(0, 2, programme="b")).missed == 5


def test_a_done_that_comes_after_the_restart_moves_nothing() -> None:
    cursor = PlaylistCursor()
    old = cursor.advance(window(100, 105)).segments
    cursor.advance(window(0, 2, programme="b"))
    cursor.done(old[0])
    assert sequences(cursor.advance(window(0, 2, programme="b"))) == [0, 1, 2]


@pytest.mark.parametrize("lag", [1, 2, 3, 20, REMEMBERED - 1])
def test_an_older_copy_is_only_stale(lag: int) -> None:
    cursor = PlaylistCursor()
    for first in range(100, 200):
        follow(cursor, window(first, first + 3))
    stale = cursor.advance(window(199 - lag, 202 - lag))
    assert stale == Advance(segments=())
    assert sequences(cursor.advance(window(200, 203))) == [203]


def test_a_stale_copy_still_brings_what_is_not_done() -> None:
    cursor = PlaylistCursor()
    cursor.done(cursor.advance(window(0, 3)).segments[0])
    advance = taken_over(cursor).advance(window(0, 2))
    assert (sequences(advance), advance.changed) == ([1, 2], False)


def test_a_jump_that_no_outage_explains_is_a_restart() -> None:
    cursor = joined(window(0, 3))
    epoch = IMPLAUSIBLE_JUMP + 5
    advance = cursor.advance(window(epoch, epoch + 2))
    assert (advance.restarted, advance.missed, len(advance.segments)) == (True, 0, 3)


def test_a_server_that_renames_segments_on_each_request_is_believed_once() -> None:
    cursor = joined(window(0, 3, programme="p0"))
    assert follow(cursor, window(1, 4, programme="p1")).restarted
    for load in range(2, 20):
        advance = follow(cursor, window(load, load + 3, programme=f"p{load}"))
        assert (sequences(advance), advance.restarted) == ([load + 3], False)


def always_from_zero(first: int, last: int) -> MediaPlaylist:
    """What a packager serves that always says MEDIA-SEQUENCE 0."""
    listed = enumerate(window(first, last).segments)
    return replace(
        window(0, last - first),
        segments=tuple(replace(each, sequence=number) for number, each in listed),
    )


@pytest.mark.parametrize("length", [3, 5, 40, 200])
@pytest.mark.parametrize("step", [1, 2])
def test_a_packager_that_always_counts_from_zero_is_followed(length: int, step: int) -> None:
    """RFC 8216 6.2.2 has the number grow with each segment that is removed."""
    cursor, uris = PlaylistCursor(), list[str]()
    for first in range(0, 60, step):
        playlist = cursor.numbered(always_from_zero(first, first + length - 1))
        advance = follow(cursor, playlist)
        uris += [each.uri.partition("?")[0] for each in advance.segments]
        assert not advance.restarted
        cursor = taken_over(cursor)
    expected = window(max(0, length - 6), 60 - step + length - 1)
    assert uris == [each.uri.partition("?")[0] for each in expected.segments]


def test_renumbered_segments_are_decrypted_by_the_servers_numbers() -> None:
    """RFC 8216 5.2: without an IV, the media sequence number is it."""
    cursor, key = PlaylistCursor(), Encryption("AES-128", "https://cdn.example/k")
    for first in range(3):
        listed = always_from_zero(first, first + 2)
        encrypted = tuple(replace(each, encryption=key) for each in listed.segments)
        playlist = cursor.numbered(replace(listed, segments=encrypted))
        follow(cursor, playlist)
    encryption = playlist.segments[-1].encryption
    assert playlist.segments[-1].sequence == 4
    assert encryption
    assert encryption.iv == bytes(15) + b"\x02"


def test_names_that_come_again_under_right_numbers_are_new() -> None:
    """Ffmpeg's -segment_wrap: the names of the files repeat."""
    cursor = PlaylistCursor()
    for first in range(50):
        listed = window(first, first + 4)
        names = (f"https://cdn.example/{each.sequence % 7}.ts" for each in listed.segments)
        segments = tuple(
            replace(each, uri=uri) for each, uri in zip(listed.segments, names, strict=True)
        )
        advance = follow(cursor, cursor.numbered(replace(listed, segments=segments)))
        assert sequences(advance) == (list(range(5)) if first == 0 else [first + 4])


def test_a_playlist_that_moved_keeps_its_position() -> None:
    cursor = joined(window(0, 5))
    cursor.moved()
    advance = taken_over(cursor).advance(window(3, 6, programme="other rendition"))
    assert (sequences(advance), advance.restarted) == ([6], False)


def test_a_playlist_that_moved_may_lag_first() -> None:
    cursor = joined(window(0, 50))
    cursor.moved()
    advance = cursor.advance(window(40, 48, programme="other rendition"))
    assert (advance.segments, advance.changed, advance.restarted) == ((), False, False)


def test_a_playlist_that_moved_may_be_a_new_programme() -> None:
    cursor = joined(window(90, 99))
    cursor.moved()
    assert cursor.advance(window(0, 3, programme="b")).restarted


def test_parts_of_one_file_are_told_apart_by_their_bytes() -> None:
    def parts(programme: str, first: int) -> MediaPlaylist:
        playlist = window(first, first + 3, programme=programme)
        return replace(
            playlist,
            segments=tuple(
                replace(
                    each,
                    uri="https://cdn.example/all.mp4",
                    byte_range=ByteRange(each.sequence * 1000 + len(programme), 1000),
                )
                for each in playlist.segments
            ),
        )

    cursor = joined(parts("a", 0))
    assert not cursor.advance(parts("a", 1)).restarted
    assert cursor.advance(parts("bb", 1)).restarted


def test_a_token_in_the_path_does_not_make_another_segment() -> None:
    cursor = joined(window(0, 3, programme="hdntl=exp=1~hmac=aa/live"))
    advance = cursor.advance(window(1, 4, programme="hdntl=exp=2~hmac=bb/live"))
    assert (sequences(advance), advance.restarted) == ([4], False)


def test_the_cursor_fits_into_a_heartbeat() -> None:
    top = 2**63 - 1000
    cursor = joined(window(top, top + 200))
    assert len(cursor.model_dump_json()) < 2048


def test_state_survives_plain_json_values() -> None:
    cursor = joined(window(0, 3))
    assert PlaylistCursor.model_validate(cursor.model_dump(mode="json")) == cursor


STEPS = st.lists(
    st.tuples(
        st.integers(0, 8),  # segments published meanwhile
        st.integers(0, 3),  # segments that the answering edge lags behind
        st.integers(0, 8),  # segments done before the worker dies
        st.booleans(),  # whether it dies
    ),
    max_size=40,
)


@given(start=st.integers(0, 2**40), size=st.integers(4, 12), steps=STEPS)
def test_each_segment_is_seen_once_and_in_order(
    start: int, size: int, steps: list[tuple[int, int, int, bool]]
) -> None:
    cursor = joined(window(start, start + size - 1))
    assert cursor.next_sequence is not None
    position, analysed, missed = cursor.next_sequence, list[int](), 0
    for published, lag, finished, dies in steps:
        start += published
        first = max(start - lag, position - size)
        playlist = window(first, first + size - 1)
        advance = taken_over(cursor).advance(playlist)
        assert advance == cursor.advance(playlist)
        assert not advance.restarted
        missed += advance.missed
        for each in advance.segments[: finished if dies else None]:
            analysed.append(each.sequence)
            cursor.done(each)
        cursor = taken_over(cursor)
        assert cursor.next_sequence is not None
        assert dies or cursor.next_sequence > first + size - 1
    assert analysed == sorted(set(analysed))
    assert cursor.next_sequence == position + len(analysed) + missed


def test_segments_keep_their_wall_clock_when_a_playlist_tells_it_no_more() -> None:
    """A DASH manifest that turns static has no availabilityStartTime any more."""
    began_at = datetime(2026, 1, 1, tzinfo=UTC)
    live = replace(window(0, 5), is_numbered=False)
    dated = tuple(
        replace(each, program_date_time=began_at + timedelta(seconds=number * TARGET_SEC))
        for number, each in enumerate(live.segments)
    )
    cursor = PlaylistCursor()
    cursor.advance(cursor.numbered(replace(live, segments=dated)))
    static = cursor.numbered(replace(window(0, 7), is_numbered=False, ended=True))
    starts = [each.program_date_time for each in static.segments]
    assert starts == [began_at + timedelta(seconds=number * TARGET_SEC) for number in range(8)]
