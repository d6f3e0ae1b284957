"""What a segment may be."""

import av
import pytest

from media.decoding.decoder.whitelist import CODECS, CONTAINERS, named_container


def test_the_lists_name_what_the_libraries_have() -> None:
    assert set(CODECS) <= av.codecs_available
    assert {each.split(",")[0] for each in CONTAINERS} <= av.formats_available


PACKET = b"\x47" + bytes(187)


@pytest.mark.parametrize(
    ("segment", "container"),
    [
        pytest.param(PACKET * 6, "mpegts", id="transport stream"),
        pytest.param(PACKET * 100 + b"cut", "mpegts", id="long and cut"),
        pytest.param(PACKET + b"\x47", "mpegts", id="cut early"),
        pytest.param(b"G", None, id="a letter"),
        pytest.param(b"GIF89a" + bytes(1000), None, id="gif"),
        pytest.param(PACKET + bytes(1000), None, id="sync is lost"),
        pytest.param(b"\0\0\0\x18ftypmp42" + bytes(1000), None, id="mp4"),
        pytest.param(b"", None, id="empty"),
    ],
)
def test_only_a_transport_stream_is_named(segment: bytes, container: str | None) -> None:
    assert named_container(segment) == container
