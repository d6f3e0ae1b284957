"""Playing the corpus: encoding, the watch's judgement, and ffmpeg's filters beside it."""

import asyncio
import io
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

from PIL import Image as Pillow

from api.slates.service import slate_picture
from benchmarks.truth.corpus import programmes_by_name
from benchmarks.truth.encoding import Encoded, encoded
from benchmarks.truth.filters import STILL_DB, FilterFaults, told_by_filters
from benchmarks.truth.ours import told_by_ours
from benchmarks.truth.programme import Canvas, Programme
from benchmarks.truth.verdict import Judgement, Told, incidents, judged
from media.decoding.probe import Probe, open_probe
from monitors.config import MonitorConfig
from monitors.measurement import ReferenceSlates

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
    **SHORT_SEC,
    "recovery_sec": 2.0,
}
THRESHOLDS: Mapping[str, Mapping[str, float]] = {"default": {}, "short": SHORT}

UNEVEN_SEC = 0.25
"""So much may a moment differ between two cuts or renditions of a programme."""

CUTS: Mapping[str, Sequence[int]] = {"2 s": (2,), "1 s": (1,), "6 s": (6,), "odd": (1, 3, 2, 5)}
"""Lengths of segments, in pieces."""

UPLOADED = Canvas(640, 360)
"""The size of slates."""

USUAL_CUT = "2 s"
SMALL = "small"
"""Names the smaller rendition."""


@dataclass(frozen=True)
class Played:
    """What was told of one programme.

    Attributes:
        ours: by the name of the thresholds.
        filters: by these, and by the tolerance of freezedetect.
        ways: told at default thresholds, by the cut or the rendition, as far as it was asked for.
    """

    programme: Programme
    ours: Mapping[str, Judgement]
    filters: Mapping[tuple[str, int], Judgement]
    ways: Mapping[str, Sequence[Told]]

    @property
    def uneven(self) -> list[str]:
        """Return the ways in which other incidents are told than in the usual one."""
        usual = sorted(self.ours["default"].told)
        return [way for way, told in self.ways.items() if not _are_same(sorted(told), usual)]


def _are_same(some: Sequence[Told], others: Sequence[Told]) -> bool:
    return [it.kind for it in some] == [it.kind for it in others] and all(
        abs(a.start_sec - b.start_sec) <= UNEVEN_SEC and abs(a.end_sec - b.end_sec) <= UNEVEN_SEC
        for a, b in zip(some, others, strict=True)
    )


async def play_all(
    programmes: Sequence[Programme],
    *,
    cache: Path = CACHE,
    is_fresh: bool = False,
    with_filters: bool = True,
    cuts: Sequence[str] = (),
    with_renditions: bool = False,
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
                    ways = {cut: media.cut(CUTS[cut]) for cut in cuts}
                    if with_renditions and programme.picture:
                        small = await loop.run_in_executor(encoders, _small, *ordered)
                        ways[SMALL] = small.cut(CUTS[USUAL_CUT])
                    result = await _play(programme, media, probe, ways, with_filters=with_filters)
                say(result)
                return result

            return await asyncio.gather(*map(played, programmes))


def _encoded(name: str, cache: Path, is_fresh: bool) -> Encoded:
    """Encode in another process, which knows the programmes by their names."""
    return encoded(programmes_by_name()[name], cache, is_fresh=is_fresh)


def _small(name: str, cache: Path, is_fresh: bool) -> Encoded:
    return encoded(smaller(programmes_by_name()[name]), cache, is_fresh=is_fresh)


def smaller(programme: Programme) -> Programme:
    """Return a programme in a rendition of two thirds of its width and height."""
    width, height = (
        2 * (length // 3) for length in (programme.canvas.width, programme.canvas.height)
    )
    coding = replace(programme.coding, scale=(width, height))
    return replace(programme, name=f"{programme.name}-{SMALL}", coding=coding)


async def _play(
    programme: Programme,
    media: Encoded,
    probe: Probe,
    ways: Mapping[str, Encoded],
    *,
    with_filters: bool,
) -> Played:
    usual, slates = media.cut(CUTS[USUAL_CUT]), _uploaded(programme)
    configs = {name: _config(programme, name) for name in THRESHOLDS}
    ours = {
        name: _judged(programme, name, await told_by_ours(probe, usual, config, slates))
        for name, config in configs.items()
    }
    others = {
        way: await told_by_ours(probe, it, configs["default"], slates) for way, it in ways.items()
    }
    filters: dict[tuple[str, int], Judgement] = {}
    if with_filters:
        faults = await told_by_filters(media.whole, programme.seconds)
        filters = {
            (name, db): _judged(programme, name, _incidents(programme, faults, name, db))
            for name in THRESHOLDS
            for db in STILL_DB
        }
    return Played(programme, ours, filters, others)


def _uploaded(programme: Programme) -> ReferenceSlates | None:
    """Return the slates of a programme as the gateway makes them of what is uploaded."""
    pictures: dict[str, bytes] = {}
    for name, slate in programme.slates.items():
        image = io.BytesIO()
        Pillow.fromarray(slate(0.0, UPLOADED)).save(image, "png")
        pictures[name] = slate_picture(image.getvalue())
    return ReferenceSlates.of(pictures) if pictures else None


def _config(programme: Programme, thresholds: str) -> MonitorConfig:
    return MonitorConfig(**{**THRESHOLDS[thresholds], **programme.config})


def threshold_sec(config: MonitorConfig) -> dict[str, float]:
    """Return the thresholds of a config by the kind of incident."""
    suffix = "_threshold_sec"
    judged_by = (*SHORT_SEC, "phase_threshold_sec", "loop_threshold_sec")
    known = {name: value for name, value in config.model_dump().items() if name in judged_by}
    return {name.removesuffix(suffix): float(value) for name, value in known.items()}


def _incidents(programme: Programme, faults: FilterFaults, name: str, db: int) -> list[Told]:
    config = _config(programme, name)
    return incidents(faults.at(db), threshold_sec(config), config.recovery_sec)


def _judged(programme: Programme, name: str, told: Sequence[Told]) -> Judgement:
    config = _config(programme, name)
    return judged(programme, told, threshold_sec(config), config.recovery_sec)
