import pytest

from monitors.frames import LUMA_BYTES, block_differences, same_frame
from tests.monitors.media_timeline import colourless, drawing, shifted, with_coding_noise

GREY = colourless(bytes([120] * LUMA_BYTES))


def changed(picture: bytes, pixels: list[tuple[int, int]], levels: int) -> bytes:
    levels_of = bytearray(picture)
    for column, row in pixels:
        levels_of[row * 64 + column] += levels
    return bytes(levels_of)


def coloured(picture: bytes, levels: int) -> bytes:
    """Return the picture with a patch of another colour."""
    patch = bytearray(picture)
    patch[LUMA_BYTES + 40 : LUMA_BYTES + 60] = bytes([128 + levels] * 20)
    return bytes(patch)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param(GREY, GREY, True, id="identical"),
        pytest.param(
            GREY, colourless(bytes([129] * LUMA_BYTES)), False, id="nine levels brighter everywhere"
        ),
        pytest.param(drawing(1), with_coding_noise(drawing(1), 6), True, id="coding noise"),
        pytest.param(drawing(1), drawing(2), False, id="another drawing"),
        pytest.param(drawing(1), shifted(drawing(1), 1), False, id="panned by one pixel"),
        pytest.param(
            GREY,
            changed(GREY, [(32, 28), (33, 28), (34, 28), (33, 29)], 12),
            False,
            id="a mouth of four pixels",
        ),
        pytest.param(GREY, changed(GREY, [(63, 35)], 12), True, id="one pixel in the corner"),
        pytest.param(
            GREY,
            changed(GREY, [(20, 20), (21, 20)], 8),
            False,
            id="a small thing that moves where all else stands",
        ),
        pytest.param(
            with_coding_noise(drawing(1), 5),
            changed(drawing(1), [(20, 20), (21, 20)], 8),
            True,
            id="the same among the noise of an encoder",
        ),
        pytest.param(GREY, coloured(GREY, 12), True, id="noise of the colours"),
        pytest.param(GREY, coloured(GREY, 22), False, id="another colour of the same luma"),
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


def test_the_difference_is_that_of_the_means_of_blocks() -> None:
    rows = block_differences(GREY, changed(GREY, [(0, 0), (60, 35)], 16))
    differing = [each for row in rows for each in row]
    assert [at for at, each in enumerate(differing) if each] == [0, 17 * 32 + 30]
    assert max(differing) == 4.0


def test_a_picture_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="64 x 36"):
        list(block_differences(GREY, GREY[1:]))
