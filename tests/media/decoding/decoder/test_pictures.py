"""Black and still stretches, on pictures made of numbers."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.decoding.decoder.black_frames import find_black
from media.decoding.decoder.results import Span, StillSpan
from media.decoding.decoder.small_frames import SmallFrames
from media.decoding.decoder.still_frames import still_runs
from monitors.frames import FRAME_HEIGHT, FRAME_WIDTH, LUMA_BYTES, STILL_MIN_SEC
from tests.media.decoding.decoder.drawn import Luma, film, flat

FPS = 10
CHANCE = np.random.default_rng(7)
NOISE = CHANCE.integers(-2, 3, (FRAME_HEIGHT, FRAME_WIDTH))


def with_bright_share(share: float, level: int = 200) -> Luma:
    picture = flat(0)
    picture.reshape(-1)[: round(share * picture.size)] = level
    return picture


def scene(seed: int) -> Luma:
    return np.random.default_rng(seed).integers(40, 220, flat(0).shape).astype(np.uint8)


def times(count: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.arange(count, dtype=np.float64) / FPS


def black(pictures: SmallFrames) -> list[Span]:
    return find_black(pictures, times(len(pictures)), len(pictures) / FPS).spans


def spans(found: Sequence[Span | StillSpan]) -> list[tuple[float, float]]:
    return [(round(each.start, 6), round(each.end, 6)) for each in found]


def still(pictures: SmallFrames) -> list[tuple[float, float]]:
    return spans(still_runs(pictures, times(len(pictures)), len(pictures) / FPS))


@pytest.mark.parametrize(
    ("picture", "is_black"),
    [
        pytest.param(flat(0), True, id="full-range black"),
        pytest.param(flat(16), True, id="limited-range black taken as full"),
        pytest.param(flat(26), True, id="as bright as black may be"),
        pytest.param(flat(27), False, id="a dark grey card"),
        pytest.param((flat(10) + NOISE).astype(np.uint8), True, id="noise"),
        pytest.param(with_bright_share(0.02), True, id="a logo of 2 %"),
        pytest.param(with_bright_share(0.05), False, id="a caption of 5 %"),
        pytest.param(with_bright_share(0.3, 20), False, id="a night scene with shapes"),
        pytest.param(with_bright_share(0.3, 6), True, id="banding of the encoder"),
        pytest.param(with_bright_share(0.3, 9), True, id="a rest of the picture of 4 %"),
        pytest.param(with_bright_share(0.3, 12), False, id="a scene of 5 %"),
        pytest.param(flat(255), False, id="white"),
        pytest.param(scene(1), False, id="a scene"),
    ],
)
def test_what_is_black(picture: Luma, is_black: bool) -> None:
    assert spans(black(film(picture, picture))) == ([(0.0, 0.2)] if is_black else [])


@pytest.mark.parametrize(
    ("share", "levels", "is_black"),
    [
        pytest.param(1.0, 60, False, id="deep blue"),
        pytest.param(0.2, 60, False, id="a coloured part"),
        pytest.param(0.02, 60, True, id="a coloured logo"),
        pytest.param(1.0, 20, True, id="a tint"),
    ],
)
def test_black_has_no_colour(share: float, levels: int, is_black: bool) -> None:
    blue = film(*[flat(12)] * 10, chroma=(share, levels))
    assert spans(black(blue)) == ([(0.0, 1.0)] if is_black else [])


def lit(levels: Sequence[int]) -> SmallFrames:
    """Return a dark film with a small light of these levels, one a frame."""
    pictures = [flat(4) for _ in levels]
    for picture, level in zip(pictures, levels, strict=True):
        picture[20:24, 40:44] = level
    return film(*pictures)


@pytest.mark.parametrize(
    ("levels", "changes"),
    [
        pytest.param([180] * 60, [], id="a logo"),
        pytest.param([180, 174] * 30, [], id="a logo with the noise of an encoder"),
        pytest.param([180, 150, 170, 130, 190], [0.1, 0.2, 0.3, 0.4], id="a candle"),
        pytest.param([150, 136, 150], [0.1, 0.2], id="a candle that hardly flickers"),
        pytest.param([*[0] * 20, *[180] * 15, *[0] * 25], [2.0, 3.5], id="a title"),
    ],
)
def test_it_is_told_when_lights_in_black_change(levels: list[int], changes: list[float]) -> None:
    film = lit(levels)
    found, moments, _ = find_black(film, times(len(film)), len(film) / FPS)
    assert spans(found) == [(0.0, len(film) / FPS)]
    assert moments == pytest.approx(changes)


def test_black_lasts_from_its_first_picture_to_the_next_other_one() -> None:
    pictures = film(flat(90), flat(0), flat(0), flat(90), flat(0))
    assert spans(black(pictures)) == [(0.1, 0.3), (0.4, 0.5)]


def test_the_first_picture_counts_from_the_first_moment_and_the_last_to_the_end() -> None:
    moments = np.array([0.3, 0.6])
    assert spans(find_black(film(flat(0), flat(90)), moments, 2.0).spans) == [(0.0, 0.6)]
    assert spans(find_black(film(flat(90), flat(0)), moments, 2.0).spans) == [(0.6, 2.0)]


@pytest.mark.parametrize(
    "moments",
    [
        pytest.param([0.0, 5.0, 9.0], id="after the end"),
        pytest.param([0.0, -1.0, 0.5], id="before the beginning"),
        pytest.param([0.0, 0.5, 0.2], id="out of order"),
        pytest.param([0.0, 0.0, 0.0], id="all the same"),
    ],
)
def test_odd_times_stay_within_the_segment(moments: list[float]) -> None:
    pictures = film(flat(0), flat(90), flat(0))
    for found in find_black(pictures, np.array(moments), 1.0).spans:
        assert 0.0 <= found.start <= found.end <= 1.0
    for run in still_runs(pictures, np.array(moments), 1.0):
        assert 0.0 <= run.start <= run.end <= 1.0


def test_a_repeated_picture_is_still_all_along() -> None:
    assert still(film(*[scene(1)] * 20)) == [(0.0, 2.0)]


def test_a_keyframe_that_looks_a_little_different_does_not_part_a_still() -> None:
    keyframe = np.clip(scene(1) + NOISE * 2, 0, 255).astype(np.uint8)
    assert still(film(*[scene(1)] * 10, *[keyframe] * 10)) == [(0.0, 2.0)]


def noisy(seed: int) -> Luma:
    noise = np.random.default_rng(seed).integers(-2, 3, flat(0).shape)
    return (scene(1) + noise).astype(np.uint8)


def test_a_still_may_repeat_itself_a_group_of_pictures_later() -> None:
    group = [noisy(number) for number in range(10)]
    assert still(film(*group, *group)) == [(0.0, 2.0)]
    assert still(film(*(noisy(number) for number in range(20)))) == []


def test_a_calm_scene_in_the_noise_of_a_camera_is_no_still() -> None:
    chance = np.random.default_rng(3)
    noise = [chance.normal(0, 0.4, scene(1).shape) for _ in range(20)]
    assert still(film(*(np.rint(scene(1) + each).astype(np.uint8) for each in noise))) == []


def test_a_still_that_flickers_with_each_field_is_still() -> None:
    lines = np.where(np.arange(36)[:, None] % 12 < 6, 60, 180) + np.zeros((36, 64))
    fields = [np.roll(lines, field, axis=0).astype(np.uint8) // 4 + 90 for field in (0, 1)]
    assert still(film(*fields * 10)) == [(0.0, 2.0)]
    blinking = [flat(60), flat(200)]
    assert still(film(*blinking * 10)) == [(0.0, 0.1), (1.9, 2.0)]


def test_a_still_that_begins_to_flicker_within_a_segment_is_still_from_there() -> None:
    lines = np.where(np.arange(36)[:, None] % 12 < 6, 60, 180) + np.zeros((36, 64))
    fields = [np.roll(lines, field, axis=0).astype(np.uint8) // 4 + 90 for field in (0, 1)]
    moving = [scene(number) for number in range(10)]
    assert still(film(*moving, *fields * 10))[-1] == (1.0, 3.0)


def test_a_still_whose_brightness_pumps_is_still() -> None:
    bright, dark = scene(1), (scene(1) * 0.94).astype(np.uint8)
    moving = [scene(number) for number in range(10)]
    assert still(film(*([bright] * 3 + [dark] * 3) * 4)) == [(0.0, 2.4)]
    assert still(film(*moving, *([bright] * 3 + [dark] * 3) * 4))[-1] == (1.0, 3.4)


def test_a_candle_that_flickers_in_the_dark_is_no_still_whose_brightness_pumps() -> None:
    candle = flat(2)
    candle[6:30, 20:44] = scene(1)[6:30, 20:44]
    flickering = [
        (candle * (1.0 if number % 6 < 3 else 0.9)).astype(flat(0).dtype) for number in range(24)
    ]
    assert all(end - start < STILL_MIN_SEC for start, end in still(film(*flickering)))


def test_a_mouth_that_moves_while_the_brightness_pumps_parts_a_still() -> None:
    talking = [(scene(1) * (1.0 if number % 6 < 3 else 0.94)) for number in range(24)]
    for number, picture in enumerate(talking):
        picture[20:24, 30:34] = 100 + 20 * (number // 2 % 2)
    pictures = film(*(each.astype(np.uint8) for each in talking))
    assert all(end - start < STILL_MIN_SEC for start, end in still(pictures))


def test_another_colour_of_the_same_luma_parts_a_still() -> None:
    one, other = film(*[flat(120)] * 10), film(*[flat(120)] * 10, chroma=(0.5, 25))
    pictures = SmallFrames(np.concatenate([one.pixels, other.pixels]))
    assert still(pictures) == [(0.0, 1.0), (1.0, 2.0)]


def test_a_mouth_that_moves_where_all_else_stands_parts_a_still() -> None:
    talking = [scene(1) for _ in range(20)]
    for number, picture in enumerate(talking):
        picture[20:22, 30:32] = 100 + 6 * (number // 2 % 2)
    assert still(film(*talking)) == [(0.0, 0.2), (1.8, 2.0)]


def test_a_still_may_follow_many_that_are_too_short() -> None:
    before = [scene(number // 3) for number in range(120)]
    after = [scene(99)] * 90
    assert still(film(*before, *after)) == [(0.0, 0.3), (12.0, 21.0)]


def test_a_movement_within_a_long_still_is_found_wherever_it_lies() -> None:
    mouth = scene(1)
    mouth[10:14, 20:26] += 20
    for place in (5, 6, 13, 30, 75):
        pictures = [scene(1)] * 90
        pictures[place] = mouth
        before = (0.0, place / FPS)
        assert still(film(*pictures)) == [before, ((place + 1) / FPS, 9.0)]


def test_a_new_picture_parts_a_still() -> None:
    assert still(film(*[scene(1)] * 10, *[scene(2)] * 10)) == [(0.0, 1.0), (1.0, 2.0)]


def test_short_stills_count_at_a_border_only() -> None:
    short = int(STILL_MIN_SEC * FPS) - 1
    inside = [scene(number) for number in range(3, 9)]
    held = [scene(1)] * short
    assert still(film(*inside, *held, *inside[::-1])) == [(0.0, 0.1), (1.5, 1.6)]
    assert still(film(*held, *inside))[0] == (0.0, 0.4)
    assert still(film(*inside, *held))[-1] == (0.6, 1.0)


def test_a_calm_scene_with_camera_noise_is_not_still() -> None:
    calm = [
        np.clip(flat(120) + CHANCE.integers(-3, 4, NOISE.shape), 0, 255).astype(np.uint8)
        for _ in range(20)
    ]
    assert still(film(*calm)) == []


def test_a_slow_change_adds_up_until_it_is_seen() -> None:
    fading = [flat(100 + number // 2) for number in range(60)]
    assert all(end - start <= 2.0 for start, end in still(film(*fading)))


def test_a_single_picture_is_still_as_long_as_its_segment() -> None:
    (run,) = still_runs(film(scene(1)), times(1), 2.0)
    assert (run.start, run.end, run.picture[:LUMA_BYTES]) == (0.0, 2.0, scene(1).tobytes())


@settings(deadline=None)
@given(
    levels=st.lists(st.integers(0, 255), min_size=1, max_size=12),
    moments=st.lists(st.floats(-10, 10), min_size=12, max_size=12),
    end=st.floats(0.1, 10),
)
def test_any_pictures_give_ordered_stretches_within_the_segment(
    levels: list[int], moments: list[float], end: float
) -> None:
    pictures = film(*[flat(level) for level in levels])
    at = np.array(moments[: len(levels)])
    for found in (find_black(pictures, at, end).spans, still_runs(pictures, at, end)):
        edges = [edge for each in found for edge in (each.start, each.end)]
        assert edges == sorted(edges)
        assert all(0 <= edge <= end for edge in edges)
