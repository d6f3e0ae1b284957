"""The pictures on both sides of a moment."""

import contextlib
from collections.abc import Iterator, Sequence

import av
from av.stream import Stream

from evidence.excerpts.protocol import NO_PICTURE, NothingMade, Piece
from evidence.excerpts.segment_reading import decoded, reading, seconds
from media.decoding.decoder.jpeg import JpegEncoder

BORDER_SEC = 0.002  # timestamps are rounded: a picture this much earlier is shown at the moment


def pictures_at(pieces: Sequence[Piece], moment_sec: float) -> tuple[bytes, bytes]:
    """Return the last picture before a moment and the first one from then on, as JPEG.

    Either may be empty: there is no such picture.

    Raises:
        NothingMade: there is neither.
    """
    before, after = _around([each for each in pieces if not each.is_audio], moment_sec)
    if before is None and after is None:
        raise NothingMade(NO_PICTURE)
    encoder = JpegEncoder()
    return _jpeg(encoder, before), _jpeg(encoder, after)


def _jpeg(encoder: JpegEncoder, frame: av.VideoFrame | None) -> bytes:
    return (encoder.encode(frame) or b"") if frame else b""


def _around(
    pieces: Sequence[Piece], moment_sec: float
) -> tuple[av.VideoFrame | None, av.VideoFrame | None]:
    """Return the frames on both sides; the latest pieces are decoded first, and no more of them."""
    after: av.VideoFrame | None = None
    for piece in reversed(pieces):
        before: av.VideoFrame | None = None
        for shown_sec, frame in _frames(piece, moment_sec):
            if shown_sec >= moment_sec - BORDER_SEC:
                after = frame
                break
            before = frame
        if before is not None:
            return before, after
    return None, after


def _frames(piece: Piece, moment_sec: float) -> Iterator[tuple[float, av.VideoFrame]]:
    """Yield the pictures from the last keyframe before a moment on, and when they are shown."""
    with contextlib.suppress(av.FFmpegError, ValueError), reading(piece) as opened:
        if opened.video is None:
            return
        packets = opened.packets_of(opened.video)
        if not packets:
            return
        shift_sec = piece.starts_sec - min(map(seconds, packets))
        first = _first_needed(packets, moment_sec - shift_sec - BORDER_SEC)
        for frame in decoded(packets[first:]):
            if isinstance(frame, av.VideoFrame) and frame.time is not None and not frame.is_corrupt:
                yield frame.time + shift_sec, frame


def _first_needed(packets: "Sequence[av.Packet[Stream]]", before_sec: float) -> int:
    """Return the place of the last keyframe that is shown before a moment; else of the first."""
    keyframes = [place for place, packet in enumerate(packets) if packet.is_keyframe]
    earlier = [place for place in keyframes if seconds(packets[place]) < before_sec]
    return earlier[-1] if earlier else next(iter(keyframes), 0)
