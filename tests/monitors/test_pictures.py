import pytest

from monitors.frames import largest_block_difference, same_frame
from tests.monitors.media_timeline import drawing, shifted, with_coding_noise

GREY = bytes([120] * 64 * 36)


def changed(picture: bytes, pixels: list[tuple[int, int]], levels: int) -> bytes:
    levels_of = bytearray(picture)
    for column, row in pixels:
        levels_of[row * 64 + column] += levels
    return bytes(levels_of)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param(GREY, GREY, True, id="identical"),
        pytest.param(GREY, bytes([129] * 64 * 36), False, id="nine levels brighter everywhere"),
        pytest.param(drawing(1), with_coding_noise(drawing(1), 6), True, id="coding noise"),
        pytest.param(drawing(1), drawing(2), False, id="another drawing"),
        pytest.param(drawing(1), shifted(drawing(1), 1), False, id="panned by one pixel"),
        pytest.param(
            GREY,
            changed(GREY, [(32, 28), (33, 28), (34, 28), (33, 29)], 12),
            False,
            id="a mouth of four pixels",
        ),
        pytest.param(GREY, changed(GREY, [(63, 35)], 30), True, id="one pixel in the corner"),
        pytest.param(
            changed(GREY, [(4, 4), (4, 5)], 20),
            changed(GREY, [(3, 4), (3, 5)], 20),
            False,
            id="an edge that moves into the next block",
        ),
    ],
)
def test_pictures_are_the_same_apart_from_coding_noise(
    one: bytes, other: bytes, same: bool
) -> None:
    assert same_frame(one, other) is same
    assert same_frame(other, one) is same


def test_the_difference_is_the_mean_of_the_block_that_differs_most() -> None:
    assert largest_block_difference(GREY, changed(GREY, [(0, 0), (60, 35)], 16)) == 4.0


def test_a_picture_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="64 x 36"):
        largest_block_difference(GREY, GREY[1:])
