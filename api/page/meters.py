"""How loud the sound is, as bars. Pure."""

from dataclasses import dataclass
from typing import Final

from monitors.config import MonitorConfig
from monitors.reports import SoundLevels

FLOOR_DB: Final = -60.0
CEILING_DB: Final = 3.0  # true peaks may lie above full scale
_LAYOUTS: Final = {
    1: ("M",),
    2: ("L", "R"),
    3: ("L", "R", "C"),
    6: ("L", "R", "C", "LFE", "Ls", "Rs"),
    8: ("L", "R", "C", "LFE", "Lb", "Rb", "Ls", "Rs"),
}


@dataclass(frozen=True)
class Meter:
    """A bar.

    Attributes:
        label: a channel's name, or a key of `page.level.*`.
        share: of its length, 0 to 1.
        is_bad: whether it lies outside of what the config asks for.
        wanted: from where to where it should lie, as shares; None: nothing is asked for.
    """

    label: str
    value: float
    unit: str
    share: float
    is_bad: bool = False
    wanted: tuple[float, float] | None = None


def channel_meters(levels: SoundLevels) -> list[Meter]:
    """Return a bar a channel: RMS in the latest segment."""
    values = levels.channels_dbfs or []
    names = _LAYOUTS.get(len(values)) or tuple(map(str, range(1, len(values) + 1)))
    return [
        Meter(label, value, "dBFS", _share(value))
        for label, value in zip(names, values, strict=True)
    ]


def loudness_meters(levels: SoundLevels, config: MonitorConfig) -> list[Meter]:
    """Return a bar for each loudness and for the true peak, as far as they are measured."""
    meters = []
    target, tolerance = config.loudness_target_lufs, config.loudness_tolerance_lu
    wanted = None if target is None else (_share(target - tolerance), _share(target + tolerance))
    for label in ("momentary_lufs", "short_term_lufs"):
        value = getattr(levels, label)
        if value is not None:
            meters.append(Meter(label, value, "LUFS", _share(value), wanted=wanted))
    if levels.true_peak_dbtp is not None:
        meters.append(_true_peak(levels.true_peak_dbtp, config.true_peak_max_dbtp))
    return meters


def _true_peak(value: float, most: float | None) -> Meter:
    wanted = None if most is None else (0.0, _share(most))
    is_bad = most is not None and value > most
    return Meter("true_peak_dbtp", value, "dBTP", _share(value), is_bad, wanted)


def _share(value: float) -> float:
    share = (value - FLOOR_DB) / (CEILING_DB - FLOOR_DB)
    return round(min(1.0, max(0.0, share)), 3)
