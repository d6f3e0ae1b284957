"""Names, labels and health: how monitors are told apart, filtered and searched."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.testkit.gateway import Running

SPORT = {"team": "sport", "site/floor": "2"}


def stream(number: int) -> str:
    return f"https://media.example/{number}.m3u8"


async def listed(gateway: Running, query: str) -> list[str]:
    """Return the names of the listed monitors, in the order of their creation."""
    answer = await gateway.client.get(f"/api/v1/monitors?{query}")
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    assert page["pagination"]["total"] == len(page["monitors"])
    return [monitor["name"] for monitor in reversed(page["monitors"])]


async def test_labels_are_shown_changed_and_taken_away(gateway: Running) -> None:
    monitor_id = await gateway.created_id(labels=SPORT)
    path = f"/api/v1/monitors/{monitor_id}"
    assert (await gateway.show(monitor_id))["labels"] == SPORT
    for labels in ({"team": "news"}, {}):
        answer = await gateway.client.patch(path, json={"labels": labels})
        assert (answer.status_code, answer.json()["labels"]) == (200, labels)
        assert (await gateway.show(monitor_id))["labels"] == labels
    await gateway.client.patch(path, json={"labels": SPORT})
    await gateway.client.patch(path, json={"name": "Arena"})
    (one,) = (await gateway.client.get("/api/v1/monitors")).json()["monitors"]
    assert (one["labels"], one["picture_at"]) == (SPORT, None)
    ((changed, change),) = gateway.engine.changes  # labels do not disturb the workflow
    assert (changed, change.name) == (monitor_id, "Arena")


@pytest.mark.parametrize(
    ("labels", "field"),
    [
        pytest.param({"Team": "sport"}, "labels", id="capitals in a key"),
        pytest.param({"k" * 64: "v"}, "labels", id="a long key"),
        pytest.param({"team": "v" * 121}, "labels.team", id="a long value"),
        pytest.param({"team": ""}, "labels.team", id="no value"),
        pytest.param({"team": 7}, "labels.team", id="a number"),
        pytest.param({f"k{n}": "v" for n in range(21)}, "labels", id="too many"),
        pytest.param(["team"], "labels", id="a list"),
    ],
)
async def test_labels_that_break_a_rule_are_refused(
    light_gateway: Running, labels: Any, field: str
) -> None:
    answer = await light_gateway.create(labels=labels)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "VALIDATION_ERROR"
    assert answer.json()["error"]["message"].startswith(field)


async def test_the_list_filters_by_labels_all_of_which_must_hold(gateway: Running) -> None:
    for number, labels in enumerate([SPORT, {"team": "sport"}, {"team": "a:b'\" %"}, {}]):
        await gateway.create(stream_url=stream(number), name=f"n{number}", labels=labels)
    assert await listed(gateway, "label=team:sport") == ["n0", "n1"]
    assert await listed(gateway, "label=team:sport&label=site/floor:2") == ["n0"]
    assert await listed(gateway, "label=team:sport&label=team:news") == []
    assert await listed(gateway, "label=team:a:b'%22%20%25") == ["n2"]
    assert await listed(gateway, "label=team:spor") == []


@pytest.mark.parametrize(
    "query",
    [
        *("label=team", "label=:sport", "label=Team:sport", "label=team:%00"),
        *("q=%00", "q=a&q=b", f"q={'q' * 201}", "health=fine", "&".join(["label=a:b"] * 21)),
    ],
)
async def test_a_filter_that_cannot_be_read_is_refused(light_gateway: Running, query: str) -> None:
    answer = await light_gateway.client.get(f"/api/v1/monitors?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(query.partition("=")[0])


async def test_the_list_searches_name_title_and_url(gateway: Running) -> None:
    await gateway.create(stream_url=stream(1), name="Évening News")
    second = await gateway.created_id(stream_url=stream(2), name="n2")
    await gateway.create(stream_url="https://media.example/100%_live.m3u8", name="n3")
    await gateway.report(second, "monitoring", datetime.now(UTC).isoformat(), title="Night NEWS")
    assert await listed(gateway, "q=news") == ["Évening News", "n2"]
    assert await listed(gateway, "q=100%25_LIVE") == ["n3"]
    assert await listed(gateway, "q=1%25") == []
    assert await listed(gateway, "q=") == ["Évening News", "n2", "n3"]


async def test_the_list_filters_by_the_worst_of_picture_sound_and_incidents(
    gateway: Running,
) -> None:
    now = datetime.now(UTC).isoformat()
    suspended = {"kind": "suspended", "started_at": now}
    rendition = {"kind": "rendition", "started_at": now}
    conditions: list[tuple[str, dict[str, Any]]] = [
        ("error", {"health": {"video": "ok", "audio": "error"}}),
        ("error", {"health": {"video": "ok"}, "open_incidents": [suspended]}),
        ("warning", {"health": {"video": "warning", "audio": "ok"}}),
        ("warning", {"health": {"video": "ok"}, "open_incidents": [rendition]}),
        ("ok", {"health": {"video": "ok"}}),
        ("unknown", {"health": {}}),
    ]
    for number, (name, condition) in enumerate(conditions):
        monitor_id = await gateway.created_id(stream_url=stream(number), name=f"{name} {number}")
        await gateway.report(monitor_id, "monitoring", now, **condition)
    await gateway.create(stream_url=stream(7), name="unknown 7")  # never reported
    ended = await gateway.created_id(stream_url=stream(8), name="ended")
    await gateway.report(ended, "completed", now, health={"video": "error"})
    assert await listed(gateway, "health=error") == ["error 0", "error 1"]
    assert await listed(gateway, "health=warning") == ["warning 2", "warning 3"]
    assert await listed(gateway, "health=ok") == ["ok 4"]
    assert await listed(gateway, "health=unknown") == ["unknown 5", "unknown 7"]
    assert len(await listed(gateway, "health=")) == 8


async def test_a_report_of_new_measurements_changes_the_health_that_is_filtered(
    gateway: Running,
) -> None:
    monitor_id = await gateway.created_id(name="n")
    for video in ("ok", "error", "ok"):  # the second and third only bring measurements
        now = datetime.now(UTC).isoformat()
        await gateway.report(
            monitor_id, "monitoring", now, stream_status="live", health={"video": video}
        )
        assert await listed(gateway, f"health={video}") == ["n"]


async def test_the_list_tells_on_request_what_users_set(gateway: Running) -> None:
    config = {"freeze_threshold_sec": 90, "request_headers": {"Referer": "https://hidden.example"}}
    await gateway.create(labels=SPORT, config=config, metadata={"channel": 7})
    (plain,) = (await gateway.client.get("/api/v1/monitors")).json()["monitors"]
    assert plain["settings"] is None
    (whole,) = (await gateway.client.get("/api/v1/monitors?settings=true")).json()["monitors"]
    assert whole["settings"].pop("config")["request_headers"] == {"Referer": "***"}
    assert whole["settings"] == {
        "name": None,
        "labels": SPORT,
        "applied_by": None,
        "callback_url": "https://receiver.example/hook",
        "destinations": [],
        "metadata": {"channel": 7},
    }
