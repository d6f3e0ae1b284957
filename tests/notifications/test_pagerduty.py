"""Alerts on PagerDuty."""

from functools import partial

import httpx
import pytest
from starlette.responses import Response

from media.outbound.client import webhook_client
from media.outbound.guard import OutboundGuard
from monitors.delivery import Failure
from notifications.pagerduty import send_to_pagerduty
from notifications.sending import Sent
from tests.notifications.http_service import HttpService
from tests.notifications.pagerduty_stand_in import ROUTING_KEY, PagerDutyStandIn
from tests.notifications.samples import incident, notification


@pytest.fixture
def pagerduty(service: HttpService) -> PagerDutyStandIn:
    stand_in = PagerDutyStandIn()
    service.answer = stand_in
    return stand_in


def _url(service: HttpService, key: str = ROUTING_KEY) -> str:
    return f"http://127.0.0.1:{service.port}/v2/enqueue?routing_key={key}"


async def test_an_alert_lives_by_the_id_of_its_incident(
    client: httpx.AsyncClient, service: HttpService, pagerduty: PagerDutyStandIn
) -> None:
    send, states = partial(send_to_pagerduty, client), []
    for state in ("opened", "reminder", "acknowledged", "closed"):
        assert await send(_url(service), notification(state=state)) is Sent.DELIVERED
        states.append(pagerduty.alerts["inc-7"])
    assert states == ["triggered", "triggered", "acknowledged", "resolved"]
    path, triggered = service.posts[0]
    assert path == "/v2/enqueue"
    assert triggered["payload"]["summary"] == "[Critical] News 24: picture is black"
    assert triggered["links"][0]["href"] == "https://tracker.example/incidents/inc-7"
    assert service.posts[3][1].keys() == {"routing_key", "event_action", "dedup_key"}


@pytest.mark.parametrize(
    ("ended_as", "outcome", "state"),
    [
        ("stopped", Sent.DELIVERED, "resolved"),
        ("completed", Sent.DELIVERED, "resolved"),
        ("error", Sent.SKIPPED, "triggered"),
    ],
)
async def test_an_alert_whose_monitor_failed_is_left_to_a_person(
    client: httpx.AsyncClient,
    service: HttpService,
    pagerduty: PagerDutyStandIn,
    ended_as: str,
    outcome: Sent,
    state: str,
) -> None:
    send = partial(send_to_pagerduty, client)
    await send(_url(service), notification())
    closed = notification(incident(monitor_ended_as=ended_as), state="closed")
    assert await send(_url(service), closed) is outcome
    assert pagerduty.alerts == {"inc-7": state}


async def test_a_group_is_one_alert(
    client: httpx.AsyncClient, service: HttpService, pagerduty: PagerDutyStandIn
) -> None:
    subjects = [
        incident(monitor_id=f"mon-{number}", name=f"Channel {number}") for number in range(1000)
    ]
    group = notification(*subjects, thread_id="grp-1", origin_host="cdn.example")
    assert await send_to_pagerduty(client, _url(service), group) is Sent.DELIVERED
    assert pagerduty.alerts == {"grp-1": "triggered"}
    details = service.posts[0][1]["payload"]["custom_details"]
    assert len(details["monitors"]) == 1000
    assert "Channel 999" in details["text"]


@pytest.mark.parametrize(
    ("event_type", "severity", "outcome"),
    [
        ("stream.started", None, Sent.SKIPPED),
        ("monitor.error", "critical", Sent.DELIVERED),
        ("stream.delayed", "warning", Sent.DELIVERED),
    ],
)
async def test_only_faults_call_somebody(
    client: httpx.AsyncClient,
    service: HttpService,
    pagerduty: PagerDutyStandIn,
    event_type: str,
    severity: str | None,
    outcome: Sent,
) -> None:
    subject = incident(event_type=event_type, kind=None, severity=severity, incident_id=None)
    told = notification(subject, state="event")
    assert await send_to_pagerduty(client, _url(service), told) is outcome
    assert len(service.posts) == (outcome is Sent.DELIVERED)


async def test_a_test_is_an_alert_of_its_own(
    client: httpx.AsyncClient, service: HttpService, pagerduty: PagerDutyStandIn
) -> None:
    test = notification(state="test", subjects=())
    assert await send_to_pagerduty(client, _url(service), test) is Sent.DELIVERED
    assert pagerduty.alerts == {"ntf-1": "triggered"}


async def test_a_wrong_key_is_final_and_a_busy_service_is_asked_again(
    client: httpx.AsyncClient, service: HttpService, pagerduty: PagerDutyStandIn
) -> None:
    send = partial(send_to_pagerduty, client)
    refused = await send(_url(service, "x" * 32), notification())
    assert isinstance(refused, Failure)
    assert refused.is_final
    service.answer = lambda _: Response(status_code=429, headers={"Retry-After": "17"})
    busy = await send(_url(service), notification())
    assert isinstance(busy, Failure)
    assert (busy.is_final, busy.asked_sec) == (False, 17)


async def test_redirects_and_private_addresses_are_refused(
    client: httpx.AsyncClient, service: HttpService
) -> None:
    service.answer = lambda _: Response(status_code=307, headers={"Location": "/elsewhere"})
    redirected = await send_to_pagerduty(client, _url(service), notification())
    assert isinstance(redirected, Failure)
    assert redirected.outcome == "http_3xx"
    async with webhook_client(OutboundGuard(False)) as strict:
        refused = await send_to_pagerduty(strict, _url(service), notification())
    assert isinstance(refused, Failure)
    assert (refused.outcome, refused.is_final) == ("address_refused", True)
    assert len(service.posts) == 1
