"""The probe: one ffmpeg process a segment, one pass for all measurements."""

from media.probe.ffmpeg import FfmpegProbe, UndecodableSegment, find_ffmpeg, probes_at_once
from media.probe.turns import Pace

__all__ = ["FfmpegProbe", "Pace", "UndecodableSegment", "find_ffmpeg", "probes_at_once"]
