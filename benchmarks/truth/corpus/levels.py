"""Sound that is there and wrong: a lost channel, clipping, phase, loudness."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from benchmarks.truth.corpus.building import heard
from benchmarks.truth.corpus.silence import STEREO
from benchmarks.truth.footage import film_sound
from benchmarks.truth.programme import Programme, Sound
from benchmarks.truth.sounds import (
    clipped,
    inverted,
    louder,
    mixed,
    music,
    noise,
    nothing,
    pauses,
    speech,
    stereo,
)

BOTH = stereo(music(), mixed(music(-20), speech()))


def programmes() -> Iterator[Programme]:
    """Yield the programmes."""
    yield from _channels()
    yield from _clipping()
    yield from _phase()
    yield from _loudness()


def _stereo(
    name: str, sound: Sound, kind: str | None, config: Mapping[str, float], **how: object
) -> Programme:
    known = {"around": BOTH, "coding": STEREO, "seconds": 63.0} | how
    programme = heard(name, "levels", sound, kind, **known)  # type: ignore[arg-type]
    return replace(programme, config=config)


def _channels() -> Iterator[Programme]:
    lost = {
        "left": stereo(nothing, speech()),
        "right": stereo(music(), nothing),
        "right-hiss": stereo(music(), noise(-75)),
        "left-in-speech": stereo(nothing, pauses(speech(), 6.0, 1.5)),
    }
    for name, sound in lost.items():
        yield _stereo(f"channel-{name}", sound, "channel_loss", {})
    kept = {
        "quiet": stereo(music(), louder(music(), -22)),
        "both-mono": stereo(speech(), speech()),
        "film": stereo(film_sound(), louder(film_sound(), -10)),
    }
    for name, sound in kept.items():
        yield _stereo(f"channels-{name}", sound, None, {})
    # Whoever waits 3 s for a channel loses it in turn.
    turns = stereo(pauses(speech(), 10.0, 10.0), pauses(nothing, 10.0, 10.0, speech()))
    yield _stereo("channels-in-turn", turns, "channel_loss", {}, is_certain=False)


def _clipping() -> Iterator[Programme]:
    config, seconds = {"true_peak_max_dbtp": -1.0}, 20.0
    for gain in (14, 24):
        sound = clipped(BOTH, gain)
        yield _stereo(f"clipped-{gain}", sound, "clipping", config, seconds=seconds)
    for gain in (0, 4):
        yield _stereo(f"loud-{gain}", louder(BOTH, gain), None, config, seconds=seconds)


def _phase() -> Iterator[Programme]:
    config, seconds = {"phase_threshold_sec": 10.0}, 20.0
    for name, sound in {"music": music(), "speech": speech(), "film": film_sound()}.items():
        against = stereo(sound, inverted(sound))
        yield _stereo(f"phase-{name}", against, "phase", config, seconds=seconds)
        mono = stereo(sound, sound)
        yield _stereo(f"mono-{name}", mono, None, config, seconds=seconds)
    wide = stereo(mixed(music(), noise(-24, 5)), mixed(music(), noise(-24, 6)))
    yield _stereo("wide", wide, None, config, seconds=seconds)


def _loudness() -> Iterator[Programme]:
    config = {
        "loudness_target_lufs": -23.0,
        "loudness_tolerance_lu": 6.0,
        "loudness_window_sec": 60.0,
    }
    right = louder(BOTH, -4)
    yield _stereo("loudness-right", right, None, config, around=right)
    much = louder(BOTH, 8)
    # The loudness of a minute leaves its target somewhere in the minute that is too loud.
    yield _stereo("loudness-short-term", much, "loudness", config, around=right, is_certain=False)
