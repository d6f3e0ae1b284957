"""Sounds and signals of the second set."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.truth.corpus.second_pictures import (
    AFTER_SEC,
    BEFORE_SEC,
    HEVC,
    POOR,
    SMOOTH,
    USUAL,
    WIDE,
    programme,
)
from benchmarks.truth.other_footage import CITY, DINNER, SONG, STREET, VOICE, drawn
from benchmarks.truth.pictures import (
    BLACK,
    held,
    noisy,
    then,
    with_box,
    with_text,
)
from benchmarks.truth.programme import (
    Canvas,
    Coding,
    Fault,
    Image,
    Picture,
    Programme,
    Samples,
    Sound,
)
from benchmarks.truth.sounds import (
    clipped,
    constant,
    faded,
    hum,
    inverted,
    louder,
    mixed,
    noise,
    nothing,
    pauses,
    stereo,
    tone,
)
from benchmarks.truth.sounds import then as sounds_then

SMALL = Canvas(128, 72, 5)
MONO = Coding(sample_rate=48_000, audio=("-c:a", "aac", "-b:a", "96k"))
STEREO = Coding(sample_rate=48_000, channels=2, audio=("-c:a", "aac", "-b:a", "128k"))
SPEECH_RATE = Coding(sample_rate=32_000, audio=("-c:a", "aac", "-b:a", "48k"))
SILENT, QUIET, SIGNALS, LEVELS = (
    "second set: silent",
    "second set: quiet",
    "second set: signals",
    "second set: levels",
)
SILENCE_SEC = 34.3


def programmes() -> Iterator[Programme]:
    """Yield the programmes."""
    yield from _silent()
    yield from _quiet()
    yield from _signals()
    yield from _levels()
    yield from _both()


def _heard(
    name: str,
    group: str,
    sound: Sound,
    kind: str | None,
    *,
    seconds: float = SILENCE_SEC,
    around: Sound = VOICE,
    coding: Coding = MONO,
    is_certain: bool = True,
) -> Programme:
    end = BEFORE_SEC + seconds
    return Programme(
        name=f"second-{name}",
        group=group,
        seconds=round(end + AFTER_SEC),
        picture=CITY,
        sound=sounds_then((0, around), (BEFORE_SEC, sound), (end, around)),
        faults=(Fault(kind, *_audible(around, end, coding), is_certain),) if kind else (),
        canvas=SMALL,
        coding=coding,
    )


def _audible(around: Sound, end: float, coding: Coding) -> tuple[float, float]:
    """Return when real sound is last heard before the middle part, and first behind it."""
    rate, level = coding.sample_rate, 10 ** (-50 / 20)
    before = around(BEFORE_SEC - 1 + np.arange(rate) / rate, rate)
    behind = around(end + np.arange(rate) / rate, rate)
    last = np.flatnonzero((np.abs(before) >= level).any(axis=0))[-1]
    first = np.flatnonzero((np.abs(behind) >= level).any(axis=0))[0]
    return BEFORE_SEC - 1 + (last + 1) / rate, end + first / rate


def _silent() -> Iterator[Programme]:
    def silence(name: str, sound: Sound, **how: object) -> Programme:
        return _heard(f"silence-{name}", SILENT, sound, "silence", **how)  # type: ignore[arg-type]

    codecs = {
        "mp3-96k": ("-c:a", "libmp3lame", "-b:a", "96k"),
        "aac-32k": ("-c:a", "aac", "-b:a", "32k"),
        "ac3-192k": ("-c:a", "ac3", "-b:a", "192k"),
    }
    yield silence("after-voice", nothing)
    yield silence("after-song", nothing, around=SONG)
    yield silence("after-quiet-song", nothing, around=louder(SONG, -12))
    for name, audio in codecs.items():
        yield silence(name, nothing, around=SONG, coding=replace(MONO, audio=audio))
    yield silence("32khz", nothing, coding=SPEECH_RATE)
    yield silence("stereo", nothing, around=stereo(SONG, louder(SONG, -3)), coding=STEREO)
    for level in (-72, -64, -60, -57, -54):
        yield silence(f"hiss{level}", noise(level, 11))
    yield silence("soft-hiss-57", _soft(noise(-51, 4)))
    yield silence("hiss-58-stereo", stereo(noise(-58, 5), noise(-60, 6)), coding=STEREO)
    yield silence("room-hum-64", mixed(hum(-64), noise(-68, 3)))
    yield silence("offset", mixed(constant(0.12), noise(-70)))
    end = BEFORE_SEC + SILENCE_SEC
    beeps = silence("beep-each-12s", pauses(tone(880, -20), 0.2, 11.8))
    spans = ((BEFORE_SEC, 12.0), (12.2, 24.0), (24.2, 36.0), (36.2, end))
    yield replace(beeps, faults=tuple(Fault("silence", *span) for span in spans))
    fading = sounds_then((0, faded(SONG, BEFORE_SEC - 1, BEFORE_SEC, -50)), (end, SONG))
    yield silence("faded-into", nothing, around=fading)


def _soft(sound: Sound) -> Sound:
    """Take what is high away: the hiss of a room."""

    def at(t: NDArray[np.float64], rate: int) -> Samples:
        wave = sound(t, rate)
        kernel = np.ones(4, np.float32) / 4
        return np.stack([np.convolve(each, kernel, "same") for each in wave])

    return at


def _quiet() -> Iterator[Programme]:
    def quiet(name: str, sound: Sound, **how: object) -> Programme:
        return _heard(name, QUIET, sound, None, **how)  # type: ignore[arg-type]

    yield quiet("voice", VOICE)
    yield quiet("song", SONG)
    yield quiet("voice-quiet", louder(VOICE, -18))
    yield quiet("song-quiet", louder(SONG, -24))
    yield quiet("rain-noise", noise(-38, 8))
    yield quiet("murmur", _murmur(-40))
    yield quiet("birds", pauses(tone(3100, -34), 0.2, 1.9))
    yield quiet("voice-with-pauses", pauses(VOICE, 3.0, 2.4))
    yield quiet("voice-in-noise", mixed(louder(VOICE, -20), noise(-55, 8)))
    yield quiet("left-alone", stereo(VOICE, nothing), coding=STEREO, around=stereo(VOICE, nothing))
    yield quiet("ticking-clock", mixed(_ticks(-30), noise(-62)))
    yield quiet("drone", mixed(tone(110, -42), tone(165, -44)))
    phone = pauses(tone(440, -18), 1.0, 4.0)
    yield _heard("phone", QUIET, phone, "silence", is_certain=False)


def _murmur(dbfs: float) -> Sound:
    def at(t: NDArray[np.float64], rate: int) -> Samples:
        swell = 0.6 + 0.4 * np.sin(1.9 * t) * np.sin(0.53 * t)
        wave: Samples = noise(dbfs, 21)(t, rate) * swell.astype(np.float32)
        return wave

    return at


def _ticks(dbfs: float) -> Sound:
    level = 10 ** (dbfs / 20)

    def at(t: NDArray[np.float64], _rate: int) -> Samples:
        phase = t % 0.5
        wave = level * np.sin(2 * math.pi * 2200 * t) * np.exp(-phase * 60)
        return np.stack([wave.astype(np.float32)])

    return at


def _signals() -> Iterator[Programme]:
    def signal(name: str, shown: Picture, **how: object) -> Programme:
        known = {"seconds": 41.0} | how
        return programme(name, SIGNALS, shown, "test_signal", **known)  # type: ignore[arg-type]

    for name in ("smptebars", "smptehdbars", "pal75bars", "pal100bars"):
        yield signal(f"bars-{name}", drawn(name))
    yield signal("bars-hd-poor", drawn("smptehdbars"), coding=POOR)
    yield signal("bars-pal-hevc", drawn("pal75bars"), coding=HEVC)
    yield signal("bars-25fps", drawn("smptebars"), canvas=SMOOTH)
    ident = with_text(
        with_box(drawn("smptehdbars"), (0.3, 0.35, 0.7, 0.5), 0), _time, 0.34, 0.37, 0.1
    )
    yield signal("bars-with-time", ident)
    yield signal("bars-noisy", noisy(drawn("pal75bars"), 4))
    for name, shown in {
        "gradients": drawn("rgbtestsrc"),
        "zone-plate": drawn("zoneplate"),
        "stripes": _stripes((230, 60, 60), (250, 250, 250)),
        "rainbow": _stripes(
            *[
                (228, 3, 3),
                (255, 140, 0),
                (255, 237, 0),
                (0, 128, 38),
                (36, 64, 142),
                (115, 41, 130),
            ]
        ),
    }.items():
        yield programme(f"no-bars-{name}", SIGNALS, shown, "freeze", seconds=63.2)
    for level in (-12, -24):
        yield _tone(f"tone{level}", tone(1000, level))
    yield _tone("tone-stereo", stereo(tone(1000, -18), tone(1000, -21)), coding=STEREO)
    near: dict[str, Sound] = {
        "tone-800": tone(800, -18),
        "tone-2000": tone(2000, -20),
        "tone-sweep": _sweep,
        "voice-and-tone": mixed(VOICE, tone(1000, -34)),
    }
    for name, sound in near.items():
        yield _heard(f"no-{name}", SIGNALS, sound, None, seconds=41.0)


def _tone(name: str, sound: Sound, coding: Coding = MONO) -> Programme:
    return _heard(name, SIGNALS, sound, "test_signal", seconds=41.0, coding=coding)


def _time(t: float) -> str:
    return f"10:{int(t) // 60:02}:{int(t) % 60:02}"


def _sweep(t: NDArray[np.float64], _rate: int) -> Samples:
    phase = 2 * math.pi * (500 * t + 60 * 10 * (1 - np.cos(t / 10)) * 10)
    return np.stack([(0.12 * np.sin(phase)).astype(np.float32)])


def _stripes(*colours: tuple[int, int, int]) -> Picture:
    def at(_t: float, canvas: Canvas) -> Image:
        places = (np.arange(canvas.width) * len(colours) / canvas.width).astype(int)
        row = np.array(colours, np.uint8)[places]
        return np.broadcast_to(row, (canvas.height, canvas.width, 3)).copy()

    return at


def _levels() -> Iterator[Programme]:
    both = stereo(SONG, louder(VOICE, -2))

    def level(name: str, sound: Sound, kind: str | None, **how: object) -> Programme:
        config = how.pop("config", {})
        known = {"around": both, "coding": STEREO, "seconds": 63.0} | how
        found = _heard(name, LEVELS, sound, kind, **known)  # type: ignore[arg-type]
        return replace(found, config=config)  # type: ignore[arg-type]

    yield level("lost-left", stereo(nothing, VOICE), "channel_loss")
    yield level("lost-right-hiss", stereo(SONG, noise(-70, 2)), "channel_loss")
    yield level("both-there", stereo(VOICE, louder(VOICE, -9)), None)
    yield level("right-quiet", stereo(SONG, louder(SONG, -20)), None)
    peaks = {"true_peak_max_dbtp": -1.0}
    yield level("clipped", clipped(both, 20), "clipping", config=peaks, seconds=20.0)
    yield level(
        "not-clipped", louder(both, -6), None, config=peaks, seconds=20.0, around=louder(both, -6)
    )
    phases = {"phase_threshold_sec": 10.0}
    yield level("against", stereo(SONG, inverted(SONG)), "phase", config=phases, seconds=20.0)
    yield level("together", stereo(SONG, SONG), None, config=phases, seconds=20.0)
    wide = stereo(mixed(SONG, noise(-30, 1)), mixed(SONG, noise(-30, 2)))
    yield level("wide", wide, None, config=phases, seconds=20.0)


def _both() -> Iterator[Programme]:
    """Picture and sound have faults at once, or one has one that the other explains."""
    end = BEFORE_SEC + 34.0
    silent = sounds_then((0, VOICE), (BEFORE_SEC, nothing), (end, VOICE))
    black = programme(
        "black-and-silent", "second set: both", BLACK, "blackout", seconds=34.0, sound=silent
    )
    yield replace(
        black, coding=MONO_USUAL, faults=(*black.faults, Fault("silence", BEFORE_SEC, end))
    )
    long_end = BEFORE_SEC + 64.0
    hushed = sounds_then((0, VOICE), (BEFORE_SEC, nothing), (long_end, VOICE))
    last = BEFORE_SEC - 1 / WIDE.fps
    still = programme(
        "frozen-and-silent",
        "second set: both",
        held(DINNER, 9.3334),
        "freeze",
        seconds=64.0,
        around=DINNER,
        sound=hushed,
    )
    faults = (Fault("freeze", last, long_end), Fault("silence", BEFORE_SEC, long_end))
    yield replace(still, coding=MONO_USUAL, faults=faults)
    parts = then((0, STREET), (BEFORE_SEC, BLACK), (end, held(DINNER, 3.0)), (end + 64, STREET))
    yield Programme(
        name="second-black-then-frozen",
        group="second set: both",
        seconds=round(end + 64 + AFTER_SEC),
        picture=parts,
        sound=VOICE,
        faults=(Fault("blackout", BEFORE_SEC, end), Fault("freeze", end, end + 64)),
        canvas=WIDE,
        coding=MONO_USUAL,
    )


MONO_USUAL = replace(MONO, video=USUAL.video)
