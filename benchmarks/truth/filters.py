"""What ffmpeg's own filters say of the same media."""

import asyncio
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from benchmarks.truth.verdict import Told
from simulator.origin.render import ffmpeg_path

STILL_DB = (-60, -50)
"""Tolerances of freezedetect: its default, and one that more noise passes."""

VIDEO = ",".join(["blackdetect=d=0.1", *(f"freezedetect@n{-db}=n={db}dB:d=0.5" for db in STILL_DB)])
AUDIO = "silencedetect=n=-50dB:d=0.1"

_BLACK = re.compile(r"black_start:(\S+) black_end:(\S+)")
_FREEZE = re.compile(r"\[freezedetect@n(\d+) @ \S+\] \S+freeze_(start|end): (\S+)")
_SILENCE = re.compile(r"silence_(start|end): (\S+)")


@dataclass(frozen=True)
class FilterFaults:
    """Black, still and silent stretches of a programme.

    Attributes:
        still: by the tolerance of freezedetect, in dB.
    """

    black: list[Told]
    still: dict[int, list[Told]]
    silent: list[Told]

    def at(self, still_db: int) -> list[Told]:
        """Return all, with the still ones of one tolerance."""
        return self.black + self.still[still_db] + self.silent


async def told_by_filters(media: bytes, seconds: float) -> FilterFaults:
    """Have ffmpeg decode a programme once, through all filters."""
    process = await asyncio.create_subprocess_exec(
        *(ffmpeg_path(), "-hide_banner", "-nostats", "-threads", "1", "-i", "pipe:0"),
        *("-vf", VIDEO, "-af", AUDIO, "-f", "null", "-"),
        stdin=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )
    _, said = await process.communicate(media)
    return _read(said.decode(errors="replace"), seconds)


def _read(said: str, seconds: float) -> FilterFaults:
    still = {
        db: list(
            _pairs(
                "freeze", ((e, t) for n, e, t in _FREEZE.findall(said) if n == str(-db)), seconds
            )
        )
        for db in STILL_DB
    }
    black = [Told("blackout", float(a), float(b)) for a, b in _BLACK.findall(said)]
    return FilterFaults(black, still, list(_pairs("silence", _SILENCE.findall(said), seconds)))


def _pairs(kind: str, edges: Iterable[tuple[str, str]], seconds: float) -> Iterator[Told]:
    started: float | None = None
    for edge, moment in edges:
        if edge == "start":
            started = max(0.0, float(moment))
        elif started is not None:
            yield Told(kind, started, float(moment))
            started = None
    if started is not None:
        yield Told(kind, started, seconds)
