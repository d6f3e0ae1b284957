"""What a monitor says of itself while it runs."""

from typing import Any

import pytest

from monitors.reports import Statistics
from monitors.status import Health, IncidentKind, MonitorStatus, StreamStatus
from tests.testkit import scripts
from tests.testkit.workflow_harness import (
    MONITOR_ID,
    WorkflowHarness,
    an_order,
    snapshot_of,
    start_monitor,
)
from workflows import search_attributes
from workflows.messages import CHANGE_UPDATE, MonitorChange


async def test_a_snapshot_tells_of_open_incidents(harness: WorkflowHarness) -> None:
    statistics = Statistics(total_segments_analyzed=12, blackout_events=1)
    harness.activities.watches.append(
        scripts.sees(
            scripts.BLACKOUT,
            statistics=statistics,
            video=Health.ERROR,
            open_incidents=(IncidentKind.BLACKOUT,),
        )
    )
    handle = await harness.start(metadata={"channel": 7}, blackout_threshold_sec=12)
    await harness.activities.until(
        lambda: len(harness.activities.watched) == 2 and len(harness.activities.received) == 2
    )
    snapshot = await snapshot_of(handle)
    assert snapshot.monitor_id == MONITOR_ID
    assert snapshot.status is MonitorStatus.MONITORING
    assert snapshot.stream_status is StreamStatus.LIVE
    assert snapshot.health.video is Health.ERROR
    assert snapshot.health.audio is Health.OK
    assert snapshot.health.last_check_at == scripts.MOMENT
    assert snapshot.statistics == statistics
    assert [incident.kind for incident in snapshot.open_incidents] == [IncidentKind.BLACKOUT]
    assert snapshot.doing == "Watching the stream, open: blackout"
    assert snapshot.title == "A stream"
    assert snapshot.config.blackout_threshold_sec == 12
    assert snapshot.metadata == {"channel": 7}
    await handle.signal("stop")
    await handle.result()


async def test_operators_find_a_monitor_by_its_search_attributes(harness: WorkflowHarness) -> None:
    harness.activities.watches.append(
        scripts.sees(scripts.BLACKOUT, video=Health.ERROR, open_incidents=(IncidentKind.BLACKOUT,))
    )
    handle = await harness.start()
    await harness.activities.until(lambda: len(harness.activities.watched) == 2)
    shown = (await handle.describe()).typed_search_attributes
    assert {key.name: shown.get(key) for key in search_attributes.ALL} == {
        "MonitorName": "A stream",
        "MonitorStatus": "monitoring",
        "StreamStatus": "live",
        "VideoHealth": "error",
        "AudioHealth": "ok",
        "StreamKey": "url:media.example/live.m3u8",
    }
    await handle.signal("stop")
    await handle.result()


@pytest.mark.parametrize(
    ("fields", "listed"),
    [
        ({"name": "Studio 1"}, "Studio 1"),
        ({"name": "Night\0shift"}, "Night shift"),
        ({"name": "Studio 1", "shows_name": False}, None),
    ],
)
async def test_the_list_shows_a_monitor_by_its_name(
    harness: WorkflowHarness, fields: dict[str, Any], listed: str | None
) -> None:
    order = an_order(await harness.now()).model_copy(update=fields)
    handle = await start_monitor(harness.client, order)
    await harness.activities.until(lambda: len(harness.activities.watched) == 1)
    shown = (await handle.describe()).typed_search_attributes
    assert shown.get(search_attributes.MONITOR_NAME) == listed
    await handle.signal("stop")
    await handle.result()


async def test_a_name_that_is_taken_back_leaves_the_list(harness: WorkflowHarness) -> None:
    harness.activities.looks.append(scripts.look_without_answer())
    order = an_order(await harness.now()).model_copy(update={"name": "Studio 1"})
    handle = await start_monitor(harness.client, order)
    await handle.execute_update(CHANGE_UPDATE, MonitorChange(name=""))
    shown = (await handle.describe()).typed_search_attributes
    assert shown.get(search_attributes.MONITOR_NAME) is None
    await handle.signal("stop")
    await handle.result()


async def test_a_title_without_end_is_cut(harness: WorkflowHarness) -> None:
    harness.activities.looks.append(scripts.live("T" * 100_000))
    handle = await harness.start()
    await harness.activities.until(lambda: len(harness.activities.watched) == 1)
    title = (await snapshot_of(handle)).title or ""
    assert 400 < len(title) < 600
    await handle.signal("stop")
    await handle.result()


async def test_the_snapshot_of_an_ended_monitor_stays(harness: WorkflowHarness) -> None:
    harness.activities.watches.append(scripts.ends())
    handle = await harness.start()
    await handle.result()
    snapshot = await snapshot_of(handle)
    assert snapshot.status is MonitorStatus.COMPLETED
    assert snapshot.stream_status is StreamStatus.ENDED
    assert (snapshot.events_sent, snapshot.events_queued) == (2, 0)
    assert snapshot.doing == "The stream has ended"
