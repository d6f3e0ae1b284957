"""Pictures of the second set: other footage and other recipes than the thresholds were tuned by."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from PIL import Image as Pillow

from benchmarks.truth.corpus.codings import X264
from benchmarks.truth.other_footage import CITY, CUP, DINNER, STREET, TREE, picture
from benchmarks.truth.pictures import (
    BLACK,
    always,
    dimmed,
    fade_between,
    faded,
    flat,
    held,
    in_turn,
    noisy,
    slower,
    then,
    with_box,
    with_light,
    with_text,
)
from benchmarks.truth.programme import Canvas, Coding, Fault, Image, Picture, Programme, Sound
from benchmarks.truth.sounds import music, speech

WIDE, SMOOTH, TALL = Canvas(320, 180, 15), Canvas(256, 144, 25), Canvas(144, 256, 12)
USUAL = Coding(video=(*X264, "-b:v", "300k", "-maxrate", "360k", "-bufsize", "600k"))
POOR = Coding(video=("-c:v", "libx264", "-preset", "superfast", "-b:v", "70k"))
REORDERED = Coding(video=("-c:v", "libx264", "-preset", "fast", "-crf", "26", "-bf", "4"))
HEVC = Coding(
    video=(
        *("-c:v", "libx265", "-preset", "superfast", "-crf", "30"),
        *("-x265-params", "log-level=none:scenecut=0"),
    )
)
VP9 = Coding(
    video=("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "7", "-b:v", "250k"),
    audio=("-c:a", "libopus", "-b:a", "64k"),
    container="fmp4",
    sample_rate=48_000,
)
GRAINY_AV1 = Coding(
    video=(
        *("-c:v", "libsvtav1", "-preset", "12", "-crf", "45"),
        *("-svtav1-params", "lp=1:film-grain=12"),
    ),
    container="fmp4",
)
OLD = Coding(video=("-c:v", "mpeg2video", "-b:v", "700k"), audio=("-c:a", "mp2", "-b:a", "96k"))
INTERLACED = Coding(video=(*X264, "-b:v", "350k", "-flags", "+ildct+ilme", "-x264opts", "tff=1"))
BEFORE_SEC, AFTER_SEC = 9.4, 7.6
FREEZE_SEC, BLACK_SEC = 63.2, 34.2
FROZEN, ALIVE, BLACKOUT, DARK = (
    "second set: frozen",
    "second set: alive",
    "second set: black",
    "second set: dark",
)


def programmes() -> Iterator[Programme]:
    """Yield the programmes."""
    yield from _frozen_films()
    yield from _frozen_drawings()
    yield from _footage()
    yield from _little_moves()
    yield from _black()
    yield from _dark()


def programme(
    name: str,
    group: str,
    shown: Picture,
    kind: str | None,
    *,
    seconds: float,
    around: Picture = CITY,
    sound: Sound | None = None,
    canvas: Canvas = WIDE,
    coding: Coding = USUAL,
    is_certain: bool = True,
) -> Programme:
    """Return a programme that shows something between footage."""
    end = BEFORE_SEC + seconds
    return Programme(
        name=f"second-{name}",
        group=group,
        seconds=round(end + AFTER_SEC),
        picture=then((0, around), (BEFORE_SEC, shown), (end, around)),
        sound=sound or speech(-16),
        faults=(Fault(kind, BEFORE_SEC, end, is_certain),) if kind else (),
        canvas=canvas,
        coding=coding,
    )


def _freeze(name: str, shown: Picture, **how: object) -> Programme:
    return programme(name, FROZEN, shown, "freeze", **({"seconds": FREEZE_SEC} | how))  # type: ignore[arg-type]


def _alive(name: str, shown: Picture, **how: object) -> Programme:
    return programme(name, ALIVE, shown, None, **({"seconds": FREEZE_SEC} | how))  # type: ignore[arg-type]


def _blackout(name: str, shown: Picture, **how: object) -> Programme:
    return programme(name, BLACKOUT, shown, "blackout", **({"seconds": BLACK_SEC} | how))  # type: ignore[arg-type]


def _frozen_films() -> Iterator[Programme]:
    """A film stops; the first frame that repeats is the last that moved."""
    films = {"city": CITY, "dinner": DINNER, "street": STREET, "tree": TREE, "cup": CUP}
    for name, film in films.items():
        yield _stopped(name, film)
    yield _stopped("city-poor", CITY, coding=POOR)
    yield _stopped("street-reordered", STREET, coding=REORDERED)
    yield _stopped("dinner-hevc", DINNER, coding=HEVC)
    yield _stopped("tree-vp9", TREE, coding=VP9)
    yield _stopped("city-grainy-av1", CITY, coding=GRAINY_AV1)
    yield _stopped("street-mpeg2", STREET, coding=OLD)
    yield _stopped("dinner-interlaced", DINNER, coding=INTERLACED)
    yield _stopped("tree-25fps", TREE, canvas=SMOOTH)
    yield _stopped("dinner-upright", DINNER, canvas=TALL)
    still = held(CITY, 4.0)
    yield _freeze("frozen-flash", then((0, still), (40.0, flat(250)), (40.0667, still)))
    yield _freeze("frozen-torn", then((0, still), (33.2, _torn(still)), (33.3, still)))
    yield _freeze("frozen-dithered", _dithered(still))
    yield _freeze("frozen-clock", with_text(still, _clock, 0.7, 0.06, 0.09), is_certain=False)


def _stopped(name: str, film: Picture, canvas: Canvas = WIDE, coding: Coding = USUAL) -> Programme:
    last = (math.ceil(BEFORE_SEC * canvas.fps - 1e-6) - 1) / canvas.fps
    found = programme(
        f"stopped-{name}",
        FROZEN,
        held(film, last),
        "freeze",
        seconds=FREEZE_SEC,
        around=film,
        canvas=canvas,
        coding=coding,
    )
    return replace(found, faults=(Fault("freeze", last, BEFORE_SEC + FREEZE_SEC),))


def _torn(shown: Picture) -> Picture:
    """Show a frame of which blocks are wrong, as after a lost packet."""

    def at(t: float, canvas: Canvas) -> Image:
        image = shown(t, canvas).copy()
        half = canvas.height // 2
        image[half:] = np.roll(image[half:], 24, axis=1)
        return image

    return at


def _dithered(shown: Picture) -> Picture:
    """Add a level to every other pixel, in turn."""

    def at(t: float, canvas: Canvas) -> Image:
        rows, columns = np.mgrid[: canvas.height, : canvas.width]
        add = ((rows + columns + round(t * canvas.fps)) % 2)[..., None]
        image: Image = np.minimum(shown(t, canvas).astype(np.int16) + add, 255).astype(np.uint8)
        return image

    return at


def _clock(t: float) -> str:
    return f"{int(t) // 60:02}:{int(t) % 60:02}"


def _frozen_drawings() -> Iterator[Programme]:
    for name in ("china.jpg", "flower.jpg", "leuvenA.jpg", "starry_night.jpg", "home.jpg"):
        yield _freeze(f"photo-{name.partition('.')[0]}", picture(name), around=STREET)
    blue = with_text(flat((0, 84, 166)), always(":(\nYour device ran\ninto a problem"), 0.1, 0.2)
    yield _freeze("error-screen", blue, around=DINNER)
    soon = with_text(dimmed(picture("flower.jpg"), 0.5), always("WE WILL BE RIGHT BACK"), 0.1, 0.4)
    yield _freeze("back-soon", soon, around=TREE, sound=music(-20))
    yield _freeze("paper-white", flat(250), around=STREET)
    yield _freeze("gradient", _gradient, around=CITY)
    yield _freeze("fog", _contrast(picture("starry_night.jpg"), 0.08, 170), around=CITY)
    slides = [picture(name) for name in ("china.jpg", "leuvenA.jpg")]
    yield Programme(
        name="second-slides-70s",
        group=FROZEN,
        seconds=140,
        picture=in_turn(70.0, *slides),
        sound=speech(-16),
        faults=(Fault("freeze", 0.0, 70.0), Fault("freeze", 70.0, 140.0)),
        canvas=WIDE,
        coding=USUAL,
    )


def _gradient(_t: float, canvas: Canvas) -> Image:
    across = np.linspace(20, 220, canvas.width)[None, :, None]
    down = np.linspace(0.5, 1.0, canvas.height)[:, None, None]
    image: Image = (across * down * np.array([1.0, 0.8, 0.6])).astype(np.uint8)
    return image


def _contrast(shown: Picture, factor: float, lift: float) -> Picture:
    return dimmed(shown, factor, lift)


def _footage() -> Iterator[Programme]:
    films = {"city": CITY, "dinner": DINNER, "street": STREET, "tree": TREE, "cup": CUP}
    for name, film in films.items():
        yield _alive(f"film-{name}", film, around=film)
        yield _alive(f"film-{name}-poor", film, around=film, coding=POOR, seconds=40)
    yield _alive("film-street-25fps", STREET, around=STREET, canvas=SMOOTH, seconds=40)
    yield _alive("film-dinner-upright", DINNER, around=DINNER, canvas=TALL, seconds=40)
    yield _alive("film-tree-grainy-av1", TREE, around=TREE, coding=GRAINY_AV1, seconds=40)
    yield _alive("film-city-1fps", slower(CITY, 1.0), around=CITY)
    yield _alive("film-dinner-2fps", slower(DINNER, 2.0), around=DINNER)
    yield _alive("film-street-slow", lambda t, canvas: STREET(t / 5, canvas), around=STREET)
    yield _alive("film-calm", _contrast(DINNER, 0.35, 90), around=DINNER)


def _little_moves() -> Iterator[Programme]:
    yield _alive("zoom", _zoomed("leuvenA.jpg", 0.004), around=STREET)
    yield _alive("zoom-fast", _zoomed("china.jpg", 0.02), around=STREET)
    yield _alive("window-in-photo", _small_window("starry_night.jpg", STREET, 0.16), around=CITY)
    score = with_text(picture("leuvenA.jpg"), _clock, 0.04, 0.05, 0.11)
    yield _alive("score-clock", score, around=STREET)
    yield _alive("vu-meter", _meter, around=TREE, sound=music(-16))
    yield _alive("waves", _wavy("starry_night.jpg"), around=CITY)
    yield _alive("rain", _rain("china.jpg"), around=CITY)
    yield _alive("empty-room", noisy(picture("leuvenA.jpg"), 2.5), around=CITY, coding=USUAL)
    yield _alive("pointer", _pointer, around=DINNER, seconds=40)
    yield _alive("scrolling-text", _scrolling, around=CITY)
    yield _alive("dots", _dots, around=CITY)
    yield _alive("turning-logo", _turning_logo, around=DINNER, seconds=40)
    dissolves = fade_between(picture("china.jpg"), picture("starry_night.jpg"), BEFORE_SEC, 55.0)
    yield _alive("slow-dissolve", dissolves, around=CITY, seconds=46)


def _zoomed(name: str, speed: float) -> Picture:
    """Come nearer to a photo by a share of its size a second."""

    def at(t: float, canvas: Canvas) -> Image:
        whole = picture(name)(0.0, Canvas(canvas.width * 2, canvas.height * 2, canvas.fps))
        share = 1 / (1 + speed * t)
        width, height = canvas.width * 2 * share, canvas.height * 2 * share
        left, top = canvas.width - width / 2, canvas.height - height / 2
        box = (width / canvas.width, 0, left, 0, height / canvas.height, top)
        size = (canvas.width, canvas.height)
        return np.asarray(
            Pillow.fromarray(whole).transform(
                size, Pillow.Transform.AFFINE, box, Pillow.Resampling.BICUBIC
            )
        )

    return at


def _small_window(name: str, film: Picture, share: float) -> Picture:
    def at(t: float, canvas: Canvas) -> Image:
        image = picture(name)(t, canvas).copy()
        inner = film(t, canvas)[:: round(1 / share), :: round(1 / share)]
        image[8 : 8 + len(inner), 8 : 8 + inner.shape[1]] = inner
        return image

    return at


def _meter(t: float, canvas: Canvas) -> Image:
    level = 0.06 + 0.1 * abs(math.sin(5 * t) * math.sin(1.3 * t))
    return with_box(picture("flower.jpg"), (0.9, 0.9 - level, 0.93, 0.9), (60, 220, 60))(t, canvas)


def _wavy(name: str) -> Picture:
    def at(t: float, canvas: Canvas) -> Image:
        image = picture(name)(t, canvas)
        shift = np.round(1.6 * np.sin(np.arange(canvas.height) / 9 + 2 * t)).astype(int)
        columns = (np.arange(canvas.width)[None] + shift[:, None]) % canvas.width
        moved: Image = image[np.arange(canvas.height)[:, None], columns]
        return moved

    return at


def _rain(name: str) -> Picture:
    def at(t: float, canvas: Canvas) -> Image:
        image = picture(name)(t, canvas).copy()
        random = np.random.default_rng(round(t * canvas.fps))
        for x, y in random.integers((0, 0), (canvas.width, canvas.height - 9), (40, 2)):
            image[y : y + 8, x] = 220
        return image

    return at


def _pointer(t: float, canvas: Canvas) -> Image:
    step = int(t / 2)
    x, y = 0.2 + 0.07 * (step % 9), 0.25 + 0.06 * (step * 5 % 9)
    page = with_text(
        flat(245), always("Quarterly results\n\n- sales\n- costs"), 0.1, 0.15, 0.1, (20,) * 3
    )
    return with_box(page, (x, y, x + 0.03, y + 0.07), 0)(t, canvas)


def _scrolling(t: float, canvas: Canvas) -> Image:
    lines = "\n".join(
        f"{number} {'lorem ipsum dolor sit amet'[number % 9 :]}" for number in range(60)
    )
    return with_text(flat(230), always(lines), 0.05, 0.05 - 0.03 * t, 0.08, (30,) * 3)(t, canvas)


def _dots(t: float, canvas: Canvas) -> Image:
    text = "Please wait" + "." * (int(t) % 4)
    return with_text(flat((20, 30, 60)), always(text), 0.3, 0.45, 0.1)(t, canvas)


def _turning_logo(t: float, canvas: Canvas) -> Image:
    width = 0.01 + 0.05 * abs(math.cos(1.5 * t))
    place = (0.85 - width, 0.08, 0.85 + width, 0.2)
    return with_box(picture("leuvenA.jpg"), place, (230, 40, 40))(t, canvas)


def _black() -> Iterator[Programme]:
    yield _blackout("black-level-18", flat(18))
    yield _blackout("black-hevc", noisy(flat(6), 2), coding=HEVC, around=DINNER)
    yield _blackout("black-mpeg2", noisy(flat(8), 4), coding=OLD, around=STREET)
    yield _blackout("black-vp9", flat(2), coding=VP9, around=TREE)
    yield _blackout("black-poor", noisy(flat(10), 4), coding=POOR, around=CITY)
    yield _blackout("black-upright", BLACK, canvas=TALL, around=DINNER)
    yield _blackout("black-25fps", BLACK, canvas=SMOOTH, around=STREET)
    logo = with_box(BLACK, (0.05, 0.05, 0.15, 0.17), (210, 30, 40))
    yield _blackout("black-red-logo", logo, around=CITY)
    word = with_text(flat(4), always("LIVE"), 0.85, 0.9, 0.06, (220, 220, 220))
    yield _blackout("black-word", word, around=DINNER)
    flashes = in_turn(1 / 25, flat(200), *[BLACK] * 274)
    yield _blackout("black-flashes", flashes, canvas=SMOOTH, around=CITY)
    end = BEFORE_SEC + BLACK_SEC
    fade = faded(STREET, lambda t: 1.0 if t >= end else min(1.0, max(0.0, BEFORE_SEC - t) / 0.8))
    yield _blackout("black-faded-into", fade, around=fade)


def _dark() -> Iterator[Programme]:
    def dark(name: str, shown: Picture, **how: object) -> Programme:
        return programme(name, DARK, shown, None, **({"seconds": 40.0} | how))  # type: ignore[arg-type]

    for name, film in {"city": CITY, "dinner": DINNER, "street": STREET}.items():
        yield dark(f"dim-{name}", dimmed(film, 0.18), around=film)
    yield dark("night-with-lamps", _with_lamps(dimmed(STREET, 0.12)), around=STREET)
    strip = with_box(with_box(CITY, (0, 0, 1, 0.35), 0), (0, 0.65, 1, 1), 0)
    yield dark("strip", strip)
    yield dark("visualiser", _visualiser, around=DINNER, sound=music(-16))
    yield dark("fire", with_light(flat(3), 0.9, 0.8, 0.16, _burning), around=DINNER)
    yield dark("club", lambda t, c: dimmed(TREE, 0.9 if t % 1.0 < 0.2 else 0.02)(t, c))
    title = with_text(BLACK, lambda t: f"Chapter {int(t / 6)}" if t % 6 < 4 else "", 0.3, 0.45, 0.1)
    yield dark("chapters", title, around=DINNER)
    stars = noisy(with_box(BLACK, (0.3, 0.3, 0.31, 0.32), 180), 1)
    yield programme("stars", DARK, stars, "blackout", seconds=40, around=CITY, is_certain=False)
    faint = dimmed(CITY, 0.07)
    yield programme("faint", DARK, faint, "blackout", seconds=40, around=CITY, is_certain=False)


def _with_lamps(shown: Picture) -> Picture:
    return with_light(
        with_light(shown, 0.4, 0.3, 0.03, lambda _t: 200.0), 1.3, 0.35, 0.03, lambda _t: 190.0
    )


def _visualiser(t: float, canvas: Canvas) -> Image:
    shown = BLACK
    for bar in range(12):
        height = 0.05 + 0.2 * abs(math.sin(3.1 * t + bar) * math.sin(bar + 0.7 * t))
        shown = with_box(
            shown, (0.2 + 0.05 * bar, 0.7 - height, 0.23 + 0.05 * bar, 0.7), (80, 120, 255)
        )
    return shown(t, canvas)


def _burning(t: float) -> float:
    return 150 + 60 * math.sin(9.1 * t) * math.sin(2.3 * t) + 20 * math.sin(23 * t)
