"""What programmes show: functions from moments to pictures."""

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from benchmarks.truth.programme import Canvas, Image, Picture

Colour = tuple[int, int, int]
Place = tuple[float, float, float, float]
"""Left, top, right, bottom, as shares of the picture."""


def flat(colour: Colour | int) -> Picture:
    """Show one colour; a number is a grey."""
    value = (colour,) * 3 if isinstance(colour, int) else colour
    return lambda _t, canvas: np.full((canvas.height, canvas.width, 3), value, np.uint8)


BLACK = flat(0)


@cache
def _clouds(width: int, height: int, seed: int, slope: float) -> Image:
    spectrum = np.fft.fft2(np.random.default_rng(seed).standard_normal((height, width)))
    far = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None])
    far[0, 0] = 1.0
    wave = np.fft.ifft2(spectrum / far**slope).real
    grey = 128 + 45 * (wave - wave.mean()) / wave.std()
    return _colourless(np.clip(grey, 0, 255).astype(np.uint8))


def _colourless(grey: NDArray[np.uint8]) -> Image:
    return np.stack([grey] * 3, axis=2)


def clouds(seed: int = 1, slope: float = 1.2) -> Picture:
    """Show a still of 1/f noise, as natural pictures have it: the hardest to encode."""
    return lambda _t, canvas: _clouds(canvas.width, canvas.height, seed, slope)


def held(picture: Picture, moment: float = 0.0) -> Picture:
    """Show what `picture` shows at one moment."""
    return lambda _t, canvas: picture(moment, canvas)


def then(*parts: tuple[float, Picture]) -> Picture:
    """Show one picture after the other; each with the moment from which it is shown."""

    def at(t: float, canvas: Canvas) -> Image:
        return [it for start, it in parts if start <= t + 1e-6][-1](t, canvas)

    return at


def in_turn(every_sec: float, *pictures: Picture) -> Picture:
    """Show pictures one after the other, again and again."""
    return lambda t, canvas: pictures[int(t / every_sec + 1e-6) % len(pictures)](t, canvas)


def slower(picture: Picture, rate: float) -> Picture:
    """Show only so many different pictures in a second."""
    return lambda t, canvas: picture(int(t * rate + 1e-6) / rate, canvas)


def _scaled(image: Image, factor: float, lift: float = 0.0) -> Image:
    return _pixels(image.astype(np.float32) * factor + lift)


def _pixels(levels: NDArray[np.floating]) -> Image:
    image: Image = np.clip(levels, 0, 255).astype(np.uint8)
    return image


def dimmed(picture: Picture, factor: float, lift: float = 0.0) -> Picture:
    """Show `picture` darker, on a level of black that is not 0."""
    return lambda t, canvas: _scaled(picture(t, canvas), factor, lift)


def faded(picture: Picture, factor: Callable[[float], float]) -> Picture:
    """Show `picture` with a brightness that depends on the moment."""
    return lambda t, canvas: _scaled(picture(t, canvas), factor(t))


def noisy(picture: Picture, sigma: float, seed: int = 3) -> Picture:
    """Add fresh noise to each picture, as a sensor does."""

    def at(t: float, canvas: Canvas) -> Image:
        random = np.random.default_rng((seed, round(t * canvas.fps)))
        noise = random.standard_normal((canvas.height, canvas.width, 1), np.float32) * sigma
        return _pixels(picture(t, canvas) + noise)

    return at


def with_box(picture: Picture, place: Place, colour: Colour | int) -> Picture:
    """Put a rectangle on `picture`."""

    def at(t: float, canvas: Canvas) -> Image:
        image = picture(t, canvas).copy()
        left, top, right, bottom = place
        rows = slice(round(top * canvas.height), max(1, round(bottom * canvas.height)))
        columns = slice(round(left * canvas.width), max(1, round(right * canvas.width)))
        image[rows, columns] = colour
        return image

    return at


def with_light(
    picture: Picture, x: float, y: float, radius: float, level: Callable[[float], float]
) -> Picture:
    """Let something glow on `picture`: a candle, a lamp, the moon. Sizes are shares of height."""

    def at(t: float, canvas: Canvas) -> Image:
        rows, columns = np.mgrid[: canvas.height, : canvas.width] / canvas.height
        far = np.hypot(columns - x * canvas.width / canvas.height, rows - y) / radius
        glow = np.exp(-(far**2))[..., None] * np.array([1.0, 0.8, 0.45])
        return _pixels(picture(t, canvas) + glow * level(t))

    return at


def with_text(
    picture: Picture,
    text: Callable[[float], str],
    x: float = 0.1,
    y: float = 0.8,
    size: float = 0.08,
    colour: Colour = (235, 235, 235),
) -> Picture:
    """Write on `picture` what `text` says at each moment; an empty text is none."""

    def at(t: float, canvas: Canvas) -> Image:
        words = text(t)
        image = picture(t, canvas)
        if not words:
            return image
        page = Pillow.fromarray(image)
        corner = (x * canvas.width, y * canvas.height)
        ImageDraw.Draw(page).text(corner, words, colour, _font(round(size * canvas.height)))
        return np.asarray(page)

    return at


@cache
def _font(pixels: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(max(6, pixels))


WORDS = "the quick brown fox jumps over a lazy dog while nobody in the village looks".split()  # noqa: SIM905


def words(number: int, count: int = 5) -> str:
    """Return some words, other ones for each number."""
    return " ".join(WORDS[(number * 3 + place) % len(WORDS)] for place in range(count))


def always(text: str) -> Callable[[float], str]:
    """Return what writes the same at each moment."""
    return lambda _t: text


def page(number: int, paper: Colour = (240, 240, 235), ink: Colour = (30, 30, 40)) -> Picture:
    """Show a slide: a headline and some lines."""
    shown = with_text(flat(paper), always(words(number, 3)), 0.08, 0.08, 0.12, ink)
    for line in range(4):
        text = always(words(number + line + 1))
        shown = with_text(shown, text, 0.1, 0.3 + 0.13 * line, 0.07, ink)
    return _kept(shown)


def _kept(picture: Picture) -> Picture:
    """Draw what never changes once."""
    drawn: dict[Canvas, Image] = {}

    def at(_t: float, canvas: Canvas) -> Image:
        if canvas not in drawn:
            drawn[canvas] = picture(0.0, canvas)
        return drawn[canvas]

    return at


def ticker(picture: Picture, speed: float = 0.15, size: float = 0.07) -> Picture:
    """Let text run along the bottom of `picture`, by that share of its width a second."""

    def at(t: float, canvas: Canvas) -> Image:
        text = "  +++  ".join(words(number) for number in range(90))
        image = Pillow.fromarray(with_box(picture, (0, 0.88, 1, 1), (20, 20, 90))(t, canvas))
        corner = (-t * speed * canvas.width, 0.89 * canvas.height)
        ImageDraw.Draw(image).text(
            corner, text, (255, 255, 255), _font(round(size * canvas.height))
        )
        return np.asarray(image)

    return at


def talking(picture: Picture, size: float = 0.08, pause_sec: float = 0.8) -> Picture:
    """Put a face on `picture` of which only the mouth moves, with pauses."""
    face = with_box(picture, (0.36, 0.18, 0.64, 0.78), (192, 138, 112))
    for x in (0.43, 0.54):
        face = with_box(face, (x, 0.33, x + 0.04, 0.38), (32, 32, 32))
    still = _kept(face)

    def at(t: float, canvas: Canvas) -> Image:
        is_open = (t % 4.0) > pause_sec and int(t * 6) % 2 == 0
        bottom = 0.58 + (size if is_open else 0.015)
        return with_box(still, (0.5 - size / 2, 0.58, 0.5 + size / 2, bottom), (80, 24, 24))(
            t, canvas
        )

    return at


def snow(seed: int = 9) -> Picture:
    """Show the noise of a set without a signal."""

    def at(t: float, canvas: Canvas) -> Image:
        random = np.random.default_rng((seed, round(t * canvas.fps)))
        return _colourless(random.integers(0, 255, (canvas.height, canvas.width), np.uint8))

    return at


def fade_between(one: Picture, other: Picture, start_sec: float, end_sec: float) -> Picture:
    """Cross-fade."""

    def at(t: float, canvas: Canvas) -> Image:
        share = float(np.clip((t - start_sec) / (end_sec - start_sec), 0, 1))
        if share in (0.0, 1.0):
            return other(t, canvas) if share else one(t, canvas)
        mixed = one(t, canvas) * (1 - share) + other(t, canvas) * share
        return _pixels(mixed)

    return at


def vignette(picture: Picture, strength: float) -> Picture:
    """Darken the corners."""

    def at(t: float, canvas: Canvas) -> Image:
        rows, columns = np.mgrid[-1 : 1 : canvas.height * 1j, -1 : 1 : canvas.width * 1j]
        shade = 1 - strength * np.clip((rows**2 + columns**2) / 2, 0, 1)
        return _pixels(picture(t, canvas) * shade[..., None])

    return at


def shaken(picture: Picture, pixels: float, hz: float = 3.0) -> Picture:
    """Let the camera tremble."""

    def at(t: float, canvas: Canvas) -> Image:
        shift = (round(pixels * np.sin(2 * np.pi * hz * t)), round(pixels * np.cos(5 * hz * t)))
        return np.roll(picture(t, canvas), shift, (0, 1))

    return at


BARS_75 = tuple(
    (191 * r, 191 * g, 191 * b)
    for g, r, b in (
        (1, 1, 1),
        (1, 1, 0),
        (1, 0, 1),
        (1, 0, 0),
        (0, 1, 1),
        (0, 1, 0),
        (0, 0, 1),
        (0, 0, 0),
    )
)


def bars(columns: int = 7, shift: Callable[[float], float] = lambda _t: 0.0) -> Picture:
    """Show 75 % bars, moved by a share of the width."""

    def at(t: float, canvas: Canvas) -> Image:
        place = (np.arange(canvas.width) / canvas.width + shift(t)) % 1.0
        row = np.array(BARS_75, np.uint8)[(place * columns).astype(int)]
        return np.broadcast_to(row, (canvas.height, canvas.width, 3)).copy()

    return at


def smpte() -> Picture:
    """Show SMPTE bars: the small and the dark row beneath (EG 1)."""

    def at(t: float, canvas: Canvas) -> Image:
        image, height, width = bars()(t, canvas), canvas.height, canvas.width
        order = (6, 7, 4, 7, 2, 7, 0)
        reverse = np.array(BARS_75, np.uint8)[[order[int(x * 7 / width)] for x in range(width)]]
        image[round(height * 0.67) : round(height * 0.75)] = reverse
        lower = [
            (0, 33, 76),
            (255, 255, 255),
            (50, 0, 106),
            (0, 0, 0),
            (0, 0, 0),
            (9, 9, 9),
            (0, 0, 0),
        ]
        steps = np.array(lower, np.uint8)[[int(x * 7 / width) for x in range(width)]]
        image[round(height * 0.75) :] = steps
        return image

    return _kept(at)
