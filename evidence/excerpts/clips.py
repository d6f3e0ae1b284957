"""A clip: the segments around the beginning of a fault as one MP4 that browsers play.

What browsers play (H.264 of 8 bits in 4:2:0, AAC) is copied; the rest is encoded again, small.
"""

import contextlib
from collections.abc import Iterator, Sequence

import av
from av.container import OutputContainer
from av.stream import Stream

from evidence.excerpts.budget import Budget
from evidence.excerpts.mp4 import Mp4Writer
from evidence.excerpts.placing import Placing
from evidence.excerpts.protocol import UNDECODABLE, NothingMade, Piece
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


def clip(pieces: Sequence[Piece], budget: Budget) -> bytes:
    """Return the clip of a stream's segments; what is encoded again ends with the budget.

    Raises:
        NothingMade: nothing of them can be shown.
    """
    ordered = sorted(pieces, key=lambda each: (each.starts_sec, each.is_audio))
    with contextlib.ExitStack() as stack:
        opened = [*_opened(stack, ordered)]
        writer = Mp4Writer()
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
    placing, has_begun = Placing(), video is None
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


def _shift_sec(placing: Placing, piece: Piece, packets: Packets) -> float:
    if not packets:
        return 0.0
    first_sec, end_sec = span_of(packets)
    if piece.is_audio:
        return placing.beside(piece.starts_sec, first_sec)
    return placing.main(piece.starts_sec, first_sec, end_sec)
