"""The tracks of a clip: copied where browsers play them, else encoded again."""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple, Protocol

import av
from av.audio.resampler import AudioResampler
from av.container import OutputContainer
from av.stream import Stream
from av.video.reformatter import VideoReformatter

from evidence.excerpts.budget import Budget
from evidence.excerpts.segment_reading import decoded

Packets = Sequence["av.Packet[Stream]"]

PLAYED_PROFILES = frozenset({66, 77, 100})
"""Of H.264 (ITU-T H.264 A.2): baseline, main, high. All others have more bits or colours than
browsers decode."""

SEQUENCE_PARAMETERS = 7  # type of a NAL unit

VIDEO_BASE = Fraction(1, 90_000)
SMALL_WIDTH = 640
MOST_FRAMES_PER_SEC = 31
VIDEO_OPTIONS = {"preset": "veryfast", "crf": "28", "threads": "1"}

SOUND_HZ = 48_000
SOUND_BITS_PER_SEC = 96_000
SOUND_GAP_SEC = 0.05
"""A longer gap in the sound is filled with silence, so that what follows stays in time."""


class ClipTrack(Protocol):
    """One track of a clip that is being written."""

    def write(self, packets: Packets, shift_sec: float) -> None:
        """Write a segment's packets; `shift_sec` leads from their time to the clip's."""

    def finish(self) -> None:
        """Write what is held back."""


def may_be_copied(streams: Sequence[Stream]) -> bool:
    """Return whether browsers play one track made of these, in order, as they are."""
    contexts = [each.codec_context for each in streams]
    # Behind parameter sets may be zeros (ITU-T H.264 B.1).
    kinds = {(it.codec.canonical_name, bytes(it.extradata or b"").rstrip(b"\0")) for it in contexts}
    if len(kinds) != 1:
        return False
    name, parameters = next(iter(kinds))
    return name == "aac" or (name == "h264" and h264_profile(parameters) in PLAYED_PROFILES)


def h264_profile(parameters: bytes) -> int | None:
    """Return the profile that parameter sets name; None without any."""
    if parameters[:1] == b"\x01":  # ISO/IEC 14496-15 5.3.3.1
        return parameters[1] if len(parameters) > 1 else None
    units = parameters.split(b"\0\0\1")[1:]
    named = (unit[1] for unit in units if len(unit) > 1 and unit[0] & 31 == SEQUENCE_PARAMETERS)
    return next(named, None)


class ClipSoundFormat(NamedTuple):
    """What a decoder finds in the first packet of sound: transport streams do not tell."""

    rate_hz: int
    layout: str
    packet_sec: float


def sound_format(packets: Packets) -> ClipSoundFormat | None:
    """Return the format of sound; None where nothing of it can be decoded."""
    for frame in decoded(packets[:3]):
        if isinstance(frame, av.AudioFrame):
            packet_sec = frame.samples / frame.sample_rate
            return ClipSoundFormat(frame.sample_rate, frame.layout.name, packet_sec)
    return None


class CopiedTrack:
    def __init__(
        self, out: OutputContainer, template: Stream, sound: ClipSoundFormat | None = None
    ) -> None:
        self._out = out
        self._stream = out.add_stream_from_template(template, opaque=True)
        if sound and isinstance(self._stream, av.AudioStream):
            self._stream.codec_context.sample_rate = sound.rate_hz
            self._stream.codec_context.layout = sound.layout
        self._base = template.time_base or VIDEO_BASE
        self._is_audio = template.type == "audio"
        self._packet_sec = sound.packet_sec if sound else 0.0
        self._last_dts: int | None = None
        self._end = 0

    def write(self, packets: Packets, shift_sec: float) -> None:
        late = None
        self._time(packets)
        for packet in packets:
            if packet.dts is None or packet.pts is None:
                continue
            scale, shift = (packet.time_base or 0) / self._base, round(shift_sec / self._base)
            dts, pts = round(packet.dts * scale) + shift, round(packet.pts * scale) + shift
            if late is None:
                late = self._overlap(dts)
            self._mux(packet, dts + late, pts + late)

    def _time(self, packets: Packets) -> None:
        """Give packets of sound their time where only the first of several has one."""
        following: float | None = None
        for packet in packets if self._packet_sec else ():
            length = self._packet_sec / (packet.time_base or 1)
            if packet.pts is None and following is not None:
                packet.pts = packet.dts = round(following)
            packet.duration = packet.duration or round(length)
            exact = (
                following
                if following is not None and abs(following - (packet.pts or 0)) < 1
                else packet.pts
            )
            following = None if exact is None else exact + length

    def _overlap(self, dts: int) -> int:
        """Return how much later than it says a segment begins: the one before is not over."""
        if self._is_audio or self._last_dts is None:
            return 0
        return max(0, self._last_dts + 1 - dts)

    def _mux(self, packet: "av.Packet[Stream]", dts: int, pts: int) -> None:
        length = round((packet.duration or 0) * (packet.time_base or 0) / self._base)
        is_early = self._is_audio and (pts < 0 or dts < self._end - length // 2)
        if is_early or (self._last_dts is not None and dts <= self._last_dts):
            return
        packet.stream = self._stream
        packet.time_base = self._base
        packet.dts, packet.pts, packet.duration = dts, max(pts, dts), length
        self._last_dts, self._end = dts, dts + length
        self._out.mux(packet)

    def finish(self) -> None:
        """Do nothing: all is written."""


class EncodedVideo:
    """Pictures that are encoded again, small."""

    def __init__(self, out: OutputContainer, template: av.VideoStream, budget: Budget) -> None:
        self._out = out
        self._budget = budget
        self._scaler = VideoReformatter()
        self._width, self._height = small_size(
            template.codec_context.width, template.codec_context.height
        )
        self._stream = out.add_stream(
            "libx264",
            rate=MOST_FRAMES_PER_SEC - 1,
            options=VIDEO_OPTIONS,
            width=self._width,
            height=self._height,
            time_base=VIDEO_BASE,
        )
        self._stream.codec_context.thread_count = 1
        self._last_sec: float | None = None

    def write(self, packets: Packets, shift_sec: float) -> None:
        """Encode a segment's pictures, as far as the budget goes."""
        for frame in decoded(packets):
            if not self._budget.has_more():
                return
            if isinstance(frame, av.VideoFrame) and frame.time is not None:
                self._encode(frame, frame.time + shift_sec)

    def _encode(self, frame: av.VideoFrame, at_sec: float) -> None:
        if at_sec < 0 or frame.is_corrupt:
            return
        if self._last_sec is not None and at_sec - self._last_sec < 1 / MOST_FRAMES_PER_SEC:
            return
        self._last_sec = at_sec
        small = self._scaler.reformat(frame, self._width, self._height, "yuv420p", threads=1)
        small.pts, small.time_base = round(at_sec / VIDEO_BASE), VIDEO_BASE
        small.pict_type = 0
        self._out.mux(self._stream.encode(small))

    def finish(self) -> None:
        self._out.mux(self._stream.encode(None))


class EncodedAudio:
    """Sound that is encoded again, in stereo."""

    def __init__(self, out: OutputContainer, budget: Budget) -> None:
        self._out = out
        self._budget = budget
        self._stream = out.add_stream("aac", rate=SOUND_HZ, bit_rate=SOUND_BITS_PER_SEC)
        self._next = 0
        self._resampler = _resampler()

    def write(self, packets: Packets, shift_sec: float) -> None:
        """Encode a segment's sound, as far as the budget goes; timestamps may tell of hours."""
        self._resampler = _resampler()
        at = self._next
        for frame in decoded(packets):
            if isinstance(frame, av.AudioFrame):
                if frame.time is not None:
                    at = round((frame.time + shift_sec) * SOUND_HZ)
                for piece in self._resampler.resample(frame):
                    self._encode(piece, at)
                    at += piece.samples

    def _encode(self, frame: av.AudioFrame, at: int) -> None:
        gap, tolerance = at - self._next, round(SOUND_GAP_SEC * SOUND_HZ)
        if at < 0 or gap < -tolerance:
            return
        while gap > tolerance and self._budget.has_more():
            quiet = _silence(min(gap, SOUND_HZ))
            gap -= quiet.samples
            self._put(quiet)
        self._put(frame)

    def _put(self, frame: av.AudioFrame) -> None:
        frame.pts, frame.time_base = self._next, Fraction(1, SOUND_HZ)
        self._next += frame.samples
        self._out.mux(self._stream.encode(frame))

    def finish(self) -> None:
        self._out.mux(self._stream.encode(None))


def small_size(width: int, height: int) -> tuple[int, int]:
    """Return the even size of a picture that is encoded again."""
    shrunk = min(1.0, SMALL_WIDTH / max(width, 1))
    return max(2, round(width * shrunk) // 2 * 2), max(2, round(height * shrunk) // 2 * 2)


def _resampler() -> AudioResampler:
    return AudioResampler(format="fltp", layout="stereo", rate=SOUND_HZ)


def _silence(samples: int) -> av.AudioFrame:
    frame = av.AudioFrame(format="fltp", layout="stereo", samples=samples)
    frame.sample_rate = SOUND_HZ
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    return frame
