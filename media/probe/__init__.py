"""The probe: measuring each segment once, in one pass.

Segments are decoded by ffmpeg's libraries in a few processes that stay (`decoders`), or, where the
user names an ffmpeg, by one process a segment (`ffmpeg`). Both find the same.
"""

from media.probe.confinement import Confinement
from media.probe.decoders import DecoderProbe
from media.probe.errors import DecoderFailed, NotConfined, UndecodableSegment
from media.probe.ffmpeg import FfmpegProbe
from media.probe.limits import ProbeLimits, probes_at_once
from media.probe.probe import Probe, open_probe
from media.probe.turns import Pace

__all__ = [
    "Confinement",
    "DecoderFailed",
    "DecoderProbe",
    "FfmpegProbe",
    "NotConfined",
    "Pace",
    "Probe",
    "ProbeLimits",
    "UndecodableSegment",
    "open_probe",
    "probes_at_once",
]
