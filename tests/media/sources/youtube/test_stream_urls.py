"""Which YouTube URLs mean a video."""

import pytest

from monitors.stream_url import InvalidStreamUrl, StreamKind, parse_stream_url

VIDEO = "jfKfPfyJRdk"


@pytest.mark.parametrize(
    "url",
    [
        f"https://m.youtube.com/watch?app=m&v={VIDEO}&t=3",
        f"https://music.youtube.com/watch?v={VIDEO}&list=PL1",
        f"https://www.youtube.com/live/{VIDEO}?feature=share&si=x",
        f"https://youtu.be/{VIDEO}?si=x&t=1",
        f"https://youtu.be/{VIDEO}/",
        f"https://www.youtu.be/{VIDEO}",
    ],
)
def test_one_video_has_one_key(url: str) -> None:
    source = parse_stream_url(url)
    assert (source.kind, source.key) == (StreamKind.YOUTUBE, f"youtube:{VIDEO}")


@pytest.mark.parametrize(
    "path",
    [
        f"www.youtube.com/shorts/{VIDEO}",
        f"www.youtube.com/embed/{VIDEO}",
        f"www.youtube-nocookie.com/embed/{VIDEO}",
        f"youtube-nocookie.com/v/{VIDEO}",
        "www.youtube.com/@channel",
        "www.youtube.com/@channel/live",
        "www.youtube.com/c/channel/live",
        "www.youtube.com/channel/UC4R8DWoMoI7CAwX8_LjQHig/live",
        "www.youtube.com/user/channel",
        f"www.youtube.com/playlist?list={VIDEO}",
        "www.youtube.com/",
    ],
)
def test_a_page_that_is_no_single_video_is_refused(path: str) -> None:
    with pytest.raises(InvalidStreamUrl, match="no single video"):
        parse_stream_url(f"https://{path}")


@pytest.mark.parametrize(
    "path",
    [
        "www.youtube.com/watch",
        "www.youtube.com/watch?v=",
        f"www.youtube.com/watch?v={VIDEO}x",
        "www.youtube.com/watch?v=jfKfPfyJR!k",
        f"www.youtube.com/live/{VIDEO}/more",
        "www.youtube.com/live/",
        "youtu.be/",
        f"youtu.be/{VIDEO[:-1]}",
    ],
)
def test_a_garbage_id_is_refused(path: str) -> None:
    with pytest.raises(InvalidStreamUrl, match="no YouTube video id"):
        parse_stream_url(f"https://{path}")
