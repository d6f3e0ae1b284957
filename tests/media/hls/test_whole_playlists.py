"""Playlists as they are served, read as a whole."""

from datetime import UTC, datetime, timedelta

from media.hls.cursor import PlaylistCursor
from media.hls.parser import parse_playlist
from media.hls.playlist import ByteRange, InitSegment, MasterPlaylist, MediaPlaylist, Resolution
from media.hls.selection import Tracks, rank_renditions

FMP4 = """#EXTM3U
#EXT-X-TARGETDURATION:6
#EXT-X-VERSION:7
#EXT-X-MEDIA-SEQUENCE:1
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="main.mp4",BYTERANGE="719@0"
#EXTINF:6.00000,\t
#EXT-X-BYTERANGE:1508000@719
main.mp4
#EXTINF:6.00000,\t
#EXT-X-BYTERANGE:1510244@1508719
main.mp4
#EXTINF:4.50000,\t
#EXT-X-BYTERANGE:1190000
main.mp4
#EXT-X-ENDLIST
"""

YOUTUBE = """#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:5
#EXT-X-MEDIA-SEQUENCE:51024
#EXT-X-DISCONTINUITY-SEQUENCE:1593
#EXT-X-PROGRAM-DATE-TIME:2026-03-01T12:00:00.123+00:00
#EXTINF:5.0,
{host}/videoplayback/id/abcdefghijk.1/itag/91/expire/{expire}/ip/192.0.2.1/sq/51024/file/seg.ts
#EXT-X-DISCONTINUITY
#EXT-X-PROGRAM-DATE-TIME:2026-03-01T12:00:05.456+00:00
#EXTINF:2.1,
{host}/videoplayback/id/abcdefghijk.1/itag/91/expire/{expire}/ip/192.0.2.1/sq/51025/file/seg.ts
#EXT-X-DISCONTINUITY
#EXTINF:4.9,
{host}/videoplayback/id/abcdefghijk.1/itag/91/expire/{expire}/ip/192.0.2.1/sq/51026/file/seg.ts
#EXTINF:5.0,
{host}/videoplayback/id/abcdefghijk.1/itag/91/expire/{expire}/ip/192.0.2.1/sq/51027/file/seg.ts
"""

YOUTUBE_MASTER = """#EXTM3U
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:URI="https://manifest.example/233/index.m3u8",TYPE=AUDIO,GROUP-ID="233",\
NAME="Default",DEFAULT=YES,AUTOSELECT=YES
#EXT-X-MEDIA:URI="https://manifest.example/234/index.m3u8",TYPE=AUDIO,GROUP-ID="234",\
NAME="Default",DEFAULT=YES,AUTOSELECT=YES
#EXT-X-STREAM-INF:BANDWIDTH=1200000,CODECS="avc1.4D401E,mp4a.40.2",RESOLUTION=640x360,\
FRAME-RATE=30,VIDEO-RANGE=SDR,AUDIO="234",CLOSED-CAPTIONS=NONE
https://manifest.example/230/index.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=290288,CODECS="avc1.4D400C,mp4a.40.5",RESOLUTION=256x144,\
FRAME-RATE=30,VIDEO-RANGE=SDR,AUDIO="233",CLOSED-CAPTIONS=NONE
https://manifest.example/269/index.m3u8
"""

APPLE_MASTER = """#EXTM3U
#EXT-X-VERSION:6
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aud1",LANGUAGE="en",NAME="English",AUTOSELECT=YES,DEFAULT=YES,\
CHANNELS="2",URI="a1/prog_index.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aud2",LANGUAGE="en",NAME="English",AUTOSELECT=YES,DEFAULT=YES,\
CHANNELS="6",URI="a2/prog_index.m3u8"
#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc1",LANGUAGE="en",NAME="English",INSTREAM-ID="CC1"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="sub1",LANGUAGE="en",NAME="English",URI="s1/en/index.m3u8"
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=187492,CODECS="avc1.64002a",RESOLUTION=1920x1080,\
URI="v7/iframe_index.m3u8"
#EXT-X-STREAM-INF:AVERAGE-BANDWIDTH=2165224,BANDWIDTH=2215219,FRAME-RATE=60.000,\
CODECS="avc1.640020,mp4a.40.2",RESOLUTION=960x540,CLOSED-CAPTIONS="cc1",SUBTITLES="sub1",AUDIO="aud1"
v5/prog_index.m3u8
#EXT-X-STREAM-INF:AVERAGE-BANDWIDTH=550000,BANDWIDTH=600000,FRAME-RATE=30.000,\
CODECS="avc1.640015,ec-3",RESOLUTION=480x270,CLOSED-CAPTIONS="cc1",SUBTITLES="sub1",AUDIO="aud2"
v2/prog_index.m3u8
"""


def read_media(text: str) -> MediaPlaylist:
    playlist = parse_playlist(text, "https://media.example/show/prog_index.m3u8")
    assert isinstance(playlist, MediaPlaylist)
    return playlist


def read_master(text: str) -> MasterPlaylist:
    playlist = parse_playlist(text, "https://media.example/show/master.m3u8")
    assert isinstance(playlist, MasterPlaylist)
    return playlist


def youtube(*, host: str = "https://rr3.example", expire: int = 1) -> MediaPlaylist:
    return read_media(YOUTUBE.format(host=host, expire=expire))


def test_fragmented_mp4_with_byte_ranges() -> None:
    playlist = read_media(FMP4)
    assert playlist.ended
    assert {segment.uri for segment in playlist.segments} == {"https://media.example/show/main.mp4"}
    assert [segment.byte_range for segment in playlist.segments] == [
        ByteRange(719, 1508000),
        ByteRange(1508719, 1510244),
        ByteRange(1508719 + 1510244, 1190000),
    ]
    assert {segment.init for segment in playlist.segments} == {
        InitSegment("https://media.example/show/main.mp4", ByteRange(0, 719))
    }


def test_youtube_with_dates_and_discontinuities() -> None:
    start = datetime(2026, 3, 1, 12, 0, 0, 123_000, tzinfo=UTC)
    after = start + timedelta(seconds=5, milliseconds=333)
    assert [
        (each.sequence, each.discontinuity_sequence, each.program_date_time)
        for each in youtube().segments
    ] == [
        (51024, 1593, start),
        (51025, 1594, after),
        (51026, 1595, None),
        (51027, 1595, None),
    ]


def test_youtube_resolved_anew_is_the_same_programme() -> None:
    cursor = PlaylistCursor()
    for segment in cursor.advance(youtube()).segments:
        cursor.done(segment)
    advance = cursor.advance(youtube(host="https://rr9.example", expire=2))
    assert (advance.segments, advance.restarted) == ((), False)


def test_youtube_split_sound() -> None:
    choice = rank_renditions(read_master(YOUTUBE_MASTER))[0]
    assert choice.url == "https://manifest.example/269/index.m3u8"
    assert choice.audio_url == "https://manifest.example/233/index.m3u8"
    assert choice.tracks is Tracks.PICTURE_AND_SOUND


def test_a_master_playlist_with_audio_groups() -> None:
    choice = rank_renditions(read_master(APPLE_MASTER))[0]
    assert choice.url == "https://media.example/show/v2/prog_index.m3u8"
    assert choice.audio_url == "https://media.example/show/a2/prog_index.m3u8"
    assert choice.variant.resolution == Resolution(480, 270)
    assert choice.bandwidth == 600_000
