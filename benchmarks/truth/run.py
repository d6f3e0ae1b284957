"""Playing the corpus: encoding, the watch's judgement, and ffmpeg's filters beside it."""

import asyncio
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from benchmarks.truth.corpus import programmes_by_name
from benchmarks.truth.encoding import Encoded, encoded
from benchmarks.truth.filters import STILL_DB, FilterFaults, told_by_filters
from benchmarks.truth.ours import told_by_ours
from benchmarks.truth.programme import Programme
from benchmarks.truth.verdict import Judgement, Told, incidents, judged
from media.decoding.probe import Probe, open_probe
from monitors.config import MonitorConfig

AT_ONCE = 2
CACHE = Path(tempfile.gettempdir()) / "stream-tracker-truth"

SHORT_SEC = {
    "blackout_threshold_sec": 3.0,
    "silence_threshold_sec": 3.0,
    "freeze_threshold_sec": 5.0,
    "test_signal_threshold_sec": 3.0,
    "slate_threshold_sec": 3.0,
    "channel_loss_threshold_sec": 3.0,
    "clipping_threshold_sec": 3.0,
}
SHORT = {
    **{name: value for name, value in SHORT_SEC.items() if name in MonitorConfig.model_fields},
    "recovery_sec": 2.0,
}
THRESHOLDS: Mapping[str, Mapping[str, float]] = {"default": {}, "short": SHORT}

CUTS: Mapping[str, Sequence[int]] = {"2 s": (2,), "1 s": (1,), "6 s": (6,), "odd": (1, 3, 2, 5)}
"""Lengths of segments, in pieces."""

USUAL_CUT = "2 s"


@dataclass(frozen=True)
class Played:
    """What was told of one programme.

    Attributes:
        ours: by the name of the thresholds.
        filters: by these, and by the tolerance of freezedetect.
        cuts: told at default thresholds, by the cut; none but where that was asked for.
    """

    programme: Programme
    ours: Mapping[str, Judgement]
    filters: Mapping[tuple[str, int], Judgement]
    cuts: Mapping[str, Sequence[Told]]


async def play_all(
    programmes: Sequence[Programme],
    *,
    cache: Path = CACHE,
    is_fresh: bool = False,
    with_filters: bool = True,
    cuts: Sequence[str] = (USUAL_CUT,),
    say: Callable[[Played], None] = lambda _played: None,
) -> list[Played]:
    """Play programmes, some at once."""
    free = asyncio.Semaphore(AT_ONCE)
    with ProcessPoolExecutor(AT_ONCE, get_context("spawn")) as encoders:
        async with open_probe(at_once=AT_ONCE) as probe:

            async def played(programme: Programme) -> Played:
                async with free:
                    loop, ordered = asyncio.get_running_loop(), (programme.name, cache, is_fresh)
                    media = await loop.run_in_executor(encoders, _encoded, *ordered)
                    result = await _play(programme, media, probe, cuts, with_filters=with_filters)
                say(result)
                return result

            return await asyncio.gather(*map(played, programmes))


def _encoded(name: str, cache: Path, is_fresh: bool) -> Encoded:
    """Encode in another process, which knows the programmes by their names."""
    return encoded(programmes_by_name()[name], cache, is_fresh=is_fresh)


async def _play(
    programme: Programme, media: Encoded, probe: Probe, cuts: Sequence[str], *, with_filters: bool
) -> Played:
    ours = {
        name: _judged(programme, name, await _told(probe, programme, media, name, USUAL_CUT))
        for name in THRESHOLDS
    }
    others = {
        it: await _told(probe, programme, media, "default", it) for it in cuts if it != USUAL_CUT
    }
    filters: dict[tuple[str, int], Judgement] = {}
    if with_filters:
        faults = await told_by_filters(media.whole, programme.seconds)
        filters = {
            (name, db): _judged(programme, name, _incidents(programme, faults, name, db))
            for name in THRESHOLDS
            for db in STILL_DB
        }
    return Played(programme, ours, filters, {USUAL_CUT: ours["default"].told, **others})


async def _told(
    probe: Probe, programme: Programme, media: Encoded, thresholds: str, cut: str
) -> list[Told]:
    config = _config(programme, thresholds)
    return await told_by_ours(probe, media.cut(CUTS[cut]), config)


def _config(programme: Programme, thresholds: str) -> MonitorConfig:
    return MonitorConfig(**{**THRESHOLDS[thresholds], **programme.config})


def threshold_sec(config: MonitorConfig) -> dict[str, float]:
    """Return the thresholds of a config by the kind of incident."""
    suffix = "_threshold_sec"
    known = {name: value for name, value in config.model_dump().items() if name in SHORT_SEC}
    return {name.removesuffix(suffix): float(value) for name, value in known.items()}


def _incidents(programme: Programme, faults: FilterFaults, name: str, db: int) -> list[Told]:
    config = _config(programme, name)
    return incidents(faults.at(db), threshold_sec(config), config.recovery_sec)


def _judged(programme: Programme, name: str, told: Sequence[Told]) -> Judgement:
    config = _config(programme, name)
    return judged(programme, told, threshold_sec(config), config.recovery_sec)
