"""Pictures that come before their incident, and what workers ask about missing ones."""

from datetime import UTC, datetime, timedelta

from tests.testkit.evidence import FIRST_FAULTY, JPEG, LAST_GOOD, new_incident
from tests.testkit.gateway import Running

NOON = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
ANOTHER = "inc-5a9be5a8-4b5c-5a59-9f4f-3a3c0d8d2f10"


async def test_workers_may_ask_what_is_still_to_come(gateway: Running) -> None:
    incident = await new_incident(gateway, NOON)
    assert not await incident.is_taken(FIRST_FAULTY)
    await incident.open()
    assert not await incident.is_taken(FIRST_FAULTY)
    await incident.put(FIRST_FAULTY, JPEG)
    await incident.fail(LAST_GOOD, "lost")
    taken = [await incident.is_taken(each) for each in (FIRST_FAULTY, LAST_GOOD)]
    path = f"/api/v1/evidence/{incident.id_of(FIRST_FAULTY)}"
    assert (await gateway.client.delete(path)).status_code == 204
    assert [*taken, await incident.is_taken(FIRST_FAULTY)] == [True, False, True]


async def test_a_picture_may_come_before_its_incident(gateway: Running) -> None:
    incident = await new_incident(gateway, NOON)
    assert (await incident.put(FIRST_FAULTY, JPEG)).status_code == 204
    await incident.open()
    shown = await incident.shown()
    found = {name: (one["state"], one["reason"]) for name, one in shown.items()}
    assert found == {"last_good": ("pending", None), "first_faulty": ("ready", None)}


async def test_a_picture_before_an_incident_is_refused_where_none_is_kept(
    gateway: Running,
) -> None:
    silent = await new_incident(gateway, NOON, config={"evidence": "none"})
    other = await new_incident(gateway, NOON, stream_url="https://a.tv/other.m3u8")
    answers = [
        await silent.put(FIRST_FAULTY, JPEG),
        await other.put(FIRST_FAULTY, JPEG, X_Incident_Id=ANOTHER),
    ]
    assert [each.json()["error"]["code"] for each in answers] == 2 * ["EVIDENCE_NOT_FOUND"]


async def test_an_id_of_no_possible_time_is_an_answer(gateway: Running) -> None:
    incident = await new_incident(gateway, NOON)
    digits = incident.id_of(FIRST_FAULTY)[len("evd-01234567-89ab-") :]
    path = f"/internal/v1/monitors/{incident.monitor_id}/evidence/evd-ffffffff-ffff-{digits}"
    headers = incident.headers_of(FIRST_FAULTY, JPEG)
    answer = await gateway.worker.put(path, content=JPEG, headers=headers)
    assert answer.status_code == 204
