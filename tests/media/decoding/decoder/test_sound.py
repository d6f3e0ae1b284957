"""Samples as decoders give them, whatever their format."""

import av
import numpy as np
import pytest

from media.decoding.decoder.audio import SAMPLE_TYPES, full_scale_samples

PLANAR = [f"{name}p" for name in SAMPLE_TYPES]


def frame_of(name: str, layout: str, seed: int) -> av.AudioFrame:
    """Return a frame whose buffers are longer than its samples, as those of decoders are."""
    frame = av.AudioFrame(format=name, layout=layout, samples=1023)
    chance = np.random.default_rng(seed)
    dtype = np.dtype(SAMPLE_TYPES[frame.format.packed.name])
    for plane in frame.planes:
        values = chance.random(plane.buffer_size // dtype.itemsize) * 100
        plane.update(values.astype(dtype).tobytes())
    return frame


@pytest.mark.parametrize("layout", ["mono", "stereo", "5.1"])
@pytest.mark.parametrize("name", [*SAMPLE_TYPES, *PLANAR])
def test_samples_are_those_that_the_frames_hold(name: str, layout: str) -> None:
    frames = [frame_of(name, layout, seed) for seed in range(3)]
    channels = frames[0].layout.nb_channels
    expected = np.concatenate([frame.to_ndarray() for frame in frames], axis=1)
    if not frames[0].format.is_planar:
        expected = expected.reshape(-1, channels).T
    samples = full_scale_samples(frames)
    assert samples.shape == (channels, 3 * 1023)
    if expected.dtype.kind == "f":
        assert np.array_equal(samples, expected)
    else:
        scale = 2.0 ** (8 * expected.dtype.itemsize - 1)
        middle = scale if expected.dtype.kind == "u" else 0.0
        assert np.array_equal(samples, (expected.astype(np.float64) - middle) / scale)
