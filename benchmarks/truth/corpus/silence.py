"""Silence, and what is only quiet."""

from collections.abc import Iterator
from dataclasses import replace

from benchmarks.truth.corpus.building import SMALL_CANVAS, heard
from benchmarks.truth.corpus.codings import CODINGS
from benchmarks.truth.footage import BIKES, film_sound
from benchmarks.truth.programme import Coding, Fault, Programme, Sound
from benchmarks.truth.sounds import (
    clicks,
    constant,
    faded,
    hum,
    louder,
    mixed,
    music,
    noise,
    nothing,
    pauses,
    speech,
    stereo,
    then,
    tone,
)

AROUND = {"speech": speech(), "music": music(), "film": film_sound(), "loud": louder(music(), 8)}
STEREO = Coding(sample_rate=48_000, channels=2, audio=("-c:a", "aac", "-b:a", "128k"))


def programmes() -> Iterator[Programme]:
    """Yield the programmes."""
    yield from _silent()
    yield from _encoded()
    yield from _placed()
    yield from _quiet()


def _silence(name: str, sound: Sound, group: str = "silence", **how: object) -> Programme:
    return heard(f"silence-{name}", group, sound, "silence", **how)  # type: ignore[arg-type]


def _silent() -> Iterator[Programme]:
    for name, around in AROUND.items():
        yield _silence(f"in-{name}", nothing, around=around)
    for level in (-80, -70, -66, -62):
        yield _silence(f"hiss{level}", noise(level), is_sharp=False)
        yield _silence(f"hiss{level}-in-music", noise(level), around=music())
    for offset in (0.05, -0.02, 0.3):
        yield _silence(f"offset-{offset}", constant(offset), is_sharp=False)
    yield _silence("offset-and-hiss", mixed(constant(-0.02), noise(-72)), is_sharp=False)
    yield _silence("hum-60", hum(-60))
    yield _silence("hum-70", hum(-70))
    yield _silence("tone-55", tone(440, -55))
    yield _silence("distant-speech", louder(speech(), -50))
    yield _silence("without-picture", nothing, picture=None, is_sharp=False)


def _encoded() -> Iterator[Programme]:
    group = "silence, encodings"
    audio = {
        "aac-24k": ("-c:a", "aac", "-b:a", "24k"),
        "mp2": ("-c:a", "mp2", "-b:a", "96k"),
        "mp3": ("-c:a", "libmp3lame", "-b:a", "64k"),
        "ac3": ("-c:a", "ac3", "-b:a", "96k"),
        "eac3": ("-c:a", "eac3", "-b:a", "96k"),
    }
    for name, arguments in audio.items():
        for rate in (48_000, 32_000):
            coding = Coding(audio=arguments, sample_rate=rate)
            yield _silence(f"{name}-{rate}", nothing, group, coding=coding)
    yield _silence("opus", nothing, group, coding=CODINGS["vp9-opus"])
    yield _silence("fmp4", nothing, group, coding=CODINGS["fmp4"])
    yield _silence("stereo", nothing, group, coding=STEREO)
    yield _silence("surround", nothing, group, coding=replace(STEREO, channels=6))
    yield _silence("44100", nothing, group, coding=replace(STEREO, sample_rate=44_100))


def _placed() -> Iterator[Programme]:
    def placed(name: str, seconds: float, *spans: tuple[float, float]) -> Programme:
        parts: list[tuple[float, Sound]] = [(0.0, music())]
        for start, end in spans:
            parts += [(start, nothing), (end, music())]
        return Programme(
            name=f"silence-{name}",
            group="silence, places",
            seconds=seconds,
            picture=BIKES,
            sound=then(*parts),
            faults=tuple(Fault("silence", start, end) for start, end in spans),
            canvas=SMALL_CANVAS,
            coding=Coding(sample_rate=48_000),
        )

    for moment in (7.013, 7.387, 7.5, 7.941):
        yield placed(f"from-{moment}", 55, (moment, moment + 33.3))
    yield placed("to-the-end", 45, (9.41, 45.0))
    yield placed("from-the-start", 45, (0.0, 34.1))
    yield placed("29s", 50, (8.3, 37.2))
    yield placed("31s", 50, (8.3, 39.4))
    yield placed("twice", 60, (8.3, 30.0), (38.0, 55.0))
    yield placed("interrupted", 70, (8.0, 40.5), (42.0, 60.2))
    yield placed("four-seconds", 40, (8.3, 12.4), (25.1, 29.7))


def _quiet() -> Iterator[Programme]:
    def quiet(name: str, sound: Sound, **how: object) -> Programme:
        return heard(name, "quiet, not silent", sound, None, **how)  # type: ignore[arg-type]

    for level in (-24, -30, -34):
        yield quiet(f"music{level}", music(level))
        yield quiet(f"whisper{level}", speech(level))
    for level in (-48, -45, -40, -30):
        yield quiet(f"hiss{level}", noise(level))
    for hz, level in ((440, -45), (60, -40), (3000, -44), (1200, -30)):
        yield quiet(f"tone-{hz}", tone(hz, level))
    yield quiet("hum-40", hum(-40))
    yield quiet("film-quiet", louder(film_sound(), -16))
    yield quiet("pauses-2.5s", pauses(speech(), 2.0, 2.5))
    yield quiet("pauses-room", pauses(speech(), 2.0, 2.5, noise(-56)))
    yield quiet("long-pauses", pauses(music(), 4.0, 2.0))
    yield quiet(
        "one-channel", stereo(speech(), nothing), coding=STEREO, around=stereo(speech(), nothing)
    )
    yield quiet("fade", faded(music(), 8, 41, -26))
    yield quiet("crickets", pauses(tone(4200, -38), 0.15, 0.5))
    # A click a second is heard, and is nothing that anybody listens to.
    yield heard("clicks", "quiet, not silent", clicks(-20, 1.0), "silence", is_certain=False)
