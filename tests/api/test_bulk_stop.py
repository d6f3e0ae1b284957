"""Stopping all monitors of a label."""

from datetime import UTC, datetime

from api.monitor_engine import EngineUnavailable
from tests.testkit.gateway import Running

PATH = "/api/v1/monitors"


async def create(gateway: Running, number: int, team: str) -> str:
    url = f"https://media.example/{number}.m3u8"
    return await gateway.created_id(stream_url=url, labels={"team": team, "number": str(number)})


async def test_all_with_the_label_are_stopped_once_their_number_is_confirmed(
    gateway: Running,
) -> None:
    sport = [await create(gateway, number, "sport") for number in range(3)]
    news = await create(gateway, 3, "news")
    await gateway.report(sport[0], "completed", datetime.now(UTC).isoformat())
    for wrong in ("", "&confirm=3"):
        answer = await gateway.client.delete(f"{PATH}?label=team:sport{wrong}")
        assert answer.status_code == 409
        error = answer.json()["error"]
        assert error["code"] == "CONFIRMATION_REQUIRED"
        assert error["message"] == "confirm: 2 monitors would be stopped; confirm=2 stops them"
        assert gateway.engine.cancelled == []
    answer = await gateway.client.delete(f"{PATH}?label=team:sport&confirm=2")
    assert (answer.status_code, answer.json()) == (200, {"stopped": sport[1:]})
    assert sorted(gateway.engine.cancelled) == sport[1:]
    statuses = [(await gateway.show(each))["status"] for each in (*sport, news)]
    assert statuses == ["completed", "stopped", "stopped", "initializing"]
    answer = await gateway.client.delete(f"{PATH}?label=team:sport&confirm=0")
    assert (answer.status_code, answer.json()) == (200, {"stopped": []})


async def test_several_labels_must_all_hold_and_none_stops_nothing(light_gateway: Running) -> None:
    (first, _) = [await create(light_gateway, number, "sport") for number in range(2)]
    answer = await light_gateway.client.delete(f"{PATH}?confirm=2")
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, "label: is required")
    query = "label=team:sport&label=number:0&confirm=1"
    answer = await light_gateway.client.delete(f"{PATH}?{query}")
    assert answer.json() == {"stopped": [first]}


async def test_an_outage_of_temporal_is_told_with_what_was_done(light_gateway: Running) -> None:
    await create(light_gateway, 0, "sport")
    light_gateway.engine.cancel_error = EngineUnavailable("no answer")
    answer = await light_gateway.client.delete(f"{PATH}?label=team:sport&confirm=1")
    assert answer.status_code == 503
    assert "0 of 1 monitors" in answer.json()["error"]["message"]
    light_gateway.engine.cancel_error = None
    answer = await light_gateway.client.delete(f"{PATH}?label=team:sport&confirm=1")
    assert len(answer.json()["stopped"]) == 1
