"""The streams of the service tests, and what a monitor of each is told to look for."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any

from simulator.origin import Encoding, Programme, RenderedProgramme, render

SMALL = Encoding(width=128, height=72, fps=10, video_kbps=60)
"""Segments of 2 s that cost little to measure."""

SHORT = SMALL.model_copy(update={"segment_sec": 1.0})

EAGER: dict[str, Any] = {
    "blackout_threshold_sec": 4,
    "silence_threshold_sec": 4,
    "freeze_threshold_sec": 5,
    "recovery_sec": 1,
    "flapping_recovery_factor": 0,  # each scripted fault is told by itself
    "suspend_threshold_sec": 5,
}
"""The `config` of a monitor that is to notice within seconds."""


async def rendered(
    cache: Path, encoding: Encoding, *scenes: tuple[str, float]
) -> RenderedProgramme:
    """Render a programme without holding up what runs beside it."""
    return await asyncio.to_thread(render, Programme.of(scenes, encoding), cache)


def seconds_between(told: str, moment: datetime) -> float:
    """Return by how much a time that an event tells misses `moment`."""
    return abs((datetime.fromisoformat(told) - moment).total_seconds())
