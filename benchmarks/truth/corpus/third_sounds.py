"""Sounds and signals of the third set."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.truth.corpus.third_pictures import (
    AFTER_SEC,
    AV1,
    BEFORE_SEC,
    DARK_LONG,
    FAST,
    SHORT,
    USUAL,
    VP9,
    programme,
)
from benchmarks.truth.other_footage import drawn
from benchmarks.truth.pictures import BLACK, then, with_box
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
from benchmarks.truth.sounds import constant, louder, mixed, noise, nothing, pauses, stereo, tone
from benchmarks.truth.sounds import then as sounds_then
from benchmarks.truth.third_footage import (
    FUNK,
    HOUSE,
    NEWS,
    OLD_SONG,
    PATTERN,
    PLASMA,
    coloured,
    picture,
    swelling,
)

SMALL = Canvas(128, 72, 5)
MONO = Coding(sample_rate=48_000, audio=("-c:a", "aac", "-b:a", "80k"))
AUDIO = {
    "aac-44k1": Coding(sample_rate=44_100, audio=("-c:a", "aac", "-b:a", "64k")),
    "aac-22k": Coding(sample_rate=22_050, audio=("-c:a", "aac", "-b:a", "32k")),
    "mp3": Coding(sample_rate=44_100, audio=("-c:a", "libmp3lame", "-b:a", "80k")),
    "opus": replace(VP9, audio=("-c:a", "libopus", "-b:a", "40k")),
    "ac3": Coding(sample_rate=48_000, audio=("-c:a", "ac3", "-b:a", "128k")),
    "eac3": Coding(sample_rate=48_000, audio=("-c:a", "eac3", "-b:a", "96k")),
}
STEREO = replace(MONO, channels=2)
SILENT, QUIET, SIGNALS, BOTH = (
    f"third set: {it}" for it in ("silent", "quiet", "signals", "picture and sound")
)
LEVEL = 10 ** (-50 / 20)


def programmes() -> Iterator[Programme]:
    """Yield the programmes."""
    yield from _silent()
    yield from _quiet()
    yield from _signals()
    yield from _both()


def _heard(
    name: str,
    group: str,
    sound: Sound,
    kind: str | None,
    *,
    seconds: float = SHORT,
    around: Sound = FUNK,
    coding: Coding = MONO,
) -> Programme:
    end = BEFORE_SEC + seconds
    return Programme(
        name=f"third-{name}",
        group=group,
        seconds=round(end + AFTER_SEC),
        picture=PATTERN,
        sound=sounds_then((0, around), (BEFORE_SEC, sound), (end, around)),
        faults=(Fault(kind, *_audible(around, end, coding)),) if kind else (),
        canvas=SMALL,
        coding=coding,
    )


def _audible(around: Sound, end: float, coding: Coding) -> tuple[float, float]:
    """Return when real sound is last heard before the middle part, and first behind it."""
    rate = coding.sample_rate
    before = around(BEFORE_SEC - 2 + np.arange(2 * rate) / rate, rate)
    behind = around(end + np.arange(2 * rate) / rate, rate)
    last = np.flatnonzero((np.abs(before) >= LEVEL).any(axis=0))[-1]
    first = np.flatnonzero((np.abs(behind) >= LEVEL).any(axis=0))[0]
    return BEFORE_SEC - 2 + (last + 1) / rate, end + first / rate


def _silent() -> Iterator[Programme]:
    def silence(name: str, sound: Sound = nothing, **how: object) -> Programme:
        return _heard(f"silence-{name}", SILENT, sound, "silence", **how)  # type: ignore[arg-type]

    for name, coding in AUDIO.items():
        yield silence(name, coding=coding)
    yield silence("after-news", around=NEWS, seconds=DARK_LONG)
    yield silence("after-old-song", around=OLD_SONG, seconds=DARK_LONG)
    yield silence("after-house", around=HOUSE)
    yield silence("short", seconds=4.4)
    yield silence("stereo", around=stereo(FUNK, louder(OLD_SONG, -3)), coding=STEREO)
    yield silence("pink-66", coloured(-66, 1), around=NEWS)
    yield silence("brown-60", coloured(-60, 2))
    yield silence("blue-64", coloured(-64, -1), around=OLD_SONG)
    yield silence("offset-hiss", mixed(constant(-0.1), noise(-68)), seconds=DARK_LONG)
    yield silence("dither", noise(-93), around=HOUSE)


def _quiet() -> Iterator[Programme]:
    def quiet(name: str, sound: Sound, **how: object) -> Programme:
        return _heard(name, QUIET, sound, None, **({"seconds": DARK_LONG} | how))  # type: ignore[arg-type]

    yield quiet("news", NEWS)
    yield quiet("news-quiet", louder(NEWS, -20), around=louder(NEWS, -20))
    yield quiet("news-opus", louder(NEWS, -10), coding=AUDIO["opus"])
    yield quiet("funk-quiet", louder(FUNK, -26))
    yield quiet("old-song-quiet", louder(OLD_SONG, -22), coding=AUDIO["mp3"])
    yield quiet("pink-40", coloured(-40, 1))
    yield quiet("wind", swelling(coloured(-34, 2), lambda t: 0.6 + 0.4 * np.sin(0.7 * t)))
    yield quiet("heartbeat", _heartbeat)
    yield quiet("crackle", _crackle)
    yield quiet("ringing", pauses(mixed(tone(440, -22), tone(480, -22)), 1.0, 2.0))
    yield quiet("whale", _whale)
    yield quiet("piano-notes", _notes)
    yield quiet("typing", _typing)
    yield quiet("one-side", stereo(nothing, NEWS), around=stereo(nothing, NEWS), coding=STEREO)


def _wave(samples: NDArray[np.floating]) -> Samples:
    return np.stack([samples.astype(np.float32)])


def _heartbeat(t: NDArray[np.float64], _rate: int) -> Samples:
    phase = t % 0.9
    beat = np.exp(-((phase - 0.1) ** 2) / 0.002) + 0.7 * np.exp(-((phase - 0.35) ** 2) / 0.002)
    return _wave(0.15 * beat * np.sin(2 * np.pi * 62 * t))


def _crackle(t: NDArray[np.float64], rate: int) -> Samples:
    hiss = noise(-46, 12)(t, rate)
    ticks = np.sin(2 * np.pi * 3000 * t) * ((t * 7.3) % 1 < 0.01) * 0.05
    return hiss + _wave(ticks)


def _whale(t: NDArray[np.float64], _rate: int) -> Samples:
    return _wave(0.02 * np.sin(2 * np.pi * (180 * t + 60 * np.sin(0.8 * t))))


def _notes(t: NDArray[np.float64], _rate: int) -> Samples:
    number, since = np.floor(t / 2.5), t % 2.5
    hz = 220 * 2 ** (number * 5 % 12 / 12)
    return _wave(0.2 * np.exp(-1.6 * since) * np.sin(2 * np.pi * hz * since))


def _typing(t: NDArray[np.float64], rate: int) -> Samples:
    is_struck = (t * 3.7 + 0.3 * np.sin(t * 2)) % 1 < 0.25
    return noise(-30, 5)(t, rate) * is_struck


def _signals() -> Iterator[Programme]:
    def bars(name: str, shown: Picture, **how: object) -> Programme:
        known = {"seconds": DARK_LONG} | how
        return programme(f"bars-{name}", SIGNALS, shown, "test_signal", **known)  # type: ignore[arg-type]

    yield bars("hd-av1", drawn("smptehdbars"), coding=AV1)
    yield bars("pal100-vp9", drawn("pal100bars"), coding=VP9)
    yield bars("pal75-60fps", drawn("pal75bars"), canvas=FAST, seconds=SHORT)
    yield bars("pillared", _in_the_middle(drawn("smptebars")))
    for name in ("yuvtestsrc", "colorspectrum"):
        still = drawn(name)
        yield programme(f"no-bars-{name}", SIGNALS, still, "freeze", seconds=SHORT, around=PLASMA)
    for name, sound in {
        "997": tone(997, -18),
        "opus": tone(1000, -20),
        "mp3": tone(1000, -12),
    }.items():
        coding = AUDIO.get(name, MONO)
        yield _heard(
            f"tone-{name}", SIGNALS, sound, "test_signal", seconds=DARK_LONG, coding=coding
        )
    yield _heard("no-tone-chirps", SIGNALS, _chirps, None, seconds=DARK_LONG)
    yield _heard(
        "no-tone-two", SIGNALS, mixed(tone(1000, -22), tone(1250, -25)), None, seconds=DARK_LONG
    )


def _in_the_middle(inner: Picture) -> Picture:
    """Show a picture of 4:3 between black pillars."""

    def at(t: float, canvas: Canvas) -> Image:
        width = canvas.height * 4 // 3
        image = BLACK(t, canvas).copy()
        left = (canvas.width - width) // 2
        image[:, left : left + width] = inner(t, Canvas(width, canvas.height, canvas.fps))
        return image

    return at


def _chirps(t: NDArray[np.float64], _rate: int) -> Samples:
    return _wave(0.1 * np.sin(2 * np.pi * (1000 * t + 40 * np.sin(5 * t))))


def _both() -> Iterator[Programme]:
    end = BEFORE_SEC + DARK_LONG
    hushed = sounds_then((0, NEWS), (BEFORE_SEC, nothing), (end, NEWS))
    silent = Fault("silence", *_audible(NEWS, end, USUAL))
    dead = programme("dead-air", BOTH, BLACK, "blackout", seconds=DARK_LONG, sound=hushed)
    yield replace(dead, faults=(*dead.faults, silent))
    sorry = with_box(picture("abstract_1.jpg"), (0.3, 0.4, 0.7, 0.6), 0)
    stands = programme("sorry", BOTH, sorry, "freeze", seconds=DARK_LONG, sound=hushed)
    yield replace(stands, faults=(*stands.faults, silent))
    first, last = BEFORE_SEC + SHORT, BEFORE_SEC + 2 * SHORT
    parts = then(
        (0, PLASMA), (BEFORE_SEC, picture("grace_hopper.jpg")), (first, BLACK), (last, PLASMA)
    )
    yield replace(
        programme("frozen-then-black", BOTH, parts, None, seconds=2 * SHORT, around=parts),
        faults=(Fault("freeze", BEFORE_SEC, first), Fault("blackout", first, last)),
    )
    radio = _heard("radio-silent", BOTH, nothing, "silence", around=NEWS)
    yield replace(radio, picture=None)
