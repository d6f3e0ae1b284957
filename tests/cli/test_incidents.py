"""`stream-tracker incidents` against a gateway."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.store import open_store
from monitors.incidents import IncidentRef
from monitors.status import IncidentKind
from tests.cli.test_destinations import command
from tests.testkit.events import begin_of, put_event
from tests.testkit.gateway import Running, running_gateway

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FREEZE = IncidentKind.FREEZE


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Running]:
    url = f"sqlite:///{tmp_path}/gateway.db"
    async with open_store(url):
        pass
    async with running_gateway(url) as running:
        yield running


async def test_incidents_are_listed_shown_and_acknowledged(gateway: Running) -> None:
    monitor_id = await gateway.created_id(name="News", labels={"team": "sport"})
    await put_event(gateway, monitor_id, begin_of(monitor_id, FREEZE, NOON, reason="why"))
    incident_id = IncidentRef(kind=FREEZE, started_at=NOON).id_in(monitor_id)
    filters = ("--status", "open", "--kind", "freeze", "--severity", "critical")
    code, said = await command(
        gateway, "incidents", "list", *filters, "--monitor", monitor_id, "--label", "team:sport"
    )
    assert code == 0, said
    assert said[1].split()[:4] == ["News", "freeze", "critical", "open"]
    assert incident_id in said[1]
    code, said = await command(gateway, "incidents", "ack", incident_id[:12], "--note", "on it")
    assert code == 0, said
    assert "open, acknowledged" in said[1]
    assert said[2] == "note: on it"
    code, said = await command(gateway, "incidents", "show", incident_id[4:14])
    assert code == 0, said
    assert any("alert.freeze" in line for line in said)
    code, said = await command(gateway, "incidents", "list", "--status", "closed", "--json")
    assert (code, json.loads("".join(said))["incidents"]) == (0, [])


async def test_an_incident_that_is_nowhere_is_one_line(gateway: Running) -> None:
    code, said = await command(gateway, "incidents", "show", "inc-0")
    assert (code, len(said)) == (2, 1)
    code, said = await command(gateway, "incidents", "list", "--kind", "boredom")
    assert (code, len(said)) == (1, 1)
