"""One look a try: live, not yet, or never."""

import asyncio
import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.declarations import Placement, UnavailableDetails, WaitInput, WaitResult
from activities.wait_for_live import WaitState
from media.sources.source_resolver import POLLS_AT_ONCE
from media.sources.youtube.confirmation import DEFAULT_POLICY, Confirmation
from simulator.origin import TINY, ChannelOptions, LiveOrigin, ManualClock, Programme, render
from tests.activities.scripted_http import Answer, scripted
from tests.activities.watching import worker


async def wait(
    url: str,
    *,
    state: WaitState | None = None,
    attempt: int = 1,
    waiting_since: datetime | None = None,
    scheduled_start: datetime | None = None,
    confirmation: Confirmation | None = None,
    allow_private_networks: bool = True,
) -> WaitResult:
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(
        environment.info,
        attempt=attempt,
        scheduled_time=waiting_since or datetime.now(UTC),
        heartbeat_details=[confirmation.model_dump(mode="json")] if confirmation else [],
    )
    order = WaitInput(
        monitor_id="mon-1",
        stream_url=url,
        scheduled_start_time=scheduled_start,
        state=state and state.model_dump(mode="json"),
    )
    async with worker(allow_private_networks=allow_private_networks) as parts:
        return await environment.run(parts.waiting.wait_for_live, order)


async def poll_delay_sec(
    url: str, *, waiting_since: datetime | None = None, scheduled_start: datetime | None = None
) -> float:
    """Wait for what is not live; return when to look again."""
    with pytest.raises(ApplicationError, match="not live: ") as failure:
        await wait(url, waiting_since=waiting_since, scheduled_start=scheduled_start)
    error = failure.value
    assert (error.type, error.non_retryable) == ("NotLiveYet", False)
    assert error.next_retry_delay is not None
    return error.next_retry_delay.total_seconds()


@pytest.mark.parametrize("name", ["index.m3u8", "master.m3u8"])
async def test_a_playlist_with_segments_is_live(name: str) -> None:
    async with LiveOrigin(clock=ManualClock()) as origin:
        channel = origin.add("live", render(Programme.of([("normal", 3.0)], TINY)))
        found = await wait(channel.url.replace("index.m3u8", name))
    assert found == WaitResult(is_live=True, placement=Placement())


async def test_a_playlist_without_segments_is_not_live_yet() -> None:
    async with LiveOrigin(clock=ManualClock()) as origin:
        options = ChannelOptions(backlog_segments=0)
        rendered = render(Programme.of([("normal", 3.0)], TINY))
        channel = origin.add("live", rendered, options=options)
        assert 4 <= await poll_delay_sec(channel.url) <= 6


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Answer(404), id="404"),
        pytest.param(Answer(410), id="410"),
        pytest.param(Answer(403), id="403"),
        pytest.param(Answer(500), id="500"),
        pytest.param(Answer(503), id="503"),
        pytest.param(Answer(200), id="no playlist"),
        pytest.param(Answer(200, is_endless=True), id="endless"),
    ],
)
async def test_what_is_not_there_is_looked_at_again(answer: Answer) -> None:
    async with scripted(answer) as origin:
        assert 4 <= await poll_delay_sec(f"{origin.url}/live.m3u8") <= 6


async def test_a_server_that_is_down_is_looked_at_again() -> None:
    async with scripted() as origin:
        pass
    assert 4 <= await poll_delay_sec(f"{origin.url}/live.m3u8") <= 6


async def test_a_look_that_takes_long_tells_that_it_goes_on_and_forgets_nothing() -> None:
    confirmation = {"reason": "video_private", "looks": 1}
    beats: asyncio.Queue[object] = asyncio.Queue()
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, heartbeat_details=[confirmation])
    environment.on_heartbeat = beats.put_nowait
    async with scripted(Answer(hangs=True)) as origin, worker() as parts:
        order = WaitInput(monitor_id="mon-1", stream_url=f"{origin.url}/live.m3u8")
        wait_for_live = parts.waiting.wait_for_live
        looking = asyncio.create_task(environment.run(wait_for_live, order))
        async with asyncio.timeout(30):
            assert await beats.get() == confirmation
        assert not looking.done()
        environment.cancel()
        with pytest.raises(asyncio.CancelledError):
            await looking


@pytest.mark.parametrize(
    ("waited", "starts_in", "least_sec", "most_sec"),
    [
        pytest.param(timedelta(0), timedelta(hours=9), 48, 72, id="far from its start"),
        pytest.param(timedelta(hours=9), timedelta(seconds=20), 4, 6, id="close to its start"),
        pytest.param(timedelta(hours=9), timedelta(minutes=-5), 4, 6, id="a little late"),
        pytest.param(timedelta(hours=9), timedelta(hours=-1), 12, 18, id="very late"),
    ],
)
async def test_looks_follow_the_schedule(
    waited: timedelta, starts_in: timedelta, least_sec: float, most_sec: float
) -> None:
    now = datetime.now(UTC)
    async with scripted(Answer(404)) as origin:
        delay_sec = await poll_delay_sec(
            f"{origin.url}/live.m3u8", waiting_since=now - waited, scheduled_start=now + starts_in
        )
    assert least_sec <= delay_sec <= most_sec


def told_to_look_in(length: timedelta) -> WaitState:
    """Return what a wait remembers whose next look was to be 30 s after the last one."""
    return WaitState(reason="a pause", poll_again_at=datetime.now(UTC) + length, delay_sec=30)


@pytest.mark.parametrize(
    ("left", "least_sec", "most_sec"),
    [
        pytest.param(timedelta(seconds=20), 15, 20, id="as it was told"),
        pytest.param(timedelta(hours=1), 30, 30, id="after the clock was set back"),
    ],
)
async def test_a_look_is_not_repeated_before_its_time(
    left: timedelta, least_sec: float, most_sec: float
) -> None:
    async with scripted() as origin:
        pass
    with pytest.raises(ApplicationError, match="a pause") as early:
        await wait(f"{origin.url}/live.m3u8", state=told_to_look_in(left))
    assert early.value.next_retry_delay is not None
    assert least_sec <= early.value.next_retry_delay.total_seconds() <= most_sec


async def test_a_clock_that_was_set_back_does_not_hold_up_the_next_look() -> None:
    async with LiveOrigin(clock=ManualClock()) as origin:
        channel = origin.add("live", render(Programme.of([("normal", 3.0)], TINY)))
        found = await wait(channel.url, state=told_to_look_in(timedelta(hours=1)), attempt=2)
    assert found.is_live


async def test_a_refused_address_is_final_when_it_is_confirmed() -> None:
    url = "http://127.0.0.1/live.m3u8"
    with pytest.raises(ApplicationError) as first:
        await wait(url, allow_private_networks=False)
    assert (first.value.type, first.value.non_retryable) == ("NotLiveYet", False)
    before = datetime.now(UTC) - timedelta(seconds=DEFAULT_POLICY.apart_sec)
    confirmation = Confirmation(reason="address_refused", looks=1, counted_at=before)
    with pytest.raises(ApplicationError) as last:
        await wait(url, confirmation=confirmation, allow_private_networks=False)
    assert (last.value.type, last.value.non_retryable) == ("StreamUnavailable", True)
    (details,) = last.value.details
    assert details == UnavailableDetails(
        reason="address_refused", message="the address is not allowed"
    )


async def test_a_list_of_channels_is_refused_when_it_is_confirmed() -> None:
    channels = b"#EXTM3U\n#EXTINF:-1,News\nhttp://a.example/a.m3u8\n"
    before = datetime.now(UTC) - timedelta(seconds=DEFAULT_POLICY.apart_sec)
    confirmation = Confirmation(reason="channel_list", looks=1, counted_at=before)
    async with scripted(Answer(body=channels)) as origin:
        with pytest.raises(ApplicationError) as last:
            await wait(f"{origin.url}/channels.m3u", confirmation=confirmation)
    (details,) = last.value.details
    assert (last.value.type, details.reason) == ("StreamUnavailable", "channel_list")
    assert "use the URL of one of them" in details.message


async def test_so_many_manifests_are_looked_at_at_once_however_many_streams_wait() -> None:
    async with scripted(Answer(hangs=True)) as origin, worker() as parts:
        url = f"{origin.url}/live.m3u8"
        looks = [
            asyncio.create_task(
                parts.sources.resolve(url, parts.sources.new_client()).observe_status()
            )
            for _ in range(POLLS_AT_ONCE + 20)
        ]
        async with asyncio.timeout(60):
            while origin.hanging < POLLS_AT_ONCE:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)  # time for one too many
        assert len(origin.requests) == POLLS_AT_ONCE
        for look in looks:
            look.cancel()
        await asyncio.gather(*looks, return_exceptions=True)
