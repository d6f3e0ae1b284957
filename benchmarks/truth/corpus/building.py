"""Programmes of the usual shape: something good, something that may be a fault, something good."""

from benchmarks.truth.footage import BIKES, CAR, RABBIT
from benchmarks.truth.pictures import then as pictures_then
from benchmarks.truth.programme import Canvas, Coding, Fault, Picture, Programme, Sound
from benchmarks.truth.sounds import speech
from benchmarks.truth.sounds import then as sounds_then

GOOD_SEC = 8.0
USUAL_CANVAS, USUAL_CODING, SMALL_CANVAS = Canvas(), Coding(), Canvas(128, 72, 5)
FILMS = (BIKES, RABBIT, CAR)
LONGER = {"freeze": 64.0, "blackout": 33.0, "silence": 33.0}
"""What lasts so long is an incident at the default thresholds."""


def shown(
    name: str,
    group: str,
    picture: Picture,
    kind: str | None,
    *,
    seconds: float | None = None,
    around: Picture | None = None,
    sound: Sound | None = None,
    canvas: Canvas = USUAL_CANVAS,
    coding: Coding = USUAL_CODING,
    is_certain: bool = True,
) -> Programme:
    """Return a programme that shows `picture` between footage, or `around`.

    `kind` is that of the fault that it is; None where it is none. By default it lasts long enough
    for an alert at the default thresholds.
    """
    lasts = seconds or LONGER.get(kind or "freeze", 40.0)
    footage = around or FILMS[sum(map(ord, name)) % len(FILMS)]
    end = GOOD_SEC + lasts
    faults = (Fault(kind, GOOD_SEC, end, is_certain),) if kind else ()
    return Programme(
        name=name,
        group=group,
        seconds=end + GOOD_SEC,
        picture=pictures_then((0, footage), (GOOD_SEC, picture), (end, footage)),
        sound=sound or speech(),
        faults=faults,
        canvas=canvas,
        coding=coding,
    )


def heard(
    name: str,
    group: str,
    sound: Sound,
    kind: str | None,
    *,
    seconds: float | None = None,
    around: Sound | None = None,
    picture: Picture | None = BIKES,
    coding: Coding = USUAL_CODING,
    is_certain: bool = True,
    is_sharp: bool = True,
) -> Programme:
    """Return a programme that plays `sound` between speech, or `around`; see `shown`."""
    lasts = seconds or LONGER.get(kind or "silence", 33.0)
    other, end = around or speech(), GOOD_SEC + lasts
    return Programme(
        name=name,
        group=group,
        seconds=end + GOOD_SEC,
        picture=picture,
        sound=sounds_then((0, other), (GOOD_SEC, sound), (end, other)),
        faults=(Fault(kind, GOOD_SEC, end, is_certain, is_sharp),) if kind else (),
        coding=coding,
        canvas=SMALL_CANVAS,
    )
