"""A stream whose site wants its cookies back, from the first look to the last segment."""

import asyncio
import dataclasses
import json

from temporalio.testing import ActivityEnvironment

from activities.declarations import WaitInput, WaitResult, WatchInput, WatchOutcome
from monitors.config import MonitorConfig
from simulator.origin import TINY, Programme, render
from tests.activities.watching import worker
from tests.testkit.stand_ins import Answer, Request, reply, scripted_server

SEGMENTS = render(Programme.of([("normal", 4.0)], TINY)).segments
MASTER = b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nmedia.m3u8\n"
MEDIA = "\n".join(
    [
        "#EXTM3U",
        "#EXT-X-TARGETDURATION:2",
        *(f"#EXTINF:{each.duration_sec},\n{place}.ts" for place, each in enumerate(SEGMENTS)),
        "#EXT-X-ENDLIST",
    ]
).encode()
FILES = {f"/{place}.ts": each.data for place, each in enumerate(SEGMENTS)}
SECRET, NEXT_SECRET = "session=s3cret", "ticket=n3xt"


def with_cookies() -> Answer:
    """Serve the master playlist to anybody, the rest to who carries what was set before."""
    answers = {
        "/master.m3u8": ("", reply(MASTER, set_cookie=f"{SECRET}; Path=/; HttpOnly")),
        "/media.m3u8": (SECRET, reply(MEDIA, set_cookie=NEXT_SECRET)),
        **{path: (NEXT_SECRET, reply(data)) for path, data in FILES.items()},
    }

    async def write(request: Request, writer: asyncio.StreamWriter) -> None:
        wanted, answer = answers[request.path]
        is_known = wanted in request.headers.get("cookie", "")
        writer.write(answer if is_known else reply(status=403))

    return write


async def test_a_site_that_wants_its_cookies_back_is_watched() -> None:
    beats: list[object] = []
    environment = ActivityEnvironment()
    environment.on_heartbeat = lambda *details: beats.extend(details)
    async with scripted_server(with_cookies()) as server, worker() as parts:
        url = server.url("/master.m3u8", "127.0.0.1")
        order = WaitInput(monitor_id="mon-1", stream_url=url)
        waited: WaitResult = await environment.run(parts.waiting.wait_for_live, order)
        assert waited.is_live
        watching = WatchInput(
            monitor_id="mon-1",
            stream_url=url,
            config=MonitorConfig(),
            state=None,
            checkpoint_sec=60,
        )
        seen = await environment.run(parts.watching.watch_stream, watching)
    assert seen.outcome is WatchOutcome.ENDED
    assert seen.statistics.total_segments_analyzed == len(SEGMENTS)
    assert seen.statistics.segments_failed == 0
    told = json.dumps([beats, dataclasses.asdict(environment.info)], default=str)
    assert beats
    for secret in (SECRET, NEXT_SECRET):
        assert secret.partition("=")[2] not in told + seen.model_dump_json()
