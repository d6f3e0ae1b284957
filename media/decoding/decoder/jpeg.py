"""A frame as people see it: a JPEG of bounded size."""

import contextlib
from fractions import Fraction

import av
from av.video.reformatter import ColorRange, VideoReformatter

from monitors.pictures import MOST_PICTURE_BYTES, MOST_PICTURE_WIDTH, USUAL_PICTURE_BYTES

QUANTIZERS = (4, 8, 16, 31)  # the best first; a busy picture takes the first that is small enough
LEAST_SIDE = 16


class JpegEncoder:
    """It keeps its scaler from one frame to the next."""

    def __init__(self) -> None:
        self._scaler = VideoReformatter()

    def encode(self, frame: av.VideoFrame) -> bytes | None:
        """None where a frame cannot be encoded, or not small enough."""
        with contextlib.suppress(av.FFmpegError, ValueError):
            return self._encode(frame)
        return None

    def _encode(self, frame: av.VideoFrame) -> bytes | None:
        width, height = fitted_size(frame.width, frame.height)
        scaled = self._scaler.reformat(
            frame, width, height, "yuvj420p", dst_color_range=ColorRange.JPEG, threads=1
        )
        smallest = b""
        for quantizer in QUANTIZERS:
            smallest = _encoded(scaled, quantizer)
            if len(smallest) <= USUAL_PICTURE_BYTES:
                break
        return smallest if 0 < len(smallest) <= MOST_PICTURE_BYTES else None


def fitted_size(width: int, height: int) -> tuple[int, int]:
    shrunk = min(1.0, MOST_PICTURE_WIDTH / max(width, height, 1))
    return max(LEAST_SIDE, round(width * shrunk)), max(LEAST_SIDE, round(height * shrunk))


def _encoded(frame: av.VideoFrame, quantizer: int) -> bytes:
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    encoder.thread_count = 1
    encoder.qmin = encoder.qmax = quantizer
    frame.pts = None
    return b"".join(bytes(packet) for packet in (*encoder.encode(frame), *encoder.encode(None)))
