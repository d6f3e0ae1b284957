"""What is seen in a segment."""

import av
import numpy as np

from media.decoding.decoder.cards import is_card
from media.decoding.decoder.descriptions import describe_frames
from media.decoding.decoder.jpeg import JpegEncoder
from media.decoding.decoder.movement import Movement
from media.decoding.decoder.protocol import JobHead
from media.decoding.decoder.results import NO_FRAME, Findings, Span
from media.decoding.decoder.small_frames import SmallFrames
from monitors.frames import (
    FRAME_HEIGHT,
    FRAME_WIDTH,
    DecodeDepth,
    Motion,
    longest_interval_sec,
    pauses_between,
)

LONGEST_REORDER_SEC = 2.0  # that frames are shown before they come; more is a restart of timestamps
LOOKED_AT_ONCE = 8  # frames are compared in batches: one takes little longer than a frame


# As numbers: looking up what a member stands for takes a tenth of scaling a small frame.
_AREA = int(av.video.reformatter.Interpolation.AREA)
_FULL_RANGE = int(av.video.reformatter.ColorRange.JPEG)

_SCALER = av.video.reformatter.VideoReformatter()  # preparing takes as long as some frames


class FrameSampler:
    """The frames of a segment, scaled down; or only as many as its job asks for."""

    def __init__(self, job: JobHead, slates: bytes) -> None:
        self._job = job
        self._slates = slates
        self._depth = job.depth
        self._small: list[bytes] = []
        self._times: list[float] = []
        self._movement = Movement(job.reference)
        self._looked_at = 0
        self._left_out = 0
        self._keyframe: bytes | None = None
        self._begins_with_keyframe: bool | None = None
        self._first_pts: int | None = None
        self._end_pts = 0
        self._pts: list[int] = []
        self._bytes = 0
        self._has_all_times = True
        self._tick_sec = 0.0
        self._picture: bytes | None = None

    @property
    def first_sec(self) -> float | None:
        """Timestamp of the first picture, decoded or not; None without any."""
        return None if self._first_pts is None else self._first_pts * self._tick_sec

    @property
    def needs_lead(self) -> bool:
        """Whether the first picture builds on pictures of segments before."""
        return self._begins_with_keyframe is False

    @property
    def _is_suspect(self) -> bool:
        """Whether what was seen may be black, colour bars or a slate: all frames are to be seen."""
        return self._movement.is_dark or self._shows_card()

    def want(self, packet: "av.Packet[av.stream.Stream]") -> bool:
        size = packet.size
        if size:
            self._bytes += size
            self._note_time(packet)
        if len(self._small) >= self._job.max_frames:
            return False
        if not size:  # it only makes the decoder give what it holds back
            return True
        if self._begins_with_keyframe is None:
            self._begins_with_keyframe = packet.is_keyframe
            if not packet.is_keyframe:
                self._depth = DecodeDepth.EVERYTHING
            return True
        is_enough = self._depth == DecodeDepth.KEYFRAME or self._movement.is_proven
        self._left_out += is_enough
        return not is_enough

    def _note_time(self, packet: "av.Packet[av.stream.Stream]") -> None:
        """Note where pictures begin and end, in ticks: making a fraction of each takes too long."""
        # Pictures that a keyframe overtakes (an open GOP) belong to the time of the segment before.
        if packet.is_discard:
            return
        pts, first_pts = packet.pts, self._first_pts
        if pts is None:
            self._has_all_times = False
            return
        self._pts.append(pts)
        if first_pts is None:
            self._tick_sec = float(packet.time_base or 0)
            self._first_pts = self._end_pts = pts
        elif pts < first_pts and not self._begins_with_keyframe and self._is_near(pts):
            self._first_pts = pts
        self._end_pts = max(self._end_pts, pts + (packet.duration or 0))

    def _is_near(self, pts: int) -> bool:
        return ((self._first_pts or 0) - pts) * self._tick_sec < LONGEST_REORDER_SEC

    def add(self, frame: av.VideoFrame) -> None:
        """Keep a picture as full-range YUV of the small size."""
        if len(self._small) >= self._job.max_frames or self._is_of_the_lead(frame):
            return
        small = _SCALER.reformat(
            frame,
            FRAME_WIDTH,
            FRAME_HEIGHT,
            "yuv420p",
            interpolation=_AREA,
            dst_color_range=_FULL_RANGE,
            threads=1,
        )
        self._small.append(_pixels(small.planes))
        time = frame.time
        # A picture without a time of its own is shown with the one before.
        self._times.append(time if time is not None else self._times[-1] if self._times else 0.0)
        if self._job.with_picture and self._picture is None and not frame.is_corrupt:
            self._picture = JpegEncoder().encode(frame)
        if self._movement.keyframe is None and frame.key_frame and not frame.is_corrupt:
            self._movement.begin(self._small[-1])
            self._keyframe = self._small[-1]
        unseen = len(self._small) - self._looked_at
        if self._depth == DecodeDepth.MOVEMENT and unseen >= LOOKED_AT_ONCE:
            self._look_for_movement()

    def _shows_card(self) -> bool:
        return self._keyframe is not None and is_card(
            SmallFrames.of([self._keyframe]), self._slates
        )

    def _look_for_movement(self) -> None:
        seen, self._looked_at = self._looked_at, len(self._small)
        if self._small[seen:]:
            self._movement.look_at(self._small[seen:], self._times[seen:])

    def _is_of_the_lead(self, frame: av.VideoFrame) -> bool:
        if not self.needs_lead or frame.time is None or self.first_sec is None:
            return False
        return frame.time < self.first_sec - self._tick_sec / 2

    def describe(self, findings: Findings) -> str:
        """Write down what was seen; return why nothing could be, empty if something was."""
        findings.needs_lead = self.needs_lead
        if self._begins_with_keyframe is None:
            findings.is_video_missing = True
            return ""
        if not self._small:
            return NO_FRAME
        findings.video_sec = (self._end_pts - (self._first_pts or 0)) * self._tick_sec
        self._describe_pace(findings)
        findings.video_bytes = self._bytes
        if findings.video_sec > 0 and self._has_all_times:
            findings.frame_rate = round(len(self._pts) / findings.video_sec, 3)
        findings.motion = self._motion()
        findings.picture = self._picture
        findings.keyframe = self._movement.keyframe
        if self._left_out:
            findings.is_skimmed = True
            findings.keyframe = None if self._is_suspect else self._movement.keyframe
        else:
            self._describe_stretches(findings)
        return ""

    def _describe_stretches(self, findings: Findings) -> None:
        pictures = SmallFrames.of(self._small)
        moments = np.array(self._times) - self._zero_sec()
        describe_frames(
            findings,
            pictures,
            moments,
            self._job.duration_sec,
            self._slates,
            with_signatures=self._job.with_signatures,
        )
        findings.video_unseen_sec = unseen_sec = self._unseen_sec()
        findings.begin_at(unseen_sec)

    def _describe_pace(self, findings: Findings) -> None:
        times = [pts * self._tick_sec for pts in self._pts] if self._has_all_times else []
        duration_sec = self._job.duration_sec
        findings.frame_interval_sec = longest_interval_sec(times, duration_sec)
        findings.pauses = [Span(*each) for each in pauses_between(times, duration_sec)]

    def _unseen_sec(self) -> float:
        """How long it takes to the first picture that can be decoded without a lead."""
        if not self.needs_lead:
            return 0.0
        return min(max(0.0, self._times[0] - self._zero_sec()), self._job.duration_sec)

    def _zero_sec(self) -> float:
        """The timestamp of the segment's first moment; sound may start a little earlier."""
        decoded_sec, first_sec = self._times[0], self.first_sec
        if first_sec is None or not 0 <= decoded_sec - first_sec < self._job.duration_sec:
            return decoded_sec
        return first_sec

    def _motion(self) -> Motion:
        if self._depth != DecodeDepth.MOVEMENT:
            return Motion.UNKNOWN
        if self._left_out:
            return Motion.MOVING
        self._look_for_movement()
        is_known = self._movement.keyframe is not None and not self._is_suspect
        return Motion.STATIC if is_known else Motion.UNKNOWN


def _pixels(planes: tuple[av.video.plane.VideoPlane, ...]) -> bytes:
    if all(plane.line_size == plane.width for plane in planes):
        return b"".join(planes)
    return b"".join(map(_samples, planes))


def _samples(plane: av.video.plane.VideoPlane) -> bytes:
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: plane.height, : plane.width].tobytes()
