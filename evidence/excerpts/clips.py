"""A clip: the segments around the beginning of a fault as one MP4 that browsers play.

What browsers play (H.264 of 8 bits in 4:2:0, AAC) is copied; the rest is encoded again, small.
The segments lie one behind the other on a timeline that begins at 0 and has no gaps.
"""

import contextlib
import io
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import av
from av.container import OutputContainer
from av.stream import Stream

from evidence.excerpts.budget import Budget
from evidence.excerpts.protocol import MOST_CLIP_BYTES, TOO_LARGE, UNDECODABLE, NothingMade, Piece
from evidence.excerpts.segment_reading import OpenPiece, reading, span_of
from evidence.excerpts.tracks import (
    ClipTrack,
    CopiedTrack,
    EncodedAudio,
    EncodedVideo,
    may_be_copied,
    sound_format,
)

Packets = list["av.Packet[Stream]"]

JOINT_SEC = 0.5  # timestamps that go on within this time are the same timeline

SAME_TIMELINE_SEC = 2.0
"""Sound of a playlist of its own has the timestamps of the pictures (RFC 8216 6.2.4), unless they
put it this far from where its playlist's clock does."""


def clip(pieces: Sequence[Piece], budget: Budget) -> bytes:
    """Return the clip of a stream's segments; what is encoded again ends with the budget.

    Raises:
        NothingMade: nothing of them can be shown.
    """
    ordered = sorted(pieces, key=lambda each: (each.starts_sec, each.is_audio))
    with contextlib.ExitStack() as stack:
        opened = [*_opened(stack, ordered)]
        writer = _Mp4Writer()
        video = _video_track(writer.container, opened, budget)
        audio = _audio_track(writer.container, opened, budget)
        if video is None and audio is None:
            raise NothingMade(UNDECODABLE)
        _write(opened, video, audio, budget)
        return writer.finish()


def _opened(stack: contextlib.ExitStack, pieces: Sequence[Piece]) -> Iterator[OpenPiece]:
    """Open what is media; a segment that is none is left out."""
    for piece in pieces:
        with contextlib.suppress(av.FFmpegError, ValueError):
            yield stack.enter_context(reading(piece))


def _video_track(
    out: OutputContainer, opened: Sequence[OpenPiece], budget: Budget
) -> ClipTrack | None:
    streams = [each.video for each in opened if each.video is not None]
    if not streams:
        return None
    if may_be_copied(streams):
        return CopiedTrack(out, streams[0])
    return EncodedVideo(out, streams[0], budget)


def _audio_track(
    out: OutputContainer, opened: Sequence[OpenPiece], budget: Budget
) -> ClipTrack | None:
    heard = [each for each in opened if each.audio is not None]
    streams = [each.audio for each in heard if each.audio is not None]
    if not streams:
        return None
    if not may_be_copied(streams):
        return EncodedAudio(out, budget)
    packets = next(filter(None, (each.packets_of(each.audio) for each in heard)), [])
    return CopiedTrack(out, streams[0], sound_format(packets))


def _write(
    opened: Sequence[OpenPiece],
    video: ClipTrack | None,
    audio: ClipTrack | None,
    budget: Budget,
) -> None:
    placing, has_begun = _Placing(), video is None
    for each in opened:
        if budget.is_spent:
            break
        pictures = each.packets_of(each.video)
        if not has_begun and not each.piece.is_audio:
            pictures = _from_keyframe(pictures)
            if not pictures:
                continue  # nothing can be shown of it, and the sound alone would be ahead
            has_begun = True
        sound = each.packets_of(each.audio)
        shift_sec = _shift_sec(placing, each.piece, pictures or sound)
        if video and pictures:
            video.write(pictures, shift_sec)
        if audio and sound:
            audio.write(sound, shift_sec)
    for track in (video, audio):
        if track:
            track.finish()


def _from_keyframe(packets: Packets) -> Packets:
    places = (place for place, packet in enumerate(packets) if packet.is_keyframe)
    first = next(places, None)
    return [] if first is None else packets[first:]


class _Placed(NamedTuple):
    """A segment on the clip's timeline."""

    clock_sec: float  # when its first moment was on air
    at_sec: float  # when it is shown in the clip
    shift_sec: float  # from its timestamps to the clip's


class _Placing:
    """Places segments one behind the other, whatever their timestamps begin with."""

    def __init__(self) -> None:
        self._placed: list[_Placed] = []
        self._end_sec = 0.0

    def main(self, clock_sec: float, first_sec: float, end_sec: float) -> float:
        """Place a segment whose timestamps go from `first_sec` to `end_sec`; return its shift."""
        last = self._placed[-1] if self._placed else None
        goes_on = last and abs(first_sec + last.shift_sec - self._end_sec) <= JOINT_SEC
        shift_sec = last.shift_sec if last and goes_on else self._end_sec - first_sec
        self._placed.append(_Placed(clock_sec, first_sec + shift_sec, shift_sec))
        self._end_sec = end_sec + shift_sec
        return shift_sec

    def beside(self, clock_sec: float, first_sec: float) -> float:
        """Return the shift of sound that comes apart from the pictures."""
        earlier = [each for each in self._placed if each.clock_sec <= clock_sec + JOINT_SEC]
        near = earlier[-1] if earlier else next(iter(self._placed), None)
        if near is None:
            return -first_sec
        by_clock_sec = near.at_sec + clock_sec - near.clock_sec
        if abs(first_sec + near.shift_sec - by_clock_sec) <= SAME_TIMELINE_SEC:
            return near.shift_sec
        return by_clock_sec - first_sec


def _shift_sec(placing: _Placing, piece: Piece, packets: Packets) -> float:
    if not packets:
        return 0.0
    first_sec, end_sec = span_of(packets)
    if piece.is_audio:
        return placing.beside(piece.starts_sec, first_sec)
    return placing.main(piece.starts_sec, first_sec, end_sec)


class _Bounded(io.BytesIO):
    def write(self, data: Any) -> int:
        if self.tell() + len(data) > MOST_CLIP_BYTES:
            raise MemoryError(TOO_LARGE)
        return super().write(data)


class _View:
    """The same bytes with a place of its own: ffmpeg reads what it wrote to move it."""

    def __init__(self, written: io.BytesIO) -> None:
        self._written = written
        self._place = 0

    def read(self, size: int) -> bytes:
        with self._written.getbuffer() as buffer:
            data = bytes(buffer[self._place : self._place + size])
        self._place += len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        bases = {io.SEEK_SET: 0, io.SEEK_CUR: self._place}
        self._place = offset + bases.get(whence, self._written.getbuffer().nbytes)
        return self._place

    def tell(self) -> int:
        return self._place

    def close(self) -> None:
        """Do nothing: the bytes belong to the writer."""


class _Mp4Writer:
    """An MP4 of at most `MOST_CLIP_BYTES`."""

    def __init__(self) -> None:
        self._written = _Bounded()
        self.container: OutputContainer = av.open(
            self._written,
            "w",
            format="mp4",
            container_options={"movflags": "+faststart"},
            io_open=lambda url, flags, options: _View(self._written),
        )

    def finish(self) -> bytes:
        self.container.close()
        return self._written.getvalue()
