"""Whatever is served, a playlist or a typed refusal comes of it; what is meant is read back."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.hls.cursor import PlaylistCursor
from media.hls.errors import PlaylistError
from media.hls.parser import parse_playlist
from media.hls.playlist import (
    ByteRange,
    Encryption,
    InitSegment,
    MasterPlaylist,
    MediaPlaylist,
    Segment,
)
from media.hls.reload import delivery_directives, next_reload_delay, with_directives
from media.hls.selection import rank_renditions

BASE = "https://cdn.example/live/index.m3u8"
TAGS = (
    "#EXTINF", "#EXT-X-BYTERANGE", "#EXT-X-DISCONTINUITY", "#EXT-X-KEY", "#EXT-X-MAP",
    "#EXT-X-PROGRAM-DATE-TIME", "#EXT-X-GAP", "#EXT-X-TARGETDURATION", "#EXT-X-MEDIA-SEQUENCE",
    "#EXT-X-DISCONTINUITY-SEQUENCE", "#EXT-X-ENDLIST", "#EXT-X-PLAYLIST-TYPE", "#EXT-X-VERSION",
    "#EXT-X-PART", "#EXT-X-PART-INF", "#EXT-X-SERVER-CONTROL", "#EXT-X-SKIP", "#EXT-X-DEFINE",
)  # fmt: skip
MASTER_TAGS = ("#EXT-X-STREAM-INF", "#EXT-X-MEDIA", "#EXT-X-I-FRAME-STREAM-INF")
VALUES = st.one_of(
    st.text(max_size=30),
    st.integers().map(str),
    st.floats().map(str),
    st.datetimes().map(datetime.isoformat),
    st.sampled_from(
        [
            "100@0", "5", "METHOD=AES-128,URI=\"k\",IV=0x1", "METHOD=NONE", 'URI="i",BYTERANGE="1"',
            'DURATION=0.5,URI="p",INDEPENDENT=YES', 'DURATION=1,URI="p",BYTERANGE="5"',
            "CAN-SKIP-UNTIL=12,CAN-BLOCK-RELOAD=YES", "PART-TARGET=0.5", "SKIPPED-SEGMENTS=2",
            'NAME="v",VALUE="{$v}{$v}"', 'QUERYPARAM="v"', 'IMPORT="v"', "{$v}",
            'TYPE=AUDIO,GROUP-ID="a",URI="//[x"', 'BANDWIDTH=1,CODECS="mp4a",AUDIO="a"', '="', "=",
        ]
    ),
)  # fmt: skip
URIS = st.one_of(st.text(max_size=30), st.sampled_from(["a.ts", "//[::1/a", "file:///etc/passwd"]))


def tag_lines(tags: tuple[str, ...]) -> st.SearchStrategy[str]:
    tag = st.builds("{}:{}".format, st.sampled_from(tags), VALUES)
    return st.lists(st.one_of(tag, URIS), max_size=30).map("\n".join)


def use(playlist: MasterPlaylist | MediaPlaylist) -> None:
    """Do with it what a follower does."""
    if isinstance(playlist, MasterPlaylist):
        rank_renditions(playlist)
        return
    cursor = PlaylistCursor()
    for segment in cursor.advance(playlist).segments:
        cursor.done(segment)
    for piece in cursor.pieces(playlist, in_parts=True):
        assert piece.parts
        cursor.done(piece)
    assert cursor.pieces(playlist, in_parts=True) == []
    directives = delivery_directives(playlist, age_sec=0, may_block=True)
    assert len(with_directives(BASE, directives)) < len(BASE) + 80
    again = PlaylistCursor.model_validate_json(cursor.model_dump_json()).advance(playlist)
    assert again.segments == ()
    assert 0 <= next_reload_delay(playlist, changed=again.changed) <= 61
    assert all(0 < segment.duration_sec <= 3600 for segment in playlist.segments)


@given(text=st.one_of(st.text(), *map(tag_lines, (TAGS, MASTER_TAGS, TAGS + MASTER_TAGS))))
def test_any_text_is_a_playlist_or_a_playlist_error(text: str) -> None:
    previous = None
    for answer in (text, f"#EXTM3U\n{text}", f"#EXTM3U\n{text}\n{text}"):
        with suppress(PlaylistError):
            playlist = parse_playlist(answer, BASE, imported={"v": "x"}, previous=previous)
            use(playlist)
            previous = playlist if isinstance(playlist, MediaPlaylist) else None


WHOLE = "\n".join(
    [
        "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:2\n#EXT-X-PART-INF:PART-TARGET=0.5",
        "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12\n#EXT-X-MEDIA-SEQUENCE:7",
        '#EXT-X-DEFINE:NAME="v",VALUE="a"\n#EXT-X-KEY:METHOD=AES-128,URI="{$v}"',
        '#EXT-X-MAP:URI="i.mp4",BYTERANGE="9@0"\n#EXT-X-PROGRAM-DATE-TIME:2026-03-01T12:00:00Z',
        *("#EXTINF:2,\n#EXT-X-BYTERANGE:5@9\n{$v}.mp4\n#EXT-X-KEY:METHOD=NONE",) * 4,
        '#EXT-X-PART:DURATION=0.5,INDEPENDENT=YES,URI="p",BYTERANGE="5@0"\n#EXT-X-DISCONTINUITY',
        "#EXTINF:2,\n#EXT-X-GAP\nb.mp4",
        *('#EXT-X-PART:DURATION=0.5,INDEPENDENT=YES,URI="p",BYTERANGE="5"',) * 4,
    ]
)


@given(
    cuts=st.lists(
        st.tuples(st.integers(0, len(WHOLE)), st.integers(0, 12), st.text(max_size=6)), max_size=6
    )
)
def test_a_damaged_playlist_is_a_playlist_or_a_playlist_error(
    cuts: list[tuple[int, int, str]],
) -> None:
    text = WHOLE
    for start, length, other in cuts:
        text = text[:start] + other + text[start + length :]
    with suppress(PlaylistError):
        use(parse_playlist(text, BASE))


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("#EXT-X-KEY:METHOD=NONE," + "A" * 16_000, id="a name without end"),
        pytest.param("#EXT-X-KEY:METHOD=NONE," + "A=," * 5_000, id="many attributes"),
        pytest.param('#EXT-X-KEY:METHOD=NONE,A="' + "," * 16_000, id="a quote without end"),
        pytest.param("#EXTINF:" + "9" * 16_000, id="digits"),
        pytest.param("#EXTINF:0." + "0" * 16_000, id="decimals"),
        pytest.param("#EXTINF:5,\n/videoplayback" + "/id/x" * 3_000, id="a path"),
    ],
)
def test_long_lines_are_read_in_one_go(line: str) -> None:
    use(parse_playlist(f"#EXTM3U\n{line}\na.ts", BASE))


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SEGMENTS = st.builds(
    Segment,
    uri=st.integers(0, 99).map("https://cdn.example/live/{}.ts?x=1,2".format),
    sequence=st.just(0),
    duration_sec=st.integers(1, 3_600_000).map(lambda milliseconds: milliseconds / 1000),
    byte_range=st.none() | st.builds(ByteRange, st.integers(0, 2**40), st.integers(1, 2**40)),
    init=st.none() | st.builds(InitSegment, st.just("https://cdn.example/live/init.mp4")),
    program_date_time=st.integers(0, 10**9).map(lambda number: NOON + timedelta(seconds=number)),
    discontinuity=st.booleans(),
    gap=st.booleans(),
    encryption=st.none()
    | st.builds(
        Encryption,
        st.just("AES-128"),
        st.just("https://cdn.example/live/key?a=1,b=2"),
        st.none() | st.binary(min_size=16, max_size=16),
    ),
)


@st.composite
def media_playlists(draw: st.DrawFn) -> MediaPlaylist:
    drawn = draw(st.lists(SEGMENTS, max_size=8))
    first, breaks = draw(st.integers(0, 2**62)), draw(st.integers(0, 2000))
    segments, last_init = [], None
    for sequence, segment in enumerate(drawn, start=first):
        breaks += segment.discontinuity
        # An init segment holds on, and is encrypted as the segments from its tag on are.
        last_init = (
            replace(segment.init, encryption=segment.encryption) if segment.init else last_init
        )
        segments.append(
            replace(segment, sequence=sequence, discontinuity_sequence=breaks, init=last_init)
        )
    return MediaPlaylist(
        target_duration_sec=draw(st.integers(1, 60)),
        media_sequence=first,
        segments=tuple(segments),
        discontinuity_sequence=breaks - sum(segment.discontinuity for segment in segments),
        ended=draw(st.booleans()),
    )


def write(playlist: MediaPlaylist, title: str) -> Iterator[str]:
    yield "#EXTM3U"
    yield "#EXT-X-VERSION:7"
    yield f"#EXT-X-TARGETDURATION:{playlist.target_duration_sec}"
    yield f"#EXT-X-MEDIA-SEQUENCE:{playlist.media_sequence}"
    yield f"#EXT-X-DISCONTINUITY-SEQUENCE:{playlist.discontinuity_sequence}"
    for segment in playlist.segments:
        yield from write_segment(segment, title)
    if playlist.ended:
        yield "#EXT-X-ENDLIST"


def write_segment(segment: Segment, title: str) -> Iterator[str]:
    if segment.discontinuity:
        yield "#EXT-X-DISCONTINUITY"
    if segment.init:
        yield write_key(segment.init.encryption)
        yield '#EXT-X-MAP:URI="init.mp4"'
    yield write_key(segment.encryption)
    if segment.program_date_time:
        yield f"#EXT-X-PROGRAM-DATE-TIME:{segment.program_date_time.isoformat()}"
    if segment.gap:
        yield "#EXT-X-GAP"
    yield f"#EXTINF:{segment.duration_sec},{title}"
    if segment.byte_range:
        yield f"#EXT-X-BYTERANGE:{segment.byte_range.length}@{segment.byte_range.offset}"
    yield segment.uri.removeprefix("https://cdn.example/live/")


def write_key(encryption: Encryption | None) -> str:
    if encryption is None:
        return "#EXT-X-KEY:METHOD=NONE"
    iv = f",IV=0x{encryption.iv.hex()}" if encryption.iv else ""
    return f'#EXT-X-KEY:METHOD={encryption.method},URI="key?a=1,b=2"{iv}'


@given(
    playlist=media_playlists(),
    title=st.sampled_from(["", "Title", "a, b"]),
    newline=st.sampled_from(["\n", "\r\n", " \n", "\n\n"]),
)
def test_a_playlist_is_read_as_it_was_meant(
    playlist: MediaPlaylist, title: str, newline: str
) -> None:
    assert parse_playlist(newline.join(write(playlist, title)), BASE) == playlist
