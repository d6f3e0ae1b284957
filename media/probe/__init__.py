"""The probe: one ffmpeg process a segment, one pass for all measurements."""

from media.probe.ffmpeg import FfmpegProbe, UndecodableSegment, find_ffmpeg, probes_at_once

__all__ = ["FfmpegProbe", "UndecodableSegment", "find_ffmpeg", "probes_at_once"]
