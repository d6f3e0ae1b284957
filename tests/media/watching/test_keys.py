"""Encrypted segments: what anybody may decrypt is, and everything else is refused by name."""

from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from media.decoding.errors import UndecodableSegment
from media.hls.playlist import Encryption
from media.outbound.client import media_client
from media.outbound.errors import AddressRefused, FetchError
from media.outbound.guard import OutboundGuard
from media.watching.decryption import SegmentKeys, UnsupportedSegment, decrypt
from simulator.origin.rendition import KEY, encrypted
from simulator.origin.server import InProcessServer

PLAIN = b"\x47" + bytes(187)


class KeyServer:
    """Answers with what it is told to, and counts."""

    def __init__(self) -> None:
        self.body = KEY
        self.status = 200
        self.asked = 0
        self.url = ""

    def answer(self, _: Request) -> Response:
        self.asked += 1
        return Response(self.body, self.status)

    def encryption(self, iv: bytes | None = None) -> Encryption:
        return Encryption(method="AES-128", uri=self.url, iv=iv)


@pytest.fixture
async def server() -> AsyncIterator[KeyServer]:
    server = KeyServer()
    http = InProcessServer(Starlette(routes=[Route("/key.bin", server.answer)]), "127.0.0.1", 0)
    host, port = await http.start()
    server.url = f"http://{host}:{port}/key.bin"
    yield server
    await http.stop()


@pytest.fixture
async def keys() -> AsyncIterator[SegmentKeys]:
    async with media_client(OutboundGuard(allow_private_networks=True)) as client:
        yield SegmentKeys(client)


async def opened(keys: SegmentKeys, data: bytes, how: Encryption | None) -> bytes:
    return await keys.decrypted(data, how, sequence=7, timeout_sec=5)


async def test_a_key_is_fetched_once_and_the_sequence_number_is_the_iv(
    server: KeyServer, keys: SegmentKeys
) -> None:
    assert await opened(keys, encrypted(PLAIN, 7), server.encryption()) == PLAIN
    assert await opened(keys, encrypted(PLAIN, 7), server.encryption()) == PLAIN
    assert server.asked == 1
    assert await opened(keys, PLAIN, None) == PLAIN


async def test_the_playlists_own_iv_counts(server: KeyServer, keys: SegmentKeys) -> None:
    how = server.encryption(iv=(9).to_bytes(16, "big"))
    assert await opened(keys, encrypted(PLAIN, 9), how) == PLAIN


@pytest.mark.parametrize(
    ("method", "key_format"),
    [
        pytest.param("SAMPLE-AES", "identity", id="parts"),
        pytest.param("AES-128", "com.apple.streamingkeydelivery", id="DRM"),
        pytest.param("cenc", "identity", id="DASH"),
    ],
)
async def test_what_not_everybody_may_decrypt_is_refused_unasked(
    server: KeyServer, keys: SegmentKeys, method: str, key_format: str
) -> None:
    how = Encryption(method=method, uri=server.url, key_format=key_format)
    with pytest.raises(UnsupportedSegment, match=method):
        await opened(keys, PLAIN, how)
    assert server.asked == 0


async def test_a_method_without_a_key_is_refused(keys: SegmentKeys) -> None:
    with pytest.raises(UnsupportedSegment):
        await opened(keys, PLAIN, Encryption(method="AES-128", uri=None))


@pytest.mark.parametrize("data", [b"", b"x" * 15, b"x" * 32, encrypted(PLAIN, 7)[:-16]])
async def test_what_does_not_fit_its_key_is_undecodable(
    server: KeyServer, keys: SegmentKeys, data: bytes
) -> None:
    with pytest.raises(UndecodableSegment):
        await opened(keys, data, server.encryption())


@pytest.mark.parametrize("key", [b"", b"short", b"x" * 15])
async def test_something_else_than_a_key_is_told(
    server: KeyServer, keys: SegmentKeys, key: bytes
) -> None:
    server.body = key
    with pytest.raises(UndecodableSegment, match="key has"):
        await opened(keys, encrypted(PLAIN, 7), server.encryption())


@pytest.mark.parametrize(("body", "status"), [(b"x" * 17, 200), (KEY, 403)])
async def test_a_key_that_cannot_be_fetched_is_told(
    server: KeyServer, keys: SegmentKeys, body: bytes, status: int
) -> None:
    server.body, server.status = body, status
    with pytest.raises(FetchError):
        await opened(keys, encrypted(PLAIN, 7), server.encryption())


async def test_a_key_that_was_replaced_is_fetched_again(
    server: KeyServer, keys: SegmentKeys
) -> None:
    server.body = b"y" * 16
    with pytest.raises(UndecodableSegment):
        await opened(keys, encrypted(PLAIN, 7), server.encryption())
    server.body = KEY
    assert await opened(keys, encrypted(PLAIN, 7), server.encryption()) == PLAIN


async def test_a_key_at_a_private_address_is_not_asked_for(server: KeyServer) -> None:
    async with media_client(OutboundGuard(allow_private_networks=False)) as client:
        with pytest.raises(AddressRefused):
            await opened(SegmentKeys(client), encrypted(PLAIN, 7), server.encryption())
    assert server.asked == 0


async def test_a_large_segment_is_decrypted_like_a_small_one(
    server: KeyServer, keys: SegmentKeys
) -> None:
    large = PLAIN * 30_000
    assert await opened(keys, encrypted(large, 7), server.encryption()) == large


def test_padding_is_taken_off() -> None:
    for size in range(33):
        assert decrypt(encrypted(b"a" * size, 3), KEY, (3).to_bytes(16, "big")) == b"a" * size
