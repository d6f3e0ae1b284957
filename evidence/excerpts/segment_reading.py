"""Reading the tracks of segments, by the same rules as where they are measured."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import av
from av.container import InputContainer
from av.stream import Stream

from evidence.excerpts.protocol import Piece
from media.decoding.decoder.decoding import configure, flushing, opened, packets_of
from media.decoding.decoder.track_selection import tracks_of

Frame = av.VideoFrame | av.AudioFrame


@dataclass
class OpenPiece:
    """A segment that is being read, and those of its tracks that are measured."""

    piece: Piece
    container: InputContainer
    video: av.VideoStream | None
    audio: av.AudioStream | None

    @cached_property
    def packets(self) -> "list[av.Packet[Stream]]":
        """The packets of its tracks, without those that make decoders flush."""
        tracks = [each for each in (self.video, self.audio) if each is not None]
        return [each for each in packets_of(self.container, tracks) if each.size]

    def packets_of(self, track: Stream | None) -> "list[av.Packet[Stream]]":
        return [each for each in self.packets if each.stream is track]


@contextlib.contextmanager
def reading(piece: Piece) -> Iterator[OpenPiece]:
    """Open a segment; raise `av.FFmpegError` or `ValueError` for what is no media."""
    with opened(piece.media) as container:
        tracks, _ = tracks_of(container, piece.media)
        for each in (tracks.video, tracks.audio):
            if each is not None:
                configure(each)
        yield OpenPiece(piece, container, tracks.video, tracks.audio)


def seconds(packet: "av.Packet[Stream]") -> float:
    """Return when a packet is shown, as its track counts time."""
    moment = packet.pts if packet.pts is not None else packet.dts
    return float((moment or 0) * (packet.time_base or 0))


def span_of(packets: "Sequence[av.Packet[Stream]]") -> tuple[float, float]:
    """Return when the first packet of a track begins and the last one ends."""
    starts = [seconds(each) for each in packets if each.pts is not None]
    if not starts:
        return 0.0, 0.0
    first, last = min(starts), max(starts)
    told = max(float((each.duration or 0) * (each.time_base or 0)) for each in packets)
    return first, last + (told or (last - first) / max(1, len(starts) - 1))


def decoded(packets: "Sequence[av.Packet[Stream]]") -> Iterator[Frame]:
    """Yield the frames of a track's packets, what is held back included; broken ones bring none."""
    for packet in packets:
        with _passing_over_broken():
            yield from frames_of(packet.decode())
    if packets:
        with _passing_over_broken():
            yield from frames_of(flushing(packets[0].stream).decode())


def frames_of(found: Iterable[object]) -> Iterator[Frame]:
    yield from (each for each in found if isinstance(each, av.VideoFrame | av.AudioFrame))


@contextlib.contextmanager
def _passing_over_broken() -> Iterator[None]:
    try:
        yield
    except av.MemoryError:
        raise
    except av.FFmpegError:
        pass
