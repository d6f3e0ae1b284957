"""The control endpoint: what the Python methods switch, over HTTP.

| call | does |
|---|---|
| `GET /control` | lists the channels |
| `GET /control/NAME` | position, newest segments, scenes on air, faults |
| `POST /control/NAME/faults` | switches a fault on (body: `Fault`), answers `{"id": 1}` |
| `DELETE /control/NAME/faults[/ID]` | switches one or all off |
| `POST /control/NAME/stall`, `resume`, `restart`, `jump`, `end`, `disappear` | see `Channel` |

`resume` takes `{"catch_up": true}`, `jump` takes `{"by": 100}`.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from simulator.origin.channel import Channel, SceneOnAir
from simulator.origin.clock import as_datetime
from simulator.origin.delivery import Receive
from simulator.origin.faults import Fault
from simulator.origin.publication import Published
from simulator.origin.reply import Reply

_BODY_BYTES = 64 * 1024
_SHOWN_SEGMENTS = 20


class _ChangeOptions(BaseModel, extra="forbid"):
    catch_up: bool = False
    by: int = 100


async def control(
    channels: Mapping[str, Channel], method: str, path: str, receive: Receive
) -> Reply:
    """Answer a control request: 400 for a bad body, 404 for what is not there."""
    parts = [part for part in path.split("/") if part][1:]
    if not parts:
        listed = [{"name": each.name, "url": each.url} for each in channels.values()]
        return _json(200, {"channels": listed})
    try:
        channel = channels[parts[0]]
    except KeyError:
        return _json(404, {"error": f"no channel {parts[0]}"})
    try:
        return _switch(channel, method, parts[1:], await _read(receive))
    except (ValidationError, ValueError) as error:
        return _json(400, {"error": str(error)})


def _switch(channel: Channel, method: str, parts: list[str], body: bytes) -> Reply:
    match method, parts:
        case "GET", []:
            return _json(200, _state(channel))
        case "POST", ["faults"]:
            return _json(201, {"id": channel.fault(Fault.model_validate_json(body))})
        case "DELETE", ["faults"]:
            channel.clear()
            return _json(200, {})
        case "DELETE", ["faults", number] if number.isdecimal():
            return _json(200 if channel.faults.remove(int(number)) else 404, {})
        case "POST", [change] if change in _CHANGES:
            _CHANGES[change](channel, _ChangeOptions.model_validate_json(body or b"{}"))
            return _json(200, _state(channel))
    return _json(404, {"error": "no such control"})


_CHANGES: dict[str, Callable[[Channel, _ChangeOptions], object]] = {
    "stall": lambda channel, _: channel.stall(),
    "resume": lambda channel, options: channel.resume(catch_up=options.catch_up),
    "restart": lambda channel, _: channel.restart(),
    "jump": lambda channel, options: channel.jump(options.by),
    "end": lambda channel, _: channel.end(),
    "disappear": lambda channel, _: channel.disappear(),
}


def _state(channel: Channel) -> dict[str, Any]:
    return {
        "name": channel.name,
        "url": channel.url,
        "master_url": channel.master_url,
        "position_sec": channel.position_sec,
        "published": [_segment(entry) for entry in channel.published[-_SHOWN_SEGMENTS:]],
        "scenes": [_scene(scene) for scene in channel.scenes_on_air()[-_SHOWN_SEGMENTS:]],
        "faults": [
            {"id": number, **fault.model_dump(mode="json", exclude_unset=True)}
            for number, fault in channel.faults
        ],
    }


def _segment(entry: Published) -> dict[str, Any]:
    return {
        "sequence": entry.sequence,
        "generation": entry.generation,
        "stream_sec": entry.stream_sec,
        "duration_sec": entry.duration_sec,
        "captured_at": as_datetime(entry.captured_at).isoformat(),
        "published_at": as_datetime(entry.published_at).isoformat(),
    }


def _scene(scene: SceneOnAir) -> dict[str, Any]:
    return {
        "kind": scene.scene.kind,
        "start_sec": scene.start_sec,
        "end_sec": scene.end_sec,
        "started_at": scene.started_at.isoformat(),
        "ended_at": scene.ended_at.isoformat(),
    }


async def _read(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > _BODY_BYTES:
            raise ValueError(f"a body over {_BODY_BYTES} bytes")
    return body


def _json(status: int, value: dict[str, Any]) -> Reply:
    return Reply(status, json.dumps(value).encode(), "application/json")
