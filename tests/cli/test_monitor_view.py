"""What a person sees of monitors: the worst first, and nothing that steers a terminal."""

from typing import Any

import pytest

from cli.command import printable
from cli.monitor_view import SHORTEST_ID, id_chars, row, urgency, worst_health


def monitor(video: str = "ok", audio: str = "ok", **fields: Any) -> dict[str, Any]:
    return {
        "monitor_id": "mon-019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b",
        "status": "monitoring",
        "stream_url": "http://127.0.0.1/x.m3u8",
        "name": None,
        "title": None,
        "labels": {},
        "health": {"video": video, "audio": audio},
        "open_incidents": [],
        **fields,
    }


@pytest.mark.parametrize(
    ("shown", "health"),
    [
        pytest.param(monitor(), "ok", id="all is well"),
        pytest.param(monitor("warning", "error"), "error", id="the worst counts"),
        pytest.param(monitor("unknown", "ok"), "ok", id="sound alone"),
        pytest.param(monitor("unknown", "unknown"), "unknown", id="not observed"),
        pytest.param(monitor(open_incidents=["suspended"]), "error", id="an open incident"),
        pytest.param(monitor(open_incidents=[{"kind": "blackout"}]), "error", id="as shown"),
        pytest.param(monitor(open_incidents=["rendition"]), "warning", id="a lesser incident"),
        pytest.param(monitor(status="stopped"), "-", id="stopped"),
        pytest.param(monitor(status="error"), "error", id="ended in an error"),
    ],
)
def test_one_word_says_how_a_monitor_is(shown: dict[str, Any], health: str) -> None:
    assert worst_health(shown) == health


def test_the_worst_come_first() -> None:
    wanted = [
        monitor(open_incidents=["blackout", "silence"]),
        monitor("error"),
        monitor("warning"),
        monitor("unknown", "unknown"),
        monitor(name="a"),
        monitor(name="b"),
    ]
    shown = [wanted[index] for index in (3, 0, 5, 2, 4, 1)]
    assert sorted(shown, key=urgency) == wanted


def test_ids_are_as_short_as_they_may_be_typed() -> None:
    assert id_chars([]) == id_chars(["mon-019a0b1c-2d3e", "mon-019a0b1d-2d3e"]) == SHORTEST_ID
    assert id_chars(["mon-019a0b1c-2d3e", "mon-019a0b1c-2d3f"]) == len("mon-019a0b1c-2d3e")


def test_what_strangers_write_does_not_steer_a_terminal() -> None:
    assert printable("a\x1b]0;title\x07\n\u202eb") == "a?]0;title???b"
    assert "\x1b" not in "".join(row(monitor(title="\x1b[2J")))
