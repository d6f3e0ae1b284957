"""Each fault does over real HTTP what its name says."""

import asyncio
import gzip

import httpx
import pytest

from simulator.origin import (
    Channel,
    ChannelOptions,
    Fault,
    FaultKind,
    LiveOrigin,
    ManualClock,
    RenderedProgramme,
    Target,
    drop,
)
from tests.simulator.origin.loose_playlist import fetch


@pytest.fixture
def channel(origin: LiveOrigin, tiny: RenderedProgramme) -> Channel:
    """Eight segments on air, stream time 8 s, all of them listed."""
    options = ChannelOptions(backlog_segments=8, window_segments=8)
    return origin.add("a", tiny, options=options)


def segment_url(channel: Channel, sequence: int) -> str:
    return channel.url.replace("index.m3u8", f"v0/g0-{sequence}.ts")


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_a_status_on_segments_leaves_the_playlist_alone(
    channel: Channel, client: httpx.AsyncClient, status: int
) -> None:
    channel.fault(Fault(kind="status", status=status))
    assert (await client.get(segment_url(channel, 3))).status_code == status
    assert (await client.get(channel.url)).status_code == 200


async def test_a_status_on_the_playlist_is_over_after_a_while(
    channel: Channel, client: httpx.AsyncClient, clock: ManualClock
) -> None:
    channel.fault(Fault(kind="status", status=403, target="playlist", for_sec=5))
    assert (await client.get(channel.url)).status_code == 403
    assert (await client.get(segment_url(channel, 3))).status_code == 200
    clock.advance(5)
    assert (await client.get(channel.url)).status_code == 200


async def test_a_dropped_segment_is_listed_and_missing(
    channel: Channel, client: httpx.AsyncClient
) -> None:
    channel.fault(drop(4, 5))
    listed = (await fetch(client, channel.url)).segments
    answers = [(await client.get(segment.url)).status_code for segment in listed]
    assert answers == [200, 200, 200, 200, 404, 404, 200, 200]


async def test_a_fault_in_stream_time_hits_the_segments_that_overlap(
    channel: Channel, client: httpx.AsyncClient
) -> None:
    channel.fault(Fault(kind="status", from_sec=2.5, to_sec=4.0))
    answers = [
        (await client.get(segment_url(channel, sequence))).status_code for sequence in range(6)
    ]
    assert answers == [200, 200, 404, 404, 200, 200]


async def test_a_fault_in_stream_time_hits_the_playlist_while_it_is_captured(
    channel: Channel, client: httpx.AsyncClient, clock: ManualClock
) -> None:
    channel.fault(Fault(kind="status", status=500, target="playlist", from_sec=9, to_sec=10))
    statuses = []
    for _ in range(3):
        statuses.append((await client.get(channel.url)).status_code)
        clock.advance(1)
    assert statuses == [200, 500, 200]


@pytest.mark.parametrize(
    ("counting", "statuses"),
    [
        pytest.param({"max_requests": 2}, [404, 404, 200, 200, 200], id="the-first-two"),
        pytest.param({"skip_requests": 3}, [200, 200, 200, 404, 404], id="from-the-fourth"),
        pytest.param({"every": 2}, [200, 404, 200, 404, 200], id="every-second"),
        pytest.param(
            {"skip_requests": 1, "max_requests": 1}, [200, 404, 200, 200, 200], id="the-second"
        ),
    ],
)
async def test_a_fault_counts_requests(
    channel: Channel, client: httpx.AsyncClient, counting: dict[str, int], statuses: list[int]
) -> None:
    channel.fault(Fault(kind="status", **counting))
    answers = [(await client.get(segment_url(channel, 3))).status_code for _ in statuses]
    assert answers == statuses


async def test_damaged_bodies(
    channel: Channel, client: httpx.AsyncClient, tiny: RenderedProgramme
) -> None:
    good = tiny.segments[3].data
    bodies: dict[str, bytes] = {}
    for kind in ("truncate", "corrupt", "garbage", "empty"):
        number = channel.fault(Fault(kind=kind))
        bodies[kind] = (await client.get(segment_url(channel, 3))).content
        channel.clear(number)
    wrong = sum(a != b for a, b in zip(bodies["corrupt"], good, strict=True))
    assert bodies["truncate"] == good[: len(good) // 2]
    assert wrong == int(len(good) * 0.02)
    assert len(bodies["garbage"]) == len(good)
    assert bodies["garbage"][0] != 0x47 or bodies["garbage"][188] != 0x47
    assert bodies["empty"] == b""
    assert (await client.get(segment_url(channel, 3))).content == good


async def test_garbage_instead_of_a_playlist(channel: Channel, client: httpx.AsyncClient) -> None:
    channel.fault(Fault(kind="garbage", target="playlist"))
    assert not (await client.get(channel.url)).content.startswith(b"#EXTM3U")


async def test_an_endless_body_never_ends(channel: Channel, client: httpx.AsyncClient) -> None:
    channel.fault(Fault(kind="endless"))
    received = 0
    async with client.stream("GET", segment_url(channel, 3)) as answer:
        assert "content-length" not in answer.headers
        async for chunk in answer.aiter_bytes():
            received += len(chunk)
            if received > 2_000_000:
                break
    assert received > 2_000_000


async def test_a_delayed_answer_comes_when_its_time_has_come(
    channel: Channel, client: httpx.AsyncClient, clock: ManualClock, tiny: RenderedProgramme
) -> None:
    channel.fault(Fault(kind="delay", delay_sec=30))
    asking = asyncio.create_task(client.get(segment_url(channel, 3)))
    await clock.until_asleep()
    assert not asking.done()
    clock.advance(30)
    assert (await asking).content == tiny.segments[3].data


async def test_a_dripping_body_comes_in_small_pieces(
    channel: Channel, client: httpx.AsyncClient, clock: ManualClock, tiny: RenderedProgramme
) -> None:
    good = tiny.segments[3].data
    channel.fault(Fault(kind="drip", bytes_per_sec=len(good)))
    asking = asyncio.create_task(client.get(segment_url(channel, 3)))
    pauses = 0
    while not asking.done():
        if clock.sleepers:
            clock.advance(0.21)
            pauses += 1
        await asyncio.sleep(0)
    assert (await asking).content == good
    assert pauses >= 5


@pytest.mark.parametrize("keep_ratio", [0.0, 0.5], ids=["no-answer", "half-a-body"])
async def test_a_hanging_answer_ends_with_the_patience_of_the_client(
    channel: Channel, client: httpx.AsyncClient, keep_ratio: float
) -> None:
    channel.fault(Fault(kind="hang", keep_ratio=keep_ratio, max_requests=1))
    with pytest.raises(httpx.ReadTimeout):
        await client.get(segment_url(channel, 3), timeout=0.2)
    assert (await client.get(segment_url(channel, 3))).status_code == 200


@pytest.mark.parametrize(
    ("kind", "keep_ratio", "error"),
    [
        pytest.param("reset", 0.0, httpx.ReadError, id="reset-at-once"),
        pytest.param("cut", 0.5, httpx.RemoteProtocolError, id="cut-in-the-body"),
        pytest.param("cut", 0.0, httpx.RemoteProtocolError, id="cut-after-the-head"),
    ],
)
async def test_a_broken_connection(
    channel: Channel,
    client: httpx.AsyncClient,
    kind: FaultKind,
    keep_ratio: float,
    error: type[Exception],
) -> None:
    channel.fault(Fault(kind=kind, keep_ratio=keep_ratio, max_requests=1))
    with pytest.raises(error):
        await client.get(segment_url(channel, 3))
    assert (await client.get(segment_url(channel, 3))).status_code == 200


async def test_every_second_playlist_may_be_a_stale_copy(
    channel: Channel, client: httpx.AsyncClient, clock: ManualClock
) -> None:
    channel.fault(Fault(kind="stale", age_sec=3, every=2))
    clock.advance(4)
    newest = [(await fetch(client, channel.url)).sequences[-1] for _ in range(4)]
    assert newest == [11, 8, 11, 8]


def test_only_playlists_can_be_stale() -> None:
    with pytest.raises(ValueError, match="only a playlist"):
        Fault(kind="stale", target="segment")


async def test_a_gzip_bomb_is_small_on_the_wire(
    channel: Channel, client: httpx.AsyncClient
) -> None:
    channel.fault(Fault(kind="gzip_bomb", size_bytes=32 << 20))
    async with client.stream("GET", channel.url) as answer:
        packed = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert len(packed) < 100_000
    assert len(gzip.decompress(packed)) > 32 << 20


async def test_a_channel_disappears_and_comes_back(
    channel: Channel, client: httpx.AsyncClient
) -> None:
    number = channel.disappear()
    for url in (channel.url, channel.master_url, segment_url(channel, 3)):
        assert (await client.get(url)).status_code == 404
    channel.clear(number)
    assert (await client.get(channel.url)).status_code == 200


async def test_the_log_tells_what_was_asked_and_what_was_wrong(
    origin: LiveOrigin, channel: Channel, client: httpx.AsyncClient, clock: ManualClock
) -> None:
    channel.fault(Fault(kind="status", status=503, target=Target.SEGMENT))
    await client.get(channel.url)
    await client.get(segment_url(channel, 3) + "?token=1")
    playlist, segment = origin.log
    assert (playlist.status, playlist.sequence, playlist.fault) == (200, 7, None)
    assert (segment.status, segment.sequence, segment.fault) == (503, 3, "status")
    assert segment.path == "/live/a/v0/g0-3.ts?token=1"
    assert segment.at == clock.now()
    assert origin.requests("a", ending=".ts") == [segment]


async def test_the_control_endpoint_switches_faults(
    origin: LiveOrigin, channel: Channel, client: httpx.AsyncClient
) -> None:
    control = f"{origin.base_url}/control/a"
    added = await client.post(f"{control}/faults", json={"kind": "status", "status": 500})
    assert (added.status_code, added.json()) == (201, {"id": 1})
    assert (await client.get(segment_url(channel, 3))).status_code == 500
    shown = (await client.get(control)).json()
    assert shown["faults"] == [{"id": 1, "kind": "status", "status": 500}]
    assert (await client.delete(f"{control}/faults/1")).status_code == 200
    assert (await client.get(segment_url(channel, 3))).status_code == 200


async def test_the_control_endpoint_switches_the_schedule(
    origin: LiveOrigin, channel: Channel, client: httpx.AsyncClient, clock: ManualClock
) -> None:
    control = f"{origin.base_url}/control/a"
    await client.post(f"{control}/stall")
    clock.advance(3)
    assert (await fetch(client, channel.url)).sequences[-1] == 7
    await client.post(f"{control}/resume", json={"catch_up": True})
    assert (await fetch(client, channel.url)).sequences[-1] == 10
    await client.post(f"{control}/end")
    assert (await fetch(client, channel.url)).is_ended


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        pytest.param("POST", "a/faults", {"kind": "nonsense"}, 400, id="unknown-fault"),
        pytest.param("POST", "a/resume", {"wrong": 1}, 400, id="unknown-option"),
        pytest.param("POST", "a/explode", None, 404, id="unknown-change"),
        pytest.param("GET", "nobody", None, 404, id="unknown-channel"),
        pytest.param("DELETE", "a/faults/99", None, 404, id="unknown-number"),
    ],
)
async def test_the_control_endpoint_refuses_nonsense(
    origin: LiveOrigin,
    channel: Channel,
    client: httpx.AsyncClient,
    method: str,
    path: str,
    body: dict[str, object] | None,
    status: int,
) -> None:
    assert channel.name == "a"
    answer = await client.request(method, f"{origin.base_url}/control/{path}", json=body)
    assert answer.status_code == status
