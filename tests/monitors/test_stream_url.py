import re

import pytest

from monitors.stream_url import InvalidStreamUrl, StreamKind, parse_stream_url

VIDEO = "jfKfPfyJRdk"
WATCH = f"https://www.youtube.com/watch?v={VIDEO}"


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(WATCH, id="watch"),
        pytest.param(f"http://youtube.com/watch?v={VIDEO}", id="http without www"),
        pytest.param(f"https://m.youtube.com/watch?app=m&v={VIDEO}&t=10s", id="mobile"),
        pytest.param(f"https://music.youtube.com/watch?v={VIDEO}&list=RD{VIDEO}", id="music"),
        pytest.param(f"https://WWW.YouTube.com/watch?v={VIDEO}#chat", id="capitals, fragment"),
        pytest.param(f"https://www.youtube.com/live/{VIDEO}?feature=share", id="live"),
        pytest.param(f"https://www.youtube.com/live/{VIDEO}/", id="live with a slash"),
        pytest.param(f"https://youtu.be/{VIDEO}?si=abc", id="short"),
        pytest.param(f"https://www.youtube.com./watch?v={VIDEO}", id="a host with a full stop"),
    ],
)
def test_all_urls_of_a_video_are_one_stream(url: str) -> None:
    source = parse_stream_url(url)
    assert (source.url, source.kind, source.key) == (WATCH, StreamKind.YOUTUBE, f"youtube:{VIDEO}")


@pytest.mark.parametrize(
    ("url", "kind", "host"),
    [
        pytest.param("https://a.tv/x.m3u8", StreamKind.HLS, "a.tv", id="hls"),
        pytest.param("http://a.tv/X.M3U8", StreamKind.HLS, "a.tv", id="capitals"),
        pytest.param("https://a.tv/x.mpd", StreamKind.DASH, "a.tv", id="dash"),
        pytest.param("https://a.tv/live", StreamKind.MANIFEST, "a.tv", id="no suffix"),
        pytest.param("https://a.tv", StreamKind.MANIFEST, "a.tv", id="no path"),
        pytest.param("https://a.tv:443/x", StreamKind.MANIFEST, "a.tv", id="default port"),
        pytest.param("http://a.tv:81/x", StreamKind.MANIFEST, "a.tv:81", id="other port"),
        pytest.param("https://A.tv./x", StreamKind.MANIFEST, "a.tv", id="host spelling"),
        pytest.param("http://[::1]:81/x", StreamKind.MANIFEST, "[::1]:81", id="IPv6"),
        pytest.param("https://bücher.tv/x", StreamKind.MANIFEST, "xn--bcher-kva.tv", id="IDN"),
        pytest.param("https://a_b--c.tv/x", StreamKind.MANIFEST, "a_b--c.tv", id="odd host"),
    ],
)
def test_a_manifest_is_named_by_its_host_and_a_digest(
    url: str, kind: StreamKind, host: str
) -> None:
    source = parse_stream_url(url)
    assert (source.url, source.kind) == (url, kind)
    assert re.fullmatch(rf"url:{re.escape(host)}#[0-9a-f]{{32}}", source.key)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://a.tv/x.m3u8?b=c", "http://a.tv/x.m3u8?b=c"),
        ("https://a.tv/x.m3u8", "https://A.TV.:443/x.m3u8#t=1"),
        ("https://a.tv", "https://a.tv/"),
        ("https://bücher.tv/x", "https://xn--bcher-kva.tv/x"),
    ],
)
def test_urls_of_one_manifest_are_one_stream(one: str, other: str) -> None:
    assert parse_stream_url(one).key == parse_stream_url(other).key


@pytest.mark.parametrize(
    "place",
    [
        pytest.param("/x.m3u8?token={}", id="query"),
        pytest.param("/hdntl=exp=1~acl=/*~hmac={}/x.m3u8", id="path"),
        pytest.param("/{}/x.m3u8", id="folder"),
        pytest.param("/x;jsessionid={}.m3u8", id="path parameter"),
    ],
)
def test_a_token_tells_streams_apart_but_is_not_shown(place: str) -> None:
    one = parse_stream_url(f"https://a.tv{place.format('secret1')}").key
    other = parse_stream_url(f"https://a.tv{place.format('secret2')}").key
    assert one != other
    assert "secret" not in one


@pytest.mark.parametrize("host", ["a.tv", "b" * 60 + "." + "c" * 60 + "." + "d" * 60 + ".tv"])
def test_keys_have_a_bounded_length(host: str) -> None:
    base = f"https://{host}/" + "x" * 1700
    one, other = parse_stream_url(base + "a.m3u8").key, parse_stream_url(base + "b.m3u8").key
    assert one != other
    assert max(len(one), len(other)) <= 200


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        pytest.param("", "must start with http", id="empty"),
        pytest.param("a.tv/x.m3u8", "must start with http", id="no scheme"),
        pytest.param("file:///etc/passwd", "must start with http", id="file"),
        pytest.param("rtmp://a.tv/x", "must start with http", id="rtmp"),
        pytest.param("https://", "names no host", id="no host"),
        pytest.param("https:///x.m3u8", "names no host", id="only a path"),
        pytest.param("https://a.tv:0/x", "names no host", id="port 0"),
        pytest.param("https://a.tv:99999/x", "is not a URL", id="a port out of range"),
        pytest.param("https://[::1/x", "is not a URL", id="a broken bracket"),
        pytest.param("https://user:pw@a.tv/x.m3u8", "user name", id="credentials"),
        pytest.param("https://127.0.0.1\\@a.tv/x", "backslash", id="backslash"),
        pytest.param("https://xn--a/x", "no valid domain name", id="a host that does not decode"),
        pytest.param("https://a.xn--/x", "no valid domain name", id="an empty A-label"),
        pytest.param("https://a\u2488.tv/x", "no valid domain name", id="no letter of a name"),
        pytest.param("https://a.tv/x y.m3u8", "space", id="space"),
        pytest.param("https://a.tv/x\r\nHost: b", "control character", id="line break"),
        pytest.param("https://a.tv/" + "x" * 2048, "longer than", id="too long"),
        pytest.param("https://www.youtube.com/@channel/live", "no single video", id="channel"),
        pytest.param("https://www.youtube.com/playlist?list=PL1", "no single video", id="list"),
        pytest.param("https://www.youtube.com/watch?v=short", "no YouTube video id", id="bad id"),
        pytest.param("https://www.youtube.com/watch", "no YouTube video id", id="no id"),
        pytest.param(f"https://youtu.be/{VIDEO}/x", "no YouTube video id", id="more path"),
        pytest.param("https://evil.youtube.com/x.m3u8", "no single video", id="subdomain"),
    ],
)
def test_other_urls_are_refused_with_a_reason(url: str, reason: str) -> None:
    with pytest.raises(InvalidStreamUrl, match=reason):
        parse_stream_url(url)


def test_a_host_that_only_looks_like_youtube_is_a_manifest() -> None:
    assert parse_stream_url(f"https://notyoutube.com/watch?v={VIDEO}").kind is StreamKind.MANIFEST
