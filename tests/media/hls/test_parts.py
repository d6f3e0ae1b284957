"""Parts of segments (8216bis 4.4.4.9), and the pieces that they are measured in."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.hls.cursor import PlaylistCursor
from media.hls.errors import PlaylistTooLarge
from media.hls.parser import parse_playlist
from media.hls.playlist import ByteRange, MediaPlaylist, Part, Segment
from media.hls.reload import delivery_directives, with_directives

BASE = "https://cdn.example/live/index.m3u8"
HEADER = (
    "#EXT-X-TARGETDURATION:4",
    "#EXT-X-PART-INF:PART-TARGET=0.5",
    "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5",
    "#EXT-X-MEDIA-SEQUENCE:10",
)


def parse(*lines: str) -> MediaPlaylist:
    playlist = parse_playlist("\n".join(("#EXTM3U", *HEADER, *lines)), BASE)
    assert isinstance(playlist, MediaPlaylist)
    return playlist


def part(number: int, *, independent: bool = True, more: str = "") -> str:
    mark = ",INDEPENDENT=YES" if independent else ""
    return f'#EXT-X-PART:DURATION=0.5,URI="p{number}.mp4"{mark}{more}'


def test_parts_belong_to_the_segment_that_follows() -> None:
    playlist = parse(
        part(0), part(1, independent=False), "#EXTINF:1,", "10.mp4", part(2, more=",GAP=YES")
    )
    (segment,), partial = playlist.segments, playlist.partial
    assert segment.parts == (
        Part("https://cdn.example/live/p0.mp4", 0.5, independent=True),
        Part("https://cdn.example/live/p1.mp4", 0.5),
    )
    assert partial
    assert (partial.sequence, partial.duration_sec) == (11, 0.5)
    assert partial.parts == (
        Part("https://cdn.example/live/p2.mp4", 0.5, independent=True, gap=True),
    )
    assert playlist.edge == (11, 1)


def test_a_part_that_goes_on_in_the_same_file_has_no_offset() -> None:
    lines = (
        '#EXT-X-PART:DURATION=0.5,URI="a.mp4",BYTERANGE="10@5"',
        '#EXT-X-PART:DURATION=0.5,URI="a.mp4",BYTERANGE="7"',
    )
    partial = parse(*lines).partial
    assert partial
    assert [each.byte_range for each in partial.parts] == [ByteRange(5, 10), ByteRange(15, 7)]


def test_the_unfinished_segment_has_its_date_init_and_key() -> None:
    partial = parse(
        '#EXT-X-MAP:URI="i.mp4"',
        *("#EXT-X-PROGRAM-DATE-TIME:2026-03-01T12:00:00Z", "#EXTINF:4,", "10.mp4"),
        *('#EXT-X-KEY:METHOD=AES-128,URI="k"', part(0)),
    ).partial
    assert partial
    assert partial.init
    assert partial.encryption
    assert partial.program_date_time
    assert partial.program_date_time.second == 4


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("#EXT-X-PART:DURATION=0.5", id="no URI"),
        pytest.param('#EXT-X-PART:URI="a"', id="no duration"),
        pytest.param('#EXT-X-PART:URI="a",DURATION=-1', id="an absurd duration"),
        pytest.param('#EXT-X-PART:URI="a",DURATION=1,BYTERANGE="x"', id="no byte range"),
    ],
)
def test_a_part_that_cannot_be_read_leaves_its_segment_whole(line: str) -> None:
    playlist = parse(part(0), line, "#EXTINF:1,", "10.mp4", line)
    assert playlist.segments[0].parts == ()
    assert playlist.partial is None


def test_parts_of_old_segments_are_let_go() -> None:
    playlist = parse(*(part(0), "#EXTINF:1,", "a.mp4") * 5)
    assert [len(each.parts) for each in playlist.segments] == [0, 0, 1, 1, 1]


def test_the_parts_of_a_segment_are_bounded() -> None:
    with pytest.raises(PlaylistTooLarge):
        parse(*[part(0)] * 1_001)


def test_an_ended_playlist_has_no_unfinished_segment() -> None:
    assert parse(part(0), "#EXT-X-ENDLIST").partial is None


def pieces_of(playlist: MediaPlaylist, cursor: PlaylistCursor) -> list[tuple[int, float, int]]:
    """Measure what there is; return number, seconds and parts of each piece."""
    cursor.advance(playlist)
    found = []
    for each in cursor.pieces(playlist, in_parts=True):
        found.append((each.sequence, each.duration_sec, len(each.parts)))
        cursor.done(each)
    return found


WHOLE = ("#EXTINF:2,", "10.mp4")


def test_a_piece_is_complete_where_the_next_may_begin() -> None:
    cursor, dependent = PlaylistCursor(), [part(0), *(part(n, independent=False) for n in (1, 2))]
    assert pieces_of(parse(*WHOLE), cursor) == [(10, 2.0, 0)]
    assert pieces_of(parse(*WHOLE, *dependent), cursor) == []
    assert pieces_of(parse(*WHOLE, *dependent, part(3)), cursor) == [(11, 1.5, 3)]
    assert pieces_of(parse(*WHOLE, *dependent, part(3), part(4)), cursor) == []
    whole = (*dependent, part(3), part(4), "#EXTINF:2.5,", "11.mp4")
    assert pieces_of(parse(*WHOLE, *whole), cursor) == [(11, 1.0, 2)]
    assert cursor.next_sequence == 12


def test_what_is_left_of_a_segment_whose_parts_are_gone_is_a_gap() -> None:
    cursor = PlaylistCursor()
    pieces_of(parse(*WHOLE, *map(part, range(3))), cursor)
    playlist = parse(*WHOLE, "#EXTINF:2.5,", "11.mp4")
    cursor.advance(playlist)
    (rest,) = cursor.pieces(playlist, in_parts=True)
    assert (rest.sequence, rest.duration_sec, rest.gap) == (11, 1.5, True)
    cursor.done(rest)
    assert (cursor.next_sequence, cursor.parts_done) == (12, 0)


def test_another_rendition_goes_on_behind_the_segment_that_was_begun() -> None:
    cursor = PlaylistCursor()
    pieces_of(parse(*WHOLE, *map(part, range(3))), cursor)
    cursor.switch()
    unfinished = parse(*WHOLE, *map(part, range(4)))
    assert pieces_of(unfinished, cursor) == []
    complete = parse(*WHOLE, *map(part, range(5)), "#EXTINF:2.5,", "11.mp4", *map(part, range(3)))
    cursor.advance(complete)
    rest, piece = cursor.pieces(complete, in_parts=True)
    assert (rest.gap, rest.duration_sec) == (True, 1.5)
    assert (piece.sequence, piece.duration_sec) == (12, 1.0)


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([part(n, independent=n == 0) for n in range(6)], id="one keyframe"),
        pytest.param([part(n, independent=n > 0) for n in range(6)], id="begins without one"),
        pytest.param(['#EXT-X-KEY:METHOD=AES-128,URI="k"', *map(part, range(6))], id="encrypted"),
    ],
)
def test_without_pieces_segments_are_whole(lines: Sequence[str]) -> None:
    assert pieces_of(parse(*WHOLE, *lines), PlaylistCursor()) == [(10, 2.0, 0)]


def test_a_missing_part_makes_its_piece_a_gap() -> None:
    playlist = parse(*WHOLE, part(0), part(1, more=",GAP=YES"), part(2))
    cursor = PlaylistCursor()
    cursor.advance(playlist)
    assert [each.gap for each in cursor.pieces(playlist, in_parts=True)] == [False, True]


@given(
    independent=st.lists(st.booleans(), min_size=1, max_size=12),
    looks=st.lists(st.integers(0, 13), max_size=8).map(sorted),
)
def test_each_part_is_measured_once(independent: list[bool], looks: list[int]) -> None:
    """Whenever the playlist is looked at, and whoever goes on from the state in between."""
    parts = tuple(Part(f"p{n}", 0.5, independent=each) for n, each in enumerate(independent))
    first = Segment("a", 0, 2.0)
    segment = Segment("b", 1, 0.5 * len(parts), parts=parts)
    cursor, measured = PlaylistCursor(), list[str]()
    for count in [*looks, 13]:
        partial = replace(segment, parts=parts[:count]) if 0 < count <= len(parts) else None
        segments = (first, segment) if count > len(parts) else (first,)
        playlist = MediaPlaylist(4, 0, segments, partial=partial)
        cursor = PlaylistCursor.model_validate_json(cursor.model_dump_json())
        cursor.advance(playlist)
        for piece in cursor.pieces(playlist, in_parts=True):
            whole = [each.uri for each in parts] if piece.uri == "b" else []
            measured += [each.uri for each in piece.parts] if piece.is_piece else whole
            cursor.done(piece)
    assert measured == [each.uri for each in parts]


@pytest.mark.parametrize(
    ("lines", "query"),
    [
        pytest.param([*map(part, range(3))], "?_HLS_msn=11&_HLS_part=4", id="a second more"),
        pytest.param([part(0)], "?_HLS_msn=11", id="not known to come in pieces"),
        pytest.param(["#EXT-X-ENDLIST"], "", id="ended"),
    ],
)
def test_a_request_waits_for_a_piece(lines: list[str], query: str) -> None:
    """8216bis 6.2.5.2."""
    playlist = parse(*WHOLE, *lines)
    directives = delivery_directives(playlist, age_sec=0, may_block=True)
    assert with_directives(BASE, directives) == BASE + query
    assert delivery_directives(playlist, age_sec=0, may_block=False) == {}


def test_directives_are_added_to_a_query() -> None:
    assert with_directives("https://a/b?c=d#e", {"_HLS_msn": "1"}) == "https://a/b?c=d&_HLS_msn=1#e"
