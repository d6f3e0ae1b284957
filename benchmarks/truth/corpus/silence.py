"""Silence, and what is only quiet."""

from benchmarks.truth.corpus.building import heard
from benchmarks.truth.programme import Programme
from benchmarks.truth.sounds import (
    clicks,
    constant,
    hum,
    mixed,
    music,
    noise,
    nothing,
    pauses,
    speech,
    tone,
)


def programmes() -> list[Programme]:
    """Return the programmes."""
    return [*_silent(), *_quiet()]


def _silent() -> list[Programme]:
    return [
        heard("silence", "silence", nothing, "silence"),
        heard("silence-hiss-70", "silence", noise(-70), "silence"),
        heard("silence-hiss-62", "silence", noise(-62), "silence"),
        heard("silence-dc", "silence", constant(0.05), "silence"),
        heard("silence-dc-hiss", "silence", mixed(constant(-0.02), noise(-72)), "silence"),
        heard("silence-hum-60", "silence", hum(-60), "silence"),
        heard("silence-in-music", "silence", nothing, "silence", around=music()),
    ]


def _quiet() -> list[Programme]:
    return [
        heard("music-40", "quiet", music(-34), None),
        heard("hiss-40", "quiet", noise(-40), None),
        heard("whisper", "quiet", speech(-34), None),
        heard("tone-45", "quiet", tone(440, -45), None),
        heard("pauses-3s", "quiet", pauses(speech(), 2.0, 2.5), None),
        heard("clicks", "quiet", clicks(-20, 1.5), None),
        heard("long-pauses", "quiet", pauses(music(), 4.0, 2.0), None),
    ]
