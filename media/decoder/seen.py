"""What is seen in a segment."""

from collections.abc import Sequence

import av
import numpy as np

from media.decoder.findings import Findings, Undecodable
from media.decoder.keyframes import moves, remembered
from media.decoder.pictures import Pictures, black_intervals, still_runs
from media.decoder.wire import JobHead
from monitors.pictures import PICTURE_HEIGHT, PICTURE_WIDTH


class SeenPictures:
    """The pictures of a segment, small; or only its keyframes."""

    def __init__(self, *, most: int, skims: bool) -> None:
        self._most = most
        self._skims = skims
        self._small: list[bytes] = []
        self._times: list[float] = []
        self._keyframes: list[bytes] = []
        self._sent = 0
        self._begins_with_keyframe = False
        self._scaler = av.video.reformatter.VideoReformatter()

    def want(self, packet: "av.Packet[av.stream.Stream]") -> bool:
        """Tell whether a packet of the picture is to be decoded."""
        if len(self._small) >= self._most:
            return False
        if not packet.size:  # it only makes the decoder give what it holds back
            return True
        if not self._sent:
            self._begins_with_keyframe = packet.is_keyframe
        is_wanted = packet.is_keyframe or not self._skims
        self._sent += is_wanted
        return is_wanted

    def add(self, frame: av.VideoFrame) -> None:
        """Keep a picture as full-range luma of the small size."""
        if len(self._small) >= self._most:
            return
        small = self._scaler.reformat(
            frame,
            PICTURE_WIDTH,
            PICTURE_HEIGHT,
            "gray",
            interpolation=av.video.reformatter.Interpolation.AREA,
            dst_color_range=av.video.reformatter.ColorRange.JPEG,
            threads=1,
        )
        plane = small.planes[0]
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        self._small.append(rows[:PICTURE_HEIGHT, :PICTURE_WIDTH].tobytes())
        time = frame.time
        # A picture without a time of its own is shown with the one before.
        self._times.append(time if time is not None else self._times[-1] if self._times else 0.0)
        if frame.key_frame and not frame.is_corrupt:
            self._keyframes.append(self._small[-1])

    def describe(self, findings: Findings, job: JobHead) -> None:
        """Write down what was seen.

        Raises:
            Undecodable: nothing was.
        """
        if not self._small:
            raise Undecodable("no picture could be decoded")
        self._describe_keyframes(findings, job)
        if self._skims:
            return
        pictures = _stacked(self._small)
        # Sound may start a little earlier; the playlist's times mean the first picture.
        moments = np.array(self._times) - self._times[0]
        findings.black = black_intervals(pictures, moments, job.duration_sec)
        findings.still = still_runs(pictures, moments, job.duration_sec)

    def _describe_keyframes(self, findings: Findings, job: JobHead) -> None:
        if not self._keyframes:
            return
        findings.keyframe = remembered(self._keyframes[-1])
        findings.moves = self._begins_with_keyframe and moves(
            _stacked(self._keyframes), job.keyframe
        )
        if self._skims:
            findings.is_skimmed = True
            # Each keyframe must have been seen, else what is missing may be what is wrong.
            findings.moves &= len(self._keyframes) == self._sent


def _stacked(pictures: Sequence[bytes]) -> Pictures:
    pixels = np.frombuffer(b"".join(pictures), np.uint8)
    return pixels.reshape(-1, PICTURE_HEIGHT, PICTURE_WIDTH)
