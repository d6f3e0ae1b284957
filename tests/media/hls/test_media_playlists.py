"""What each tag of a media playlist means."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from media.hls.errors import MalformedPlaylist, NotAPlaylist, PlaylistTooLarge
from media.hls.parser import parse_playlist
from media.hls.playlist import ByteRange, Encryption, InitSegment, MediaPlaylist

BASE = "https://cdn.example/live/index.m3u8?token=1"
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def parse(*lines: str) -> MediaPlaylist:
    playlist = parse_playlist("\n".join(("#EXTM3U", *lines)), BASE)
    assert isinstance(playlist, MediaPlaylist)
    return playlist


@pytest.mark.parametrize(
    ("line", "uri"),
    [
        pytest.param("a.ts", "https://cdn.example/live/a.ts", id="relative"),
        pytest.param("a.ts?x=1,2", "https://cdn.example/live/a.ts?x=1,2", id="query"),
        pytest.param("../a.ts", "https://cdn.example/a.ts", id="parent folder"),
        pytest.param("/a.ts", "https://cdn.example/a.ts", id="root"),
        pytest.param("//other.example/a.ts", "https://other.example/a.ts", id="other host"),
        pytest.param("http://other.example/a.ts", "http://other.example/a.ts", id="absolute"),
        pytest.param("a.ts \t", "https://cdn.example/live/a.ts", id="trailing blanks"),
        pytest.param("http://[::1/a.ts", "http://[::1/a.ts", id="no URL: kept as it stands"),
        pytest.param("//[::1/a.ts", "//[::1/a.ts", id="no relative URL: kept as it stands"),
    ],
)
def test_a_uri_is_resolved_against_the_playlists_own(line: str, uri: str) -> None:
    assert [segment.uri for segment in parse("#EXTINF:5,", line).segments] == [uri]


@pytest.mark.parametrize(
    ("value", "duration_sec", "declared"),
    [
        pytest.param("5.005,", 5.005, True, id="decimal"),
        pytest.param("5", 5, True, id="without comma"),
        pytest.param(" 5.0 , a, b", 5, True, id="blanks and a title with a comma"),
        pytest.param("3600,", 3600, True, id="an hour"),
        pytest.param("-1,", 6, False, id="negative"),
        pytest.param("0,", 6, False, id="zero"),
        pytest.param("nan,", 6, False, id="NaN"),
        pytest.param("inf,", 6, False, id="infinite"),
        pytest.param("1e3,", 6, False, id="exponent"),
        pytest.param("3600.1,", 6, False, id="over an hour"),
        pytest.param("", 6, False, id="empty"),
        pytest.param("\u0665,", 6, False, id="digits of another script"),
    ],
)
def test_an_absurd_duration_marks_its_segment_only(
    value: str, duration_sec: float, declared: bool
) -> None:
    playlist = parse("#EXT-X-TARGETDURATION:6", f"#EXTINF:{value}", "a.ts", "#EXTINF:4,", "b.ts")
    first, second = playlist.segments
    assert (first.duration_sec, first.duration_declared) == (duration_sec, declared)
    assert (second.duration_sec, second.sequence) == (4, 1)


@pytest.mark.parametrize(
    ("lines", "target_sec"),
    [
        pytest.param(["#EXT-X-TARGETDURATION:6"], 6, id="declared"),
        pytest.param(["#EXT-X-TARGETDURATION:6.5"], 6.5, id="decimal"),
        pytest.param(["#EXT-X-TARGETDURATION:0"], 5, id="zero: the longest segment"),
        pytest.param(["#EXT-X-TARGETDURATION:x"], 5, id="garbage: the longest segment"),
        pytest.param([], 5, id="missing: the longest segment"),
        pytest.param(["#EXT-X-TARGETDURATION:86400"], 60, id="too long to reload by"),
        pytest.param(["#EXT-X-TARGETDURATION:0.1"], 1, id="too short to reload by"),
    ],
)
def test_the_target_duration_is_always_usable(lines: list[str], target_sec: float) -> None:
    playlist = parse(*lines, "#EXTINF:4,", "a.ts", "#EXTINF:5,", "b.ts", "#EXTINF:-7,", "c.ts")
    assert playlist.target_duration_sec == target_sec


def test_a_playlist_without_segments_is_a_media_playlist() -> None:
    playlist = parse("#EXT-X-MEDIA-SEQUENCE:7")
    assert playlist == MediaPlaylist(target_duration_sec=6, media_sequence=7, segments=())


def test_segments_are_numbered_from_the_media_sequence() -> None:
    playlist = parse("#EXT-X-MEDIA-SEQUENCE:7", "#EXTINF:5,", "a.ts", "#EXTINF:5,", "b.ts")
    assert [segment.sequence for segment in playlist.segments] == [7, 8]


@pytest.mark.parametrize(
    ("value", "sequence"),
    [
        pytest.param("-1", 0, id="negative"),
        pytest.param("1.5", 1, id="fraction"),
        pytest.param("x", 0, id="word"),
        pytest.param("", 0, id="empty"),
        pytest.param("7 ", 7, id="blank behind"),
        pytest.param("0" * 30 + "7", 7, id="zeros before"),
    ],
)
def test_a_media_sequence_is_read_as_players_do(value: str, sequence: int) -> None:
    """RFC 8216 4.3.3.2. hls.js, Shaka and ffmpeg read the digits that it begins with, else 0."""
    playlist = parse(f"#EXT-X-MEDIA-SEQUENCE:{value}", "#EXTINF:5,", "a.ts")
    assert playlist.segments[0].sequence == sequence


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(str(2**63), id="64 bits"),
        pytest.param("9" * 5000, id="5000 digits"),
    ],
)
def test_a_media_sequence_that_cannot_be_read_is_refused(value: str) -> None:
    with pytest.raises(MalformedPlaylist):
        parse(f"#EXT-X-MEDIA-SEQUENCE:{value}", "#EXTINF:5,", "a.ts")


def test_the_last_segments_number_must_fit_into_63_bits_too() -> None:
    with pytest.raises(MalformedPlaylist):
        parse(f"#EXT-X-MEDIA-SEQUENCE:{2**63 - 1}", "#EXTINF:5,", "a.ts")


def test_discontinuities_are_counted_from_the_discontinuity_sequence() -> None:
    playlist = parse(
        "#EXT-X-DISCONTINUITY-SEQUENCE:1593",
        *("#EXTINF:5,", "a.ts"),
        *("#EXT-X-DISCONTINUITY", "#EXTINF:5,", "b.ts"),
        *("#EXTINF:5,", "c.ts"),
    )
    assert [
        (segment.discontinuity, segment.discontinuity_sequence) for segment in playlist.segments
    ] == [(False, 1593), (True, 1594), (False, 1594)]


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        pytest.param(["100@50"], [(50, 100)], id="explicit"),
        pytest.param(["100@0", "20", "30"], [(0, 100), (100, 20), (120, 30)], id="continued"),
        pytest.param(["100@0", "20@500"], [(0, 100), (500, 20)], id="jump"),
        pytest.param(["100", "20"], [(0, 100), (100, 20)], id="no beginning"),
    ],
)
def test_a_byte_range_continues_the_one_before(
    ranges: list[str], expected: list[tuple[int, int]]
) -> None:
    lines = [line for text in ranges for line in ("#EXTINF:5,", f"#EXT-X-BYTERANGE:{text}", "a.ts")]
    assert [segment.byte_range for segment in parse(*lines).segments] == expected


def test_a_byte_range_without_a_beginning_goes_on_in_another_resource() -> None:
    """RFC 8216 4.3.2.2 forbids it; hls.js, Shaka and ffmpeg do not look at the URI."""
    playlist = parse(
        *("#EXTINF:5,", "#EXT-X-BYTERANGE:100@50", "a.ts"),
        *("#EXTINF:5,", "#EXT-X-BYTERANGE:20", "b.ts"),
    )
    assert playlist.segments[1].byte_range == ByteRange(150, 20)


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["#EXT-X-BYTERANGE:x@0", "#EXTINF:5,", "a.ts"], id="length"),
        pytest.param(["#EXT-X-BYTERANGE:0@0", "#EXTINF:5,", "a.ts"], id="empty"),
        pytest.param(["#EXT-X-BYTERANGE:1@x", "#EXTINF:5,", "a.ts"], id="offset"),
        pytest.param([f"#EXT-X-BYTERANGE:5@{2**63 - 1}", "#EXTINF:5,", "a.ts"], id="end"),
        pytest.param(["#EXT-X-MAP:BYTERANGE=5", "#EXTINF:5,", "a.ts"], id="init without URI"),
        pytest.param(['#EXT-X-MAP:URI="i",BYTERANGE="x"', "#EXTINF:5,", "a.ts"], id="init range"),
        pytest.param(['#EXT-X-KEY:URI="k"', "#EXTINF:5,", "a.ts"], id="key without method"),
        pytest.param(["#EXT-X-KEY:METHOD=AES-128,IV=5", "#EXTINF:5,", "a.ts"], id="IV no hex"),
        pytest.param(
            [f"#EXT-X-KEY:METHOD=AES-128,IV=0x{'f' * 33}", "#EXTINF:5,", "a.ts"], id="IV too long"
        ),
    ],
)
def test_what_decides_the_bytes_is_never_guessed(lines: list[str]) -> None:
    with pytest.raises(MalformedPlaylist):
        parse(*lines)


def test_an_init_segment_holds_until_the_next() -> None:
    playlist = parse(
        '#EXT-X-MAP:URI="a/init.mp4",BYTERANGE="652@0"',
        *("#EXTINF:5,", "1.m4s", "#EXTINF:5,", "2.m4s"),
        '#EXT-X-MAP:URI="b/init.mp4"',
        *("#EXTINF:5,", "3.m4s"),
    )
    first = InitSegment("https://cdn.example/live/a/init.mp4", ByteRange(0, 652))
    second = InitSegment("https://cdn.example/live/b/init.mp4")
    assert [segment.init for segment in playlist.segments] == [first, first, second]


def test_a_key_holds_until_the_next_and_covers_the_init_segment() -> None:
    playlist = parse(
        '#EXT-X-KEY:METHOD=AES-128,URI="k1?a=1,b=2",IV=0x0000000000000000000000000000000A',
        *('#EXT-X-MAP:URI="init.mp4"', "#EXTINF:5,", "1.m4s"),
        *("#EXT-X-KEY:METHOD=NONE", "#EXTINF:5,", "2.m4s"),
    )
    key = Encryption("AES-128", "https://cdn.example/live/k1?a=1,b=2", bytes(15) + b"\x0a")
    first, second = playlist.segments
    assert (first.encryption, second.encryption) == (key, None)
    assert first.init
    assert first.init.encryption == key


def test_of_keys_in_several_formats_the_plain_one_counts() -> None:
    playlist = parse(
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://x",KEYFORMAT="com.apple.streamingkeydelivery"',
        '#EXT-X-KEY:METHOD=AES-128,URI="k"',
        *("#EXTINF:5,", "1.ts"),
    )
    encryption = playlist.segments[0].encryption
    assert encryption
    assert (encryption.method, encryption.iv) == ("AES-128", None)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        pytest.param("2026-03-01T12:00:00.250Z", NOON + timedelta(milliseconds=250), id="Z"),
        pytest.param("2026-03-01T12:00:00+00:00", NOON, id="offset"),
        pytest.param("2026-03-01T13:30:00+0130", NOON, id="offset without colon"),
        pytest.param("2026-03-01T12:00:00", NOON, id="no offset is UTC"),
        pytest.param("2026-03-01T12:00:00.123456789Z", NOON.replace(microsecond=123456), id="ns"),
        pytest.param("yesterday", None, id="garbage"),
        pytest.param("0001-01-01T00:00:00+14:00", None, id="a year nobody means"),
    ],
)
def test_a_date_is_aware_or_absent(text: str, moment: datetime | None) -> None:
    playlist = parse(f"#EXT-X-PROGRAM-DATE-TIME:{text}", "#EXTINF:5,", "a.ts")
    found = playlist.segments[0].program_date_time
    assert found == moment
    assert found is None or found.utcoffset() in (timedelta(0), timedelta(minutes=90))


def test_a_date_keeps_its_offset() -> None:
    playlist = parse("#EXT-X-PROGRAM-DATE-TIME:2026-03-01T21:00:00+09:00", "#EXTINF:5,", "a.ts")
    found = playlist.segments[0].program_date_time
    assert found
    assert found.tzinfo == timezone(timedelta(hours=9))


DATE = "#EXT-X-PROGRAM-DATE-TIME:2026-03-01T12:00:00Z"
LATER = "#EXT-X-PROGRAM-DATE-TIME:2026-03-01T12:01:00Z"


@pytest.mark.parametrize(
    ("tags", "seconds"),
    [
        pytest.param([[DATE], [], []], [0, 5, 10], id="forward"),
        pytest.param([[DATE], [LATER], []], [0, 60, 65], id="until the next tag"),
        pytest.param([[DATE], ["#EXT-X-DISCONTINUITY"], []], [0, None, None], id="discontinuity"),
        pytest.param(
            [[DATE], ["#EXT-X-DISCONTINUITY", LATER], []], [0, 60, 65], id="discontinuity and tag"
        ),
        pytest.param([[DATE], ["#EXT-X-GAP"], []], [0, 5, 10], id="over a gap"),
        pytest.param([[], [], [LATER]], [50, 55, 60], id="backward from the first"),
        pytest.param(
            [[], ["#EXT-X-DISCONTINUITY"], [LATER]], [None, 55, 60], id="backward, discontinuity"
        ),
        pytest.param([[], [], []], [None, None, None], id="none"),
    ],
)
def test_dates_are_extrapolated_by_duration(
    tags: list[list[str]], seconds: list[float | None]
) -> None:
    lines = [line for own in tags for line in (*own, "#EXTINF:5,", "a.ts")]
    assert [segment.program_date_time for segment in parse(*lines).segments] == [
        None if second is None else NOON + timedelta(seconds=second) for second in seconds
    ]


def test_dates_are_not_extrapolated_over_an_unknown_duration() -> None:
    playlist = parse(DATE, "#EXTINF:-1,", "a.ts", "#EXTINF:5,", "b.ts")
    assert [segment.program_date_time for segment in playlist.segments] == [NOON, None]


def test_a_gap_is_marked_and_keeps_its_number() -> None:
    playlist = parse("#EXTINF:5,", "#EXT-X-GAP", "a.ts", "#EXTINF:5,", "b.ts")
    assert [(segment.gap, segment.sequence) for segment in playlist.segments] == [
        (True, 0),
        (False, 1),
    ]


def test_the_header_is_read() -> None:
    playlist = parse("#EXT-X-VERSION:7", "#EXT-X-PLAYLIST-TYPE:EVENT", "#EXT-X-ENDLIST")
    assert playlist.ended


def test_only_whole_segments_count() -> None:
    playlist = parse(
        "#EXT-X-PART-INF:PART-TARGET=1",
        "#EXT-X-PREFETCH:prefetch.ts",
        *("#EXTINF:4,", "1.ts"),
        *('#EXT-X-PART:DURATION=1,URI="2.1.ts"', '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="2.2.ts"'),
        "2.ts",
        "#EXTINF:4,",
    )
    assert [segment.uri for segment in playlist.segments] == ["https://cdn.example/live/1.ts"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        pytest.param("", "empty", id="empty"),
        pytest.param("<!DOCTYPE html><html>#EXTM3U", "HTML page", id="web page"),
        pytest.param(" \n<html>", "HTML page", id="web page after blanks"),
        pytest.param('<?xml version="1.0"?><MPD/>', "XML", id="XML"),
        pytest.param('<MPD xmlns="urn:mpeg:dash">', "DASH", id="DASH"),
        pytest.param('{"error": 403}', "JSON", id="JSON"),
        pytest.param("#EXTINF:5,\na.ts", "#EXTM3U", id="no EXTM3U"),
        pytest.param("a.ts\n#EXTM3U\n#EXTINF:5,\na.ts", "#EXTM3U", id="a URI before EXTM3U"),
        pytest.param(
            '#EXTM3U\n#EXTINF:-1 tvg-id="a" group-title="News",A\nhttp://a.example/a.m3u8\n'
            "#EXTINF:-1,B\nhttp://b.example/b\n",
            "a list of channels",
            id="channels",
        ),
    ],
)
def test_another_document_is_refused_by_name(text: str, named: str) -> None:
    with pytest.raises(NotAPlaylist, match=named):
        parse_playlist(text, BASE)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\ufeff#EXTM3U\n#EXTINF:5,\na.ts\n", id="byte order mark"),
        pytest.param("#EXTM3U\r\n#EXTINF:5,\r\na.ts\r\n", id="CRLF"),
        pytest.param("#EXTM3U  \n# comment\n\n#EXT-X-NEW:1\n#EXTINF:5,\t\na.ts  ", id="blanks"),
        pytest.param("\n#EXTM3U\n#EXTINF:5,Title\u2028more\na.ts", id="other line separators"),
        pytest.param("# made by x\n\n#\n#EXTM3U\n#EXTINF:5,\na.ts", id="comments before"),
        pytest.param("\ufeff\n\ufeff#EXTM3U\n#EXTINF:5,\na.ts", id="two byte order marks"),
        pytest.param("#EXTM3U x-tvg-url=1\n#EXTINF:5,\na.ts", id="words behind"),
    ],
)
def test_harmless_variations_are_read(text: str) -> None:
    playlist = parse_playlist(text, BASE)
    assert isinstance(playlist, MediaPlaylist)
    assert [segment.uri for segment in playlist.segments] == ["https://cdn.example/live/a.ts"]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([" #EXTINF:1,", "a"] * 20_001, id="segments that are read"),
        pytest.param(["#EXT-X-KEY:METHOD=NONE", "#EXTINF:1,", "a"] * 201_001, id="keys"),
        pytest.param(["#"] * 200_001, id="lines"),
        pytest.param(["#EXTINF:1,", "a" * 16_385], id="a line"),
        pytest.param([f'#EXT-X-DEFINE:NAME="{n}",VALUE=""' for n in range(101)], id="variables"),
        pytest.param(["#EXT-X-STREAM-INF:BANDWIDTH=1", "a"] * 1_001, id="variants"),
        pytest.param(['#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a"'] * 1_001, id="renditions"),
        pytest.param(["#" * 16_000] * 550, id="characters"),
    ],
)
def test_size_is_bounded(lines: list[str]) -> None:
    with pytest.raises(PlaylistTooLarge):
        parse(*lines)
