"""Of a large window the tail is read, as if all of it were."""

import time
import tracemalloc
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.hls.errors import PlaylistError
from media.hls.parser import parse_playlist
from media.hls.playlist import ByteRange, Encryption, InitSegment, MediaPlaylist
from media.hls.window import TAIL_SEGMENTS
from tests.media.hls.test_any_text import TAGS, tag_lines

BASE = "https://cdn.example/live/index.m3u8"
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MEBI = 1024 * 1024
FILLER = ("#EXTINF:2,", "f.ts")


def parse(*lines: str) -> MediaPlaylist:
    playlist = parse_playlist("\n".join(("#EXTM3U", *lines)), BASE)
    assert isinstance(playlist, MediaPlaylist)
    return playlist


def test_the_newest_segments_are_kept_and_keep_their_numbers() -> None:
    lines = [line for number in range(5_000) for line in ("#EXTINF:2,", f"{number}.ts")]
    playlist = parse("#EXT-X-MEDIA-SEQUENCE:70", *lines)
    assert len(playlist.segments) == TAIL_SEGMENTS
    assert (playlist.media_sequence, playlist.segments[0].sequence) == (4_070, 4_070)
    assert playlist.segments[-1].sequence == 5_069
    assert playlist.segments[-1].uri == "https://cdn.example/live/4999.ts"


def test_what_holds_on_from_before_the_tail_is_known() -> None:
    """RFC 8216 4.3.2.3 to 4.3.2.6, 4.3.3.3."""
    playlist = parse(
        "#EXT-X-DISCONTINUITY-SEQUENCE:3",
        '#EXT-X-DEFINE:NAME="v",VALUE="x"',
        '#EXT-X-KEY:METHOD=AES-128,URI="{$v}"',
        *('#EXT-X-MAP:URI="init.mp4"', "#EXTINF:2,", "a.mp4"),
        *("#EXT-X-DISCONTINUITY", "#EXT-X-PROGRAM-DATE-TIME:2026-03-01T12:00:00Z", *FILLER),
        *FILLER * 999,
        "#EXTINF:2,",
        "{$v}.mp4",
    )
    key = Encryption("AES-128", "https://cdn.example/live/x")
    first, last = playlist.segments[0], playlist.segments[-1]
    assert first.init == InitSegment("https://cdn.example/live/init.mp4", None, key)
    assert (first.encryption, first.discontinuity_sequence) == (key, 4)
    assert first.program_date_time == NOON + timedelta(seconds=2)
    assert (last.uri, last.sequence) == ("https://cdn.example/live/x.mp4", 1001)


@pytest.mark.parametrize(
    ("lines", "ends_sec"),
    [
        pytest.param(["#EXT-X-PROGRAM-DATE-TIME:{}", *FILLER * 4], 8, id="date first"),
        pytest.param([*FILLER, "#EXTINF:2,", "#EXT-X-PROGRAM-DATE-TIME:{}", "a"], 2, id="behind"),
        pytest.param(
            ["#EXT-X-PROGRAM-DATE-TIME:{}", *FILLER, "#EXT-X-DISCONTINUITY", *FILLER],
            None,
            id="discontinuity",
        ),
        pytest.param(["#EXT-X-PROGRAM-DATE-TIME:{}", "#EXTINF:x,", "a"], None, id="no duration"),
        pytest.param([*FILLER, *FILLER], None, id="no date"),
    ],
)
def test_dates_go_on_from_before_the_tail(lines: list[str], ends_sec: float | None) -> None:
    playlist = parse(*(each.format("2026-03-01T12:00:00Z") for each in lines), *FILLER * 1000)
    ends_at = None if ends_sec is None else NOON + timedelta(seconds=ends_sec)
    assert playlist.segments[0].program_date_time == ends_at


def test_byte_ranges_go_on_from_before_the_tail() -> None:
    ranges = ["#EXTINF:2,", "#EXT-X-BYTERANGE:10", "all.ts"] * 1_500
    playlist = parse("#EXTINF:2,", "#EXT-X-BYTERANGE:10@100", "all.ts", *ranges)
    assert playlist.segments[-1].byte_range == ByteRange(100 + 15_000, 10)


EXTRAS = st.one_of(
    tag_lines(TAGS),
    st.lists(st.sampled_from(["#EXTINF:2,\na.ts", "a.ts", "", "#", "#EXTINF:2"]), max_size=9).map(
        "\n".join
    ),
)


@settings(max_examples=40, deadline=None)
@given(before=EXTRAS, between=EXTRAS, after=EXTRAS, fillers=st.integers(985, 1_005))
def test_the_tail_is_what_reading_all_of_it_would_give(
    before: str, between: str, after: str, fillers: int
) -> None:
    """An indented EXTINF is no place to cut, so that all of such a playlist is read."""
    filler = "\n".join(FILLER * fillers)
    text = "\n".join(
        ["#EXTM3U", *FILLER, before, *FILLER, between, filler, after, "#EXT-X-TARGETDURATION:3"]
    )
    with suppress(PlaylistError):
        whole = parse_playlist(text.replace("\n#EXTINF", "\n #EXTINF"), BASE)
        tail = parse_playlist(text, BASE)
        assert isinstance(whole, MediaPlaylist)
        assert isinstance(tail, MediaPlaylist)
        # An EXTINF without a URI counts when the tail is cut off, and is no segment.
        dangling = (before + between + after).count("#EXTINF")
        assert len(whole.segments) - dangling <= len(tail.segments)
        kept = whole.segments[-len(tail.segments) :]
        assert tail == replace(whole, segments=kept, media_sequence=kept[0].sequence)


def test_of_eight_mebibytes_little_is_kept_while_they_are_read() -> None:
    text = "#EXTM3U\n" + "#EXTINF:2,\n#EXT-X-BYTERANGE:5\na.ts\n" * 220_000
    tracemalloc.start()
    playlist = parse_playlist(text, BASE)
    kept_bytes, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(playlist, MediaPlaylist)
    assert kept_bytes < MEBI
    assert most_bytes < 4 * MEBI


@pytest.mark.parametrize(
    "block",
    [
        pytest.param("#EXTINF:2,\n{}.ts\n", id="segments"),
        pytest.param("#EXTINF:2,\n", id="durations alone"),
        pytest.param("#EXTINF:2,\n#\n\n", id="comments"),
        pytest.param("#EXT-X-BYTERANGE:5\n#EXTINF:2,\na.ts\n", id="ranges"),
        pytest.param(
            "#EXT-X-PROGRAM-DATE-TIME:2026-03-01T12:00:00Z\n#EXTINF:2,\n{}.ts\n", id="dates"
        ),
        pytest.param("\n \t", id="blanks"),
        pytest.param("#" * 100 + "\n", id="hashes"),
        pytest.param("# \ufeff", id="one comment"),
    ],
)
@pytest.mark.parametrize("beginning", ["#EXTM3U\n", ""], ids=["playlist", "text"])
def test_eight_mebibytes_of_anything_take_seconds_at_most(block: str, beginning: str) -> None:
    """What is quadratic takes hours here."""
    text = beginning + block.format("segment") * (
        (8 * 1024 * 1024 - 9) // len(block.format("segment"))
    )
    began = time.process_time()
    with suppress(PlaylistError):
        playlist = parse_playlist(text, BASE)
        assert isinstance(playlist, MediaPlaylist)
        assert len(playlist.segments) <= TAIL_SEGMENTS
    assert time.process_time() - began < 10
