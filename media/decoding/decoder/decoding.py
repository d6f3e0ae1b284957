"""Measuring a segment in one pass with the libraries of ffmpeg, inside a decoder process."""

import contextlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import av
from av.container import InputContainer
from av.stream import Stream

from media.decoding.decoder.audio import Sound
from media.decoding.decoder.protocol import JobHead, Material
from media.decoding.decoder.results import MAX_ERROR, AdditionalAudioFindings, Findings, Undecodable
from media.decoding.decoder.track_selection import tracks_of
from media.decoding.decoder.video import FrameSampler
from media.decoding.decoder.whitelist import CODECS, CONTAINERS, MAX_PIXELS, MPEGTS, named_container
from monitors.frames import DecodeDepth
from monitors.sound import SoundChecks

CONTAINER_OPTIONS = {
    "format_whitelist": ",".join(CONTAINERS),
    "protocol_whitelist": "none",
    # Else ffmpeg decodes the first pictures when it opens a segment, to learn what decoding them
    # teaches anyway: a fifth of the work on a segment of two seconds.
    "codec_whitelist": "none",
    # Nor does it have to look for the end.
    "skip_estimate_duration_from_pts": "1",
}
CODEC_OPTIONS = {
    "codec_whitelist": ",".join(CODECS),
    "max_pixels": str(MAX_PIXELS),
    # Grain that a decoder adds by itself (AV1) would make each frame of a frozen picture another.
    "export_side_data": "film_grain",
}
ORDERLY = {"strict": "strict"}
"""For H.264: hold back as many pictures as its level allows to be out of order, where the stream
does not say how many are. ffmpeg would guess from the first pictures, and lose those before it
knows."""

MOST_SETS_BYTES = 4096  # a hundred is usual
MOST_BROKEN = 2 / 3  # of its packets; beyond, a track is undecodable: the rest of it says nothing


def measure_segment(material: Material, job: JobHead) -> Findings:
    """Measure one segment, by a few of its frames where that is wanted and enough.

    Where one of picture and sound cannot be decoded, the other is measured still. Raises
    `Undecodable`, or `MemoryError` where it takes more memory than this process may have.
    """
    if job.depth != DecodeDepth.EVERYTHING:
        with contextlib.suppress(Undecodable):
            findings = _pass(material, job)
            # A keyframe says nothing of the time for which there are no frames.
            is_enough = not findings.pauses and findings.keyframe is not None
            if not findings.video_error and (is_enough or not findings.is_skimmed):
                return findings
    return _pass(material, job._replace(depth=DecodeDepth.EVERYTHING))


def _pass(material: Material, job: JobHead) -> Findings:
    try:
        with opened(material.segment) as container:
            return _measured(container, material, job)
    except av.MemoryError:
        raise
    except (av.FFmpegError, ValueError) as error:
        raise Undecodable(_plain(error)) from error


def opened(segment: bytes) -> InputContainer:
    return av.open(
        io.BytesIO(segment),
        "r",
        format=named_container(segment),
        container_options=CONTAINER_OPTIONS,
        io_open=_refuse_to_open,
        metadata_errors="replace",
    )


def _refuse_to_open(url: str, flags: int, options: dict[str, str]) -> NoReturn:
    raise PermissionError("a segment may not open anything")


def _measured(container: InputContainer, material: Material, job: JobHead) -> Findings:
    tracks, unmeasurable = tracks_of(container, material.segment)
    video, audio = tracks.video, tracks.audio
    if video is None and audio is None and not unmeasurable:
        raise Undecodable("ffmpeg found no picture and no sound")
    sets = _parameter_sets(container, video, material) if video else None
    pictures = FrameSampler(job, material.slates)
    additional = tracks.additional if job.all_sounds else []
    heard = [each.stream for each in additional if each.why_not is None]
    sounds = {it.index: Sound(job.silence_db) for it in heard}
    sound = Sound(
        job.silence_db, checks=SoundChecks(job.sound_checks), most_blocks=job.most_sound_blocks
    )
    wanted = [track for track in (video, audio, *heard) if track is not None]
    if audio:
        sounds[audio.index] = sound
    errors = _decode(packets_of(container, wanted), wanted, material.lead, pictures, sounds)
    findings = Findings(
        has_video=video is not None or "video" in unmeasurable,
        has_audio=audio is not None or "audio" in unmeasurable,
        unmeasurable={kind: why._asdict() for kind, why in unmeasurable.items()},
        video_codec=video.codec_context.codec.canonical_name if video else None,
        audio_codec=audio.codec_context.codec.canonical_name if audio else None,
        width=(video.codec_context.width or None) if video else None,
        height=(video.codec_context.height or None) if video else None,
        parameter_sets=sets,
    )
    first = next((it for it in tracks.sounds if it.stream is audio), None)
    findings.audio_language = first.language if first and job.all_sounds else None
    if video and not errors[video.index]:
        errors[video.index] = pictures.describe(findings)
    if audio and not errors[audio.index]:
        sound.describe(findings, job.duration_sec, pictures.first_sec)
    for each in additional:
        more = AdditionalAudioFindings(index=each.place, audio_language=each.language)
        more.unmeasurable = each.why_not._asdict() if each.why_not else None
        more.audio_error = errors.get(each.stream.index, "")
        if each.stream.index in sounds and not more.audio_error:
            sounds[each.stream.index].describe(more, job.duration_sec, pictures.first_sec)
        findings.additional_audio.append(more)
    if errors and all(errors.values()):
        raise Undecodable(next(iter(errors.values())))
    findings.video_error = errors[video.index] if video else ""
    findings.audio_error = errors[audio.index] if audio else ""
    return findings


def _parameter_sets(
    container: InputContainer, video: av.VideoStream, material: Material
) -> bytes | None:
    """Return the parameter sets of a segment if they are news; give it earlier ones if it has none.

    Segments of MP4 have theirs in their initialization section.
    """
    own, known = bytes(video.codec_context.extradata or b""), material.parameter_sets
    if known and not own:
        video.codec_context.extradata = known
    is_news = container.format.name == MPEGTS and own != known
    return own if is_news and 0 < len(own) <= MOST_SETS_BYTES else None


def _decode(
    packets: Iterator["av.Packet[Stream]"],
    tracks: Sequence[av.VideoStream | av.AudioStream],
    lead: bytes,
    pictures: FrameSampler,
    sounds: Mapping[int, Sound],
) -> dict[int, str]:
    """Decode the tracks; return why each could not be, by its index, empty where it could."""
    counts = {track.index: _Packets() for track in tracks}
    take = {index: sound.add for index, sound in sounds.items()}
    for track in tracks:
        configure(track)
    for packet in packets:
        stream = packet.stream
        if isinstance(stream, av.VideoStream):
            if not pictures.want(packet):
                continue
            if lead and pictures.needs_lead:
                _decode_lead(lead, stream)
                lead = b""
        add = take.get(stream.index, pictures.add)
        for frame in counts[stream.index].decode(packet):
            add(frame)
    for sound in sounds.values():
        sound.finish()
    if not any(it.all for it in counts.values()) and any(track.frames for track in tracks):
        raise Undecodable("it lists samples that it does not hold")
    return {index: count.verdict() for index, count in counts.items()}


def configure(track: av.VideoStream | av.AudioStream) -> None:
    track.codec_context.thread_count = 1
    is_h264 = track.codec_context.name == "h264"
    track.codec_context.options = {**CODEC_OPTIONS, **(ORDERLY if is_h264 else {})}


def _decode_lead(lead: bytes, video: av.VideoStream) -> None:
    """Have the decoder of `video` know the pictures before, whatever of them can be decoded."""
    with contextlib.suppress(av.FFmpegError, ValueError), opened(lead) as container:
        before = tracks_of(container, lead)[0].video
        if before is None or before.codec_context.name != video.codec_context.name:
            return
        for packet in packets_of(container, [before]):
            if packet.size:
                with contextlib.suppress(av.InvalidDataError):
                    video.codec_context.decode(packet)


def packets_of(
    container: InputContainer, tracks: Sequence[Stream]
) -> Iterator["av.Packet[Stream]"]:
    """Yield the packets of the tracks, and for each an empty one, which makes its decoder flush."""
    # Not PyAV's own empty packets: it fails on those when a stream has joined since the beginning.
    if not tracks:
        return  # PyAV would yield those of all
    with contextlib.suppress(IndexError):
        for packet in container.demux(*tracks):
            if packet.size:
                yield packet
    for track in tracks:
        yield flushing(track)


def flushing(track: Stream) -> "av.Packet[Stream]":
    packet = av.Packet()
    packet.stream = track
    if track.time_base:
        packet.time_base = track.time_base
    return packet


@dataclass
class _Packets:
    """How decoding one track goes."""

    all: int = 0
    broken: int = 0
    error: str = ""

    def decode(self, packet: "av.Packet[Stream]") -> Sequence[Any]:
        """Return the frames that a packet brings, none if it is broken."""
        if not packet.size and not self.all:
            return ()  # the track is empty: there is nothing that its decoder could hold back
        self.all += 1
        try:
            return packet.decode()
        except av.MemoryError:
            raise
        except av.FFmpegError as error:
            self.broken += 1
            self.error = _plain(error)
            return ()

    def verdict(self) -> str:
        """Return why the track cannot be judged: too many packets are broken; empty if it can."""
        return self.error if self.broken > MOST_BROKEN * self.all else ""


def _plain(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text)[:MAX_ERROR]
