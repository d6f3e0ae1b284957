"""Pictures of the third set: footage, recipes and encodings that no rule was tried on."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from benchmarks.truth.corpus.codings import X264
from benchmarks.truth.footage import photo
from benchmarks.truth.pictures import (
    BLACK,
    Place,
    always,
    dimmed,
    fade_between,
    flat,
    held,
    in_turn,
    noisy,
    page,
    slower,
    then,
    with_box,
    with_text,
    words,
)
from benchmarks.truth.programme import Canvas, Coding, Fault, Image, Picture, Programme, Sound
from benchmarks.truth.third_footage import (
    AUTOMATON,
    CELLS,
    EARTH,
    FRACTAL,
    FUNK,
    NEWS,
    PATTERN,
    PLASMA,
    RINGS,
    TRIANGLES,
    picture,
)

USUAL_CANVAS, HALF, FAST, FEW, OLD_TV = (
    Canvas(224, 126, 12),
    Canvas(192, 108, 30),
    Canvas(160, 90, 60),
    Canvas(224, 126, 5),
    Canvas(176, 144, 50),
)
USUAL = Coding(
    video=(*X264, "-crf", "27"), audio=("-c:a", "aac", "-b:a", "96k"), sample_rate=48_000
)
SLOW = Coding(video=("-c:v", "libx264", "-preset", "slow", "-b:v", "90k"))
HEVC = Coding(
    video=(
        *("-c:v", "libx265", "-preset", "veryfast", "-crf", "32"),
        *("-x265-params", "log-level=none:bframes=4"),
    ),
    container="fmp4",
)
VP9 = Coding(
    video=("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "120k"),
    audio=("-c:a", "libopus", "-b:a", "48k"),
    container="fmp4",
    sample_rate=48_000,
)
AV1 = Coding(
    video=("-c:v", "libsvtav1", "-preset", "11", "-crf", "50", "-svtav1-params", "lp=1"),
    container="fmp4",
)
MPEG2 = Coding(
    video=("-c:v", "mpeg2video", "-b:v", "500k", "-bf", "2"),
    audio=("-c:a", "ac3", "-b:a", "96k"),
    sample_rate=48_000,
)
FIELDS = Coding(
    video=(
        *("-c:v", "mpeg2video", "-b:v", "900k", "-flags", "+ildct+ilme"),
        *("-pix_fmt", "yuv420p", "-vf", "tinterlace=4"),
    ),
    audio=("-c:a", "mp2", "-b:a", "96k"),
    sample_rate=48_000,
)
"""Two pictures of the canvas are the fields of one that is sent."""

BEFORE_SEC, AFTER_SEC = 8.75, 6.25
LONG, SHORT, DARK_LONG = 62.5, 12.5, 33.75
FROZEN, ALIVE, BLACKOUT, DARK = (f"third set: {it}" for it in ("frozen", "alive", "black", "dark"))


def programmes() -> Iterator[Programme]:
    """Yield the programmes."""
    yield from _stopped()
    yield from _stills()
    yield from _films()
    yield from _small_things()


def programme(
    name: str,
    group: str,
    shown: Picture,
    kind: str | None,
    *,
    seconds: float,
    around: Picture = FRACTAL,
    sound: Sound = NEWS,
    canvas: Canvas = USUAL_CANVAS,
    coding: Coding = USUAL,
    is_certain: bool = True,
) -> Programme:
    """Return a programme that shows something between footage."""
    end = BEFORE_SEC + seconds
    return Programme(
        name=f"third-{name}",
        group=group,
        seconds=round(end + AFTER_SEC),
        picture=then((0, around), (BEFORE_SEC, shown), (end, around)),
        sound=sound,
        faults=(Fault(kind, BEFORE_SEC, end, is_certain),) if kind else (),
        canvas=canvas,
        coding=coding,
    )


def _stopped() -> Iterator[Programme]:
    """A film stops; the first frame that repeats is the last that moved."""

    def stopped(
        name: str,
        film: Picture,
        seconds: float,
        canvas: Canvas = USUAL_CANVAS,
        coding: Coding = USUAL,
    ) -> Programme:
        last = _last_change(film, canvas)
        end = BEFORE_SEC + seconds
        shown = programme(
            f"stopped-{name}",
            FROZEN,
            held(film, last),
            "freeze",
            seconds=seconds,
            around=film,
            canvas=canvas,
            coding=coding,
        )
        return replace(shown, faults=(Fault("freeze", last, end),))

    yield stopped("fractal", FRACTAL, LONG)
    yield stopped("fractal-slow", FRACTAL, SHORT, coding=SLOW)
    yield stopped("pattern-av1", PATTERN, LONG, coding=AV1)
    yield stopped("pattern-60fps", PATTERN, SHORT, FAST)
    yield stopped("cells-hevc", CELLS, SHORT, coding=HEVC)
    yield stopped("cells-5fps", CELLS, LONG, FEW)
    yield stopped("plasma-mpeg2", PLASMA, SHORT, coding=MPEG2)
    yield stopped("rings-vp9", RINGS, SHORT, coding=VP9)
    yield stopped("triangles", TRIANGLES, SHORT)
    yield stopped("automaton-30fps", AUTOMATON, SHORT, HALF)
    yield stopped("earth", EARTH, LONG)
    yield stopped("earth-hevc", EARTH, SHORT, coding=HEVC)
    yield stopped("boxed-av1", _pillared(FRACTAL), SHORT, coding=AV1)
    # The field that moved last and the first that stands are one picture.
    yield stopped("pattern-fields", PATTERN, SHORT, OLD_TV, FIELDS)


def _last_change(film: Picture, canvas: Canvas) -> float:
    """Return when the picture that is shown last before the middle part is first shown."""
    number = math.ceil(BEFORE_SEC * canvas.fps - 1e-6) - 1
    shown = film(number / canvas.fps, canvas)
    while np.array_equal(film((number - 1) / canvas.fps, canvas), shown):
        number -= 1
    return number / canvas.fps


def _pillared(inner: Picture) -> Picture:
    return with_box(with_box(inner, (0, 0, 0.14, 1), 0), (0.86, 0, 1, 1), 0)


def _stills() -> Iterator[Programme]:
    def still(name: str, shown: Picture, seconds: float = SHORT, **how: object) -> Programme:
        return programme(name, FROZEN, shown, "freeze", seconds=seconds, **how)  # type: ignore[arg-type]

    for name in ("grace_hopper.jpg", "camera_rgb.jpg", "abstract_1.jpg", "diffuse.jpg"):
        yield still(f"photo-{name.partition('.')[0]}", picture(name), around=CELLS)
    for name in ("retina.jpg", "moon.png", "ihc.png", "text.png", "motorcycle_right.png"):
        yield still(f"photo-{name.partition('.')[0]}", photo(name), coding=AV1)
    yield still("photo-long-hevc", picture("abstract_2.jpg"), LONG, coding=HEVC)
    sign = with_text(flat((12, 24, 70)), always("No input signal"), 0.22, 0.42, 0.12)
    yield still("no-input", sign, LONG, around=PLASMA)
    login = with_box(
        with_box(flat((70, 80, 90)), (0.3, 0.4, 0.7, 0.5), 255), (0.3, 0.6, 0.7, 0.7), 180
    )
    yield still("login", login, coding=VP9)
    blink = then(
        (0, picture("grace_hopper.jpg")), (15.0, BLACK), (15 + 1 / 12, picture("grace_hopper.jpg"))
    )
    yield still("black-frame-in-it", blink)
    first, second = BEFORE_SEC + 10.0, BEFORE_SEC + 22.5
    two = then((0, photo("moon.png")), (first, picture("camera_rgb.jpg")))
    found = still("two-stills", two, 22.5)
    yield replace(
        found, faults=(Fault("freeze", BEFORE_SEC, first), Fault("freeze", first, second))
    )
    grainy = noisy(picture("camera_rgb.jpg"), 4)
    yield still("noise", grainy, is_certain=False)
    yield still("terminal", _terminal, is_certain=False)


def _terminal(t: float, canvas: Canvas) -> Image:
    shell = with_text(flat((10, 14, 20)), always("$ make\n$"), 0.06, 0.1, 0.1, (90, 220, 90))
    return (
        shell(t, canvas)
        if t % 1 < 0.5
        else with_box(shell, (0.1, 0.24, 0.14, 0.32), 200)(t, canvas)
    )


def _films() -> Iterator[Programme]:
    def film(name: str, shown: Picture, **how: object) -> Programme:
        known = {"seconds": 25.0, "around": shown} | how
        return programme(f"film-{name}", ALIVE, shown, None, **known)  # type: ignore[arg-type]

    yield film("earth", EARTH, seconds=65.0)
    yield film("earth-slow", EARTH, coding=SLOW)
    yield film("earth-30fps-hevc", EARTH, canvas=HALF, coding=HEVC)
    yield film("fractal-av1", FRACTAL, coding=AV1)
    yield film("cells-vp9", CELLS, coding=VP9)
    yield film("automaton", AUTOMATON)
    yield film("plasma", PLASMA, seconds=65.0)
    yield film("plasma-hevc", PLASMA, coding=HEVC)
    yield film("triangles-5fps", TRIANGLES, canvas=FEW)
    yield film("pattern-fields", PATTERN, canvas=OLD_TV, coding=FIELDS)
    yield film("pattern-60fps", PATTERN, canvas=FAST)
    yield film("rings", RINGS)
    yield film("call", lambda t, canvas: PLASMA(t / 8, canvas), coding=AV1)
    yield film("drawn-4fps", slower(FRACTAL, 4.0))


def _small_things() -> Iterator[Programme]:
    def alive(name: str, shown: Picture, **how: object) -> Programme:
        return programme(name, ALIVE, shown, None, **({"seconds": 25.0} | how))  # type: ignore[arg-type]

    yield alive("radar", _radar)
    yield alive("chart", _chart)
    yield alive("typed", with_text(flat(235), _typed, 0.06, 0.1, 0.09, (20, 20, 20)))
    yield alive("fly", lambda t, c: with_box(picture("camera_rgb.jpg"), _fly(t), 10)(t, c))
    yield alive("countdown", with_text(flat((30, 30, 80)), _count, 0.38, 0.25, 0.45))
    yield alive("karaoke", _karaoke, sound=FUNK)
    yield alive("webcam", _inset(page(3), CELLS, 0.22))
    yield alive("pulse", _pulse, coding=HEVC)
    yield alive("snowfall", _snowfall, coding=VP9)
    yield alive("maps", in_turn(1.0, *map(photo, ("retina.jpg", "ihc.png", "moon.png"))))
    yield alive("slides-3s", in_turn(3.0, *map(page, range(20, 29))), coding=AV1)
    yield alive(
        "room",
        noisy(picture("grace_hopper.jpg"), 4),
        coding=replace(USUAL, video=(*X264, "-crf", "18")),
    )
    yield alive("equaliser", _equaliser, sound=FUNK)
    yield alive("loading", _loading)
    yield alive("drifting", _drifting, seconds=65.0)
    yield alive(
        "dissolving", fade_between(photo("moon.png"), photo("retina.jpg"), BEFORE_SEC, 33.75)
    )
    yield alive("ticker-small", _running, canvas=HALF)
    yield alive("waving", _waving)


def _radar(t: float, canvas: Canvas) -> Image:
    rows, columns = np.mgrid[-1 : 1 : canvas.height * 1j, -1.8 : 1.8 : canvas.width * 1j]
    behind = (2 * t - np.arctan2(rows, columns)) % (2 * math.pi)
    glow = np.where(np.hypot(rows, columns) < 0.9, 200 * np.exp(-2 * behind), 0)
    return np.stack([glow * 0.2, 30 + glow * 0.8, glow * 0.3], axis=2).astype(np.uint8)


def _chart(t: float, canvas: Canvas) -> Image:
    image = flat((15, 20, 30))(t, canvas).copy()
    for x in range(canvas.width):
        moment = t + x * 0.08
        y = 0.5 + 0.2 * math.sin(moment * 0.9) + 0.12 * math.sin(moment * 2.3)
        image[round(y * canvas.height) : round(y * canvas.height) + 2, x] = (80, 220, 140)
    return image


def _typed(t: float) -> str:
    text = " ".join(words(number) for number in range(9))
    shown = text[: int((t - BEFORE_SEC) * 5)]
    return "\n".join(shown[at : at + 26] for at in range(0, len(shown), 26))


def _fly(t: float) -> Place:
    x, y = 0.5 + 0.35 * math.sin(0.9 * t), 0.5 + 0.35 * math.sin(1.7 * t)
    return (x, y, x + 0.03, y + 0.05)


def _count(t: float) -> str:
    return f"{max(0, 40 - int(t)):02}"


def _karaoke(t: float, canvas: Canvas) -> Image:
    line = with_text(
        dimmed(picture("abstract_1.jpg"), 0.6), always(words(int(t / 5), 4)), 0.1, 0.7, 0.1
    )
    return with_box(line, (0.1, 0.85, 0.1 + 0.16 * (t % 5), 0.89), (250, 200, 0))(t, canvas)


def _inset(outer: Picture, inner: Picture, share: float) -> Picture:
    def at(t: float, canvas: Canvas) -> Image:
        image = outer(t, canvas).copy()
        step = round(1 / share)
        small = inner(t, canvas)[::step, ::step]
        image[-len(small) - 4 : -4, -small.shape[1] - 4 : -4] = small
        return image

    return at


def _pulse(t: float, canvas: Canvas) -> Image:
    rows, columns = np.mgrid[: canvas.height, : canvas.width] / canvas.height
    radius = 0.16 + 0.05 * abs(math.sin(4.2 * t) * math.sin(0.6 * t))
    disc = np.hypot(rows - 0.5, columns - 0.5 * canvas.width / canvas.height) < radius
    image: Image = np.where(disc[..., None], (90, 160, 250), (25, 25, 35)).astype(np.uint8)
    return image


def _snowfall(t: float, canvas: Canvas) -> Image:
    image = dimmed(picture("camera_rgb.jpg"), 0.6)(t, canvas).copy()
    places = np.random.default_rng(6).random((60, 3))
    for x, y, speed in places:
        row = int((y + t * (0.1 + 0.2 * speed)) % 1.0 * (canvas.height - 2))
        column = int(x * (canvas.width - 2))
        image[row : row + 2, column : column + 2] = 245
    return image


def _equaliser(t: float, canvas: Canvas) -> Image:
    shown = picture("abstract_2.jpg")
    for bar in range(9):
        height = 0.05 + 0.3 * abs(math.sin(2.7 * t + 1.9 * bar))
        left = 0.1 + 0.09 * bar
        shown = with_box(shown, (left, 0.85 - height, left + 0.06, 0.85), (200, 40, 90))
    return shown(t, canvas)


def _loading(t: float, canvas: Canvas) -> Image:
    bar = with_box(flat(40), (0.1, 0.45, 0.9, 0.55), 90)
    right = 0.1 + 0.8 * min(1.0, (t - BEFORE_SEC) / 25)
    return with_box(bar, (0.1, 0.45, right, 0.55), (80, 200, 80))(t, canvas)


def _drifting(t: float, canvas: Canvas) -> Image:
    wide = photo("moon.png")(0.0, Canvas(canvas.width * 2, canvas.height * 2))
    x = int(canvas.width * (0.5 + 0.4 * math.sin(t / 12)))
    return wide[canvas.height // 2 :][: canvas.height, x : x + canvas.width]


def _running(t: float, canvas: Canvas) -> Image:
    text = "   ".join(words(number) for number in range(40))
    strip = with_box(photo("motorcycle_right.png"), (0, 0.92, 1, 1), 0)
    return with_text(strip, always(text), 0.9 - 0.12 * t, 0.925, 0.06)(t, canvas)


def _waving(t: float, canvas: Canvas) -> Image:
    image = picture("grace_hopper.jpg")(t, canvas)
    shift = np.round(1.4 * np.sin(np.arange(canvas.width) / 11 + 3 * t)).astype(int)
    rows = (np.arange(canvas.height)[:, None] + shift[None]) % canvas.height
    moved: Image = image[rows, np.arange(canvas.width)[None]]
    return moved
