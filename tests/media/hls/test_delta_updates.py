"""Delta updates: what they leave out is as it was (8216bis 4.4.5.2, 6.2.5.1)."""

from datetime import UTC, datetime, timedelta

import pytest

from media.hls.errors import UnsupportedPlaylist
from media.hls.parser import parse_playlist
from media.hls.playlist import ByteRange, Encryption, InitSegment, MediaPlaylist, ServerControl

BASE = "https://cdn.example/live/index.m3u8"
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
WHOLE = (
    "#EXT-X-TARGETDURATION:2",
    "#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=12.0,CAN-BLOCK-RELOAD=YES",
    "#EXT-X-MEDIA-SEQUENCE:10",
    "#EXT-X-DISCONTINUITY-SEQUENCE:5",
    '#EXT-X-KEY:METHOD=AES-128,URI="k"',
    '#EXT-X-MAP:URI="i.mp4"',
    "#EXT-X-PROGRAM-DATE-TIME:2026-03-01T12:00:00Z",
    *("#EXTINF:2,", "10.mp4"),
    *("#EXTINF:2,", "11.mp4"),
    *("#EXT-X-DISCONTINUITY", "#EXT-X-PROGRAM-DATE-TIME:2026-03-01T12:00:04Z"),
    *("#EXTINF:2,", "#EXT-X-BYTERANGE:10@5", "12.mp4"),
    *("#EXTINF:2,", "13.mp4"),
)


def parse(*lines: str, previous: MediaPlaylist | None = None) -> MediaPlaylist:
    playlist = parse_playlist("\n".join(("#EXTM3U", *lines)), BASE, previous=previous)
    assert isinstance(playlist, MediaPlaylist)
    return playlist


def delta(first: int, skipped: int, *lines: str, breaks: int = 5) -> tuple[str, ...]:
    return (
        *WHOLE[:2],
        f"#EXT-X-MEDIA-SEQUENCE:{first}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{breaks}",
        f"#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}",
        *lines,
    )


def test_what_a_server_offers_is_read() -> None:
    assert parse(*WHOLE).server == ServerControl(can_skip_until_sec=12, can_block_reload=True)
    assert parse("#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=0").server == ServerControl()


def test_what_is_left_out_is_taken_from_before() -> None:
    whole = parse(*WHOLE)
    update = parse(*delta(11, 3, "#EXTINF:2,", "14.mp4"), previous=whole)
    assert update.segments[:3] == whole.segments[1:]
    assert [each.sequence for each in update.segments] == [11, 12, 13, 14]
    assert update.media_sequence == 11


def test_what_held_on_at_the_end_of_what_is_left_out_holds_on() -> None:
    update = parse(*delta(10, 4, "#EXTINF:2,", "14.mp4"), previous=parse(*WHOLE))
    key = Encryption("AES-128", "https://cdn.example/live/k")
    newest = update.segments[-1]
    assert newest.encryption == key
    assert newest.init == InitSegment("https://cdn.example/live/i.mp4", None, key)
    assert newest.discontinuity_sequence == 6
    assert newest.program_date_time == NOON + timedelta(seconds=8)


def test_a_discontinuity_that_left_the_window_still_counts() -> None:
    """RFC 8216 6.2.2: the discontinuity sequence grows with it."""
    whole = parse(*WHOLE)
    update = parse(*delta(13, 1, "#EXTINF:2,", "14.mp4", breaks=6), previous=whole)
    assert update.segments[-1].discontinuity_sequence == 6


def test_a_byte_range_goes_on_from_what_is_left_out() -> None:
    lines = ("#EXTINF:2,", "#EXT-X-BYTERANGE:7", "13.mp4")
    update = parse(*delta(10, 3, *lines), previous=parse(*WHOLE))
    assert update.segments[-1].byte_range == ByteRange(15, 7)


def test_an_update_of_an_update_is_read() -> None:
    first = parse(*delta(10, 4, "#EXTINF:2,", "14.mp4"), previous=parse(*WHOLE))
    second = parse(*delta(11, 4, "#EXTINF:2,", "15.mp4"), previous=first)
    assert [each.sequence for each in second.segments] == [11, 12, 13, 14, 15]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(delta(10, 5, "#EXTINF:2,", "15.mp4"), id="more than is known"),
        pytest.param(delta(0, 3, "#EXTINF:2,", "3.mp4"), id="older than is known"),
        pytest.param(delta(10, 0, "#EXTINF:2,", "10.mp4"), id="nothing"),
        pytest.param(["#EXT-X-SKIP:", "#EXTINF:2,", "10.mp4"], id="no count"),
    ],
)
def test_an_update_that_does_not_fit_is_refused(lines: tuple[str, ...]) -> None:
    with pytest.raises(UnsupportedPlaylist, match="EXT-X-SKIP"):
        parse(*lines, previous=parse(*WHOLE))


def test_an_update_of_what_is_not_known_is_refused() -> None:
    with pytest.raises(UnsupportedPlaylist, match="EXT-X-SKIP"):
        parse(*delta(10, 4, "#EXTINF:2,", "14.mp4"))
