"""Metrics of single streams."""

from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.testkit.gateway import Running, running_gateway

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def samples(gateway: Running) -> Samples:
    text = (await gateway.client.get("/metrics")).text
    prefix = "stream_tracker_stream_"
    return {
        (sample.name.removeprefix(prefix), frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith(prefix)
    }


async def test_each_active_monitor_is_told_with_its_name_and_labels(database_url: str) -> None:
    now = datetime.now(UTC)
    async with running_gateway(database_url, stream_metrics=True) as gateway:
        labels = {"team": 'a "b"\\', "site/floor": "2"}
        monitor_id = await gateway.created_id(name="News\n24", labels=labels)
        ended = await gateway.created_id(stream_url="https://media.example/2.m3u8")
        await gateway.report(ended, "completed", now.isoformat(), health={"video": "error"})
        await gateway.report(
            monitor_id,
            "monitoring",
            now.isoformat(),
            health={
                "video": "error",
                "audio": "unknown",
                "last_check_at": (now - timedelta(seconds=30)).isoformat(),
            },
            media={"levels": {"momentary_lufs": -22.5, "true_peak_dbtp": -1.5}},
            open_incidents=[{"kind": "blackout", "started_at": now.isoformat()}],
        )
        found = await samples(gateway)
    stream = {"monitor_id": monitor_id, "name": "News\n24"}

    def value(name: str, **labels: str) -> float:
        return found.pop((name, frozenset({**stream, **labels}.items())))

    assert value("info", label_team='a "b"\\', label_site_floor="2") == 1
    assert value("health", track="video") == 2
    assert value("health", track="audio") == -1
    assert value("open_incidents", kind="blackout") == 1
    assert value("last_segment_age_seconds") == pytest.approx(30, abs=10)
    assert value("loudness_lufs", window="momentary") == -22.5
    assert value("true_peak_dbtp") == -1.5
    assert found == {}


async def test_they_are_off_by_default(light_gateway: Running) -> None:
    await light_gateway.created_id()
    assert await samples(light_gateway) == {}
