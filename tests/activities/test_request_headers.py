"""A stream that is served to who sends the right headers, which the gateway keeps."""

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.declarations import WaitInput, WaitResult, WatchInput, WatchOutcome, WatchResult
from activities.watch_stream import NO_HEADERS
from monitors.config import MonitorConfig
from monitors.request_headers import masked
from simulator.origin import TINY, Programme, render
from tests.activities.scripted_http import Answer, scripted
from tests.activities.watching import NO_GATEWAY, worker
from tests.testkit.stand_ins import Request, ScriptedServer, reply, scripted_server

SECRET = "s3cr3t-of-a-user"
HEADERS = {"Authorization": f"Bearer {SECRET}", "Referer": "https://site.example/"}
CONFIG = MonitorConfig(request_headers=masked(HEADERS))
GIVEN = Answer(body=json.dumps({"request_headers": HEADERS}).encode())


@asynccontextmanager
async def locked_origin() -> AsyncIterator[ScriptedServer]:
    """Serve a stream of three segments, which then ends, to who is authorized."""
    segments = render(Programme.of([("normal", 3.0)], TINY)).segments
    lines = [f"#EXTINF:1.0,\n{number}.ts" for number in range(len(segments))]
    playlist = "\n".join(["#EXTM3U", "#EXT-X-TARGETDURATION:1", *lines, "#EXT-X-ENDLIST"])
    files = {f"/{number}.ts": each.data for number, each in enumerate(segments)}
    files["/live.m3u8"] = playlist.encode()

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        if request.headers.get("authorization") != HEADERS["Authorization"]:
            writer.write(reply(status=401))
        else:
            writer.write(reply(files[request.path]))

    async with scripted_server(answer) as server:
        yield server


def url_of(server: ScriptedServer) -> str:
    return server.url("/live.m3u8", host="127.0.0.1")


async def watch(
    url: str, gateway_url: str, *, checkpoint_sec: float = 60, beats: list[Any] | None = None
) -> WatchResult:
    environment = ActivityEnvironment()
    if beats is not None:
        environment.on_heartbeat = beats.append
    order = WatchInput(
        monitor_id="mon-1", stream_url=url, config=CONFIG, checkpoint_sec=checkpoint_sec
    )
    async with worker(gateway_url=gateway_url) as parts:
        return await environment.run(parts.watching.watch_stream, order)


async def wait(url: str, gateway_url: str) -> WaitResult:
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, scheduled_time=datetime.now(UTC))
    order = WaitInput(monitor_id="mon-1", stream_url=url, has_request_headers=True)
    async with worker(gateway_url=gateway_url) as parts:
        return await environment.run(parts.waiting.wait_for_live, order)


async def test_a_watch_sends_them_with_every_request_and_hands_none_over() -> None:
    beats: list[Any] = []
    async with locked_origin() as origin, scripted(GIVEN) as gateway:
        returned = await watch(url_of(origin), gateway.url, beats=beats)
        asked = [each.path for each in gateway.requests if each.method == "GET"]
    assert returned.outcome is WatchOutcome.ENDED
    assert returned.statistics.total_segments_analyzed == 3
    assert returned.statistics.segments_failed == 0
    assert {each.path for each in origin.requests} == {"/live.m3u8", "/0.ts", "/1.ts", "/2.ts"}
    assert all(each.headers["referer"] == HEADERS["Referer"] for each in origin.requests)
    asked.remove("/internal/v1/slates")
    assert asked == ["/internal/v1/monitors/mon-1/request-headers"]
    assert SECRET not in json.dumps([returned.model_dump(mode="json"), beats])


async def test_a_watch_asks_for_nothing_without_them() -> None:
    async with locked_origin() as origin:
        returned = await watch(url_of(origin), NO_GATEWAY, checkpoint_sec=1)
    assert returned.outcome is WatchOutcome.CHECKPOINT
    assert returned.state["unknown"] == NO_HEADERS
    assert "the gateway" in (returned.health.reason or "")
    assert origin.requests == []


async def test_a_watch_begins_when_the_gateway_answers_again() -> None:
    async with locked_origin() as origin, scripted(Answer(status=503), GIVEN) as gateway:
        returned = await watch(url_of(origin), gateway.url)
        while returned.outcome is WatchOutcome.EVENTS_READY and not returned.event_drafts:
            returned = await watch(url_of(origin), gateway.url)
    assert returned.outcome is WatchOutcome.ENDED
    assert returned.statistics.segments_failed == 0


async def test_a_look_whether_it_is_live_sends_them() -> None:
    async with locked_origin() as origin, scripted(GIVEN) as gateway:
        seen = await wait(url_of(origin), gateway.url)
    assert seen.is_live
    assert SECRET not in seen.model_dump_json()


async def test_a_look_without_them_is_put_off() -> None:
    async with locked_origin() as origin:
        with pytest.raises(ApplicationError, match="the gateway") as failure:
            await wait(url_of(origin), NO_GATEWAY)
    assert failure.value.type == "NotLiveYet"
    assert origin.requests == []
