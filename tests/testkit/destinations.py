"""Destinations and their deliveries, as clients and workers use them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from pydantic import SecretStr

from activities.destination_declarations import NotificationOutcome
from api.destinations.dispatch import DestinationDispatch
from api.destinations.notification_writer import NotificationWriter
from api.secrets import DestinationSecretBox, SecretBox
from tests.testkit.gateway import SECRETS_KEY, Running


async def create_destination(gateway: Running, **fields: Any) -> dict[str, Any]:
    """Make a webhook, unless `fields` say otherwise; return the answer."""
    body = {"name": "Ops", "type": "webhook", "url": "https://hooks.example/x", **fields}
    answer = await gateway.client.post("/api/v1/destinations", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def deliveries(gateway: Running, destination_id: str) -> list[dict[str, Any]]:
    answer = await gateway.client.get(f"/api/v1/destinations/{destination_id}/deliveries")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["deliveries"]
    return found


async def next_notification(gateway: Running, destination_id: str, **fields: Any) -> dict[str, Any]:
    """Ask what is due, as the destination's workflow does."""
    answer = await gateway.worker.post(
        f"/internal/v1/destinations/{destination_id}/next",
        json={"destination_id": destination_id, **fields},
    )
    assert answer.status_code == 200, answer.text
    due: dict[str, Any] = answer.json()
    return due


async def order(gateway: Running, destination_id: str, delivery_id: int) -> dict[str, Any]:
    """Ask what to tell, as the worker does that delivers."""
    answer = await gateway.worker.get(
        f"/internal/v1/destinations/{destination_id}/deliveries/{delivery_id}"
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def settle(
    gateway: Running,
    destination_id: str,
    delivery_id: int,
    *,
    attempts: int = 1,
    error: str | None = None,
) -> None:
    """Say what became of a notification, without asking for the next: nothing hands out two."""
    dispatch = gateway.gateway.dispatch
    outcome = NotificationOutcome(
        delivery_id=delivery_id,
        outcome="failed" if error else "delivered",
        attempts=attempts,
        error=error,
    )
    await dispatch._settle(destination_id, outcome)


async def silence_path(gateway: Running, **fields: Any) -> str:
    """Make a silence of the past and the next hour; return its path."""
    now = datetime.now(UTC)
    answer = await gateway.client.post(
        "/api/v1/silences",
        json={
            "starts_at": "2025-12-01T00:00:00Z",
            "ends_at": (now + timedelta(hours=1)).isoformat(),
            **fields,
        },
    )
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


def incident(
    monitor_id: str, sequence: int, *, closes: int | None = None, **fields: Any
) -> dict[str, Any]:
    """Return the report of the beginning of a blackout; or of the end of what `closes` began."""
    number = sequence if closes is None else closes
    incident_id = f"inc-{uuid5(NAMESPACE_URL, f'{monitor_id}|{number}')}"
    started_at = "2026-01-01T00:00:00.000+00:00"
    data: dict[str, Any] = {"incident_id": incident_id, "severity": "critical"}
    if closes is None:
        data |= {"started_at": started_at, "duration_sec": 30.0, "threshold_sec": 30.0}
    else:
        recovered_at = "2026-01-01T00:01:00.000+00:00"
        data |= {
            "started_at": started_at,
            "recovered_at": recovered_at,
            "total_duration_sec": 60.0,
        }
    return {
        "event": {
            "event_id": f"evt-{sequence}",
            "event_type": "alert.blackout" if closes is None else "alert.blackout_recovered",
            "monitor_id": monitor_id,
            "stream_url": "https://media.example/live/index.m3u8",
            "timestamp": "2026-01-01T00:00:30.000+00:00",
            "sequence": sequence,
            "data": data,
            "metadata": {},
            **fields,
        }
    }


def dispatch_after(gateway: Running, delay: timedelta) -> DestinationDispatch:
    """Return one whose clock is ahead, and stands still."""
    moment = datetime.now(UTC) + delay
    box = DestinationSecretBox(SecretBox([SecretStr(SECRETS_KEY)]))
    writer = NotificationWriter(gateway.store, None, gateway.gateway.links, lambda: moment)
    metrics = gateway.gateway.metrics
    return DestinationDispatch(gateway.store, box, writer, metrics, lambda: moment)
