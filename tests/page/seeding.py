"""Monitors to look at, made as clients and workers make them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import update

from api.store.tables import monitors
from monitors.status import IncidentKind
from tests.testkit.events import begin_of, end_of, put_event
from tests.testkit.gateway import Running

WATCHED = timedelta(hours=12)
HOSTILE = "<img src='/evil' onerror='alert(1)'>"
"""Text of a stranger; a page that takes it for more fails its test."""

LEVELS = {
    "momentary_lufs": -23.4,
    "short_term_lufs": -22.8,
    "true_peak_dbtp": -3.1,
    "channels_dbfs": [-21.5, -24.0],
}
VIDEO = {"codec": "h264", "width": 1920, "height": 1080, "fps": 29.97, "bitrate_bps": 4_800_000}
AUDIO = {"codec": "aac", "channels": 2, "sample_rate_hz": 48_000}
MEDIA = {"video": VIDEO, "audio": AUDIO, "levels": LEVELS}


@dataclass(frozen=True)
class Seeded:
    """What there is to look at: ids.

    Attributes:
        healthy, black, frozen, silent, waiting: monitors.
        past: an incident of `healthy` that is over.
        open: the incident of `black`.
    """

    healthy: str
    black: str
    frozen: str
    silent: str
    waiting: str
    past: str
    open: str


async def seed(gateway: Running) -> Seeded:
    """Make monitors: well, black, frozen (acknowledged), without a sound channel, waiting."""
    healthy = await add_live(gateway, "News 24", team="news", region="東京")
    black = await add_live(gateway, "Football, pitch 3", team="sport")
    frozen = await add_live(gateway, "朝の情報番組", team="news", region="大阪")
    silent = await add_live(gateway, f"Radio One with a very long name that fits no tile {HOSTILE}")
    waiting = await gateway.created_id(
        stream_url="https://media.example/evening.m3u8", name="Evening concert"
    )
    await gateway.report(waiting, "waiting", now().isoformat(), stream_status="scheduled")
    opened = await break_it(gateway, black, IncidentKind.BLACKOUT, ago_sec=151)
    acknowledged = await break_it(gateway, frozen, IncidentKind.FREEZE, ago_sec=4000)
    await gateway.client.post(
        f"/api/v1/incidents/{acknowledged}/acknowledge",
        json={"note": f"The encoder restarts. {HOSTILE}"},
    )
    await break_it(gateway, silent, IncidentKind.CHANNEL_LOSS, ago_sec=640)
    past = await break_it(gateway, healthy, IncidentKind.SILENCE, ago_sec=5 * 3600, lasted_sec=95)
    return Seeded(healthy, black, frozen, silent, waiting, past, opened)


async def add_live(gateway: Running, name: str, **labels: str) -> str:
    """Register a monitor whose stream is live and well, and has been watched for `WATCHED`."""
    monitor_id = await gateway.created_id(
        stream_url=f"https://media.example/{name.encode().hex()}.m3u8", name=name, labels=labels
    )
    began = now() - WATCHED
    is_it = monitors.c.monitor_id == monitor_id
    await gateway.store.database.write_one(update(monitors).where(is_it).values(created_at=began))
    event = {
        "event_id": f"evt-{monitor_id}",
        "event_type": "stream.started",
        "monitor_id": monitor_id,
        "stream_url": "https://media.example/live/index.m3u8",
        "timestamp": began.isoformat(),
        "sequence": 1,
        "data": {"title": name},
    }
    await put_event(gateway, monitor_id, {"event": event})
    await report(gateway, monitor_id)
    return monitor_id


async def report(gateway: Running, monitor_id: str, **fields: Any) -> None:
    """Report that a live stream is well, but for `fields`."""
    moment = now()
    known: dict[str, Any] = {
        "stream_status": "live",
        "health": {"video": "ok", "audio": "ok", "last_check_at": moment.isoformat()},
        "media": MEDIA,
        "coverage": [{"start": (moment - WATCHED).isoformat(), "end": moment.isoformat()}],
    }
    status = await gateway.report(
        monitor_id, "monitoring", moment.isoformat(), **{**known, **fields}
    )
    assert status == 200


async def break_it(
    gateway: Running,
    monitor_id: str,
    kind: IncidentKind,
    *,
    ago_sec: float,
    lasted_sec: float | None = None,
) -> str:
    """Have an incident begin so long ago, and end where it `lasted_sec`; return its id."""
    began = now() - timedelta(seconds=ago_sec)
    event = begin_of(monitor_id, kind, began)
    await put_event(gateway, monitor_id, event)
    if lasted_sec is None:
        health = {"video": "error", "audio": "ok", "last_check_at": now().isoformat()}
        incident = {"kind": kind, "started_at": began.isoformat()}
        await report(gateway, monitor_id, health=health, open_incidents=[incident])
    else:
        await put_event(gateway, monitor_id, end_of(monitor_id, kind, began, lasted_sec))
    incident_id: str = event["event"]["data"]["incident_id"]
    return incident_id


def now() -> datetime:
    return datetime.now(UTC)
