"""The probe: measuring each segment once, in one pass.

Segments are decoded by ffmpeg's libraries in a few processes that stay (`decoders`), or, where the
user names an ffmpeg, by one process a segment (`ffmpeg`). Both find the same.
"""

from media.decoding.decode_slots import DecodeUsage
from media.decoding.decoder_pool import Confinement, DecoderProbe
from media.decoding.errors import DecoderFailed, NotConfined, UndecodableSegment
from media.decoding.ffmpeg import FfmpegProbe
from media.decoding.limits import ProbeLimits, probes_at_once
from media.decoding.probe import Probe, open_probe

__all__ = [
    "Confinement",
    "DecodeUsage",
    "DecoderFailed",
    "DecoderProbe",
    "FfmpegProbe",
    "NotConfined",
    "Probe",
    "ProbeLimits",
    "UndecodableSegment",
    "open_probe",
    "probes_at_once",
]
