"""The ffmpeg command line of a probe."""

from enum import StrEnum

from monitors.measurement import PICTURE_HEIGHT, PICTURE_WIDTH

MAX_PIXELS = 36_000_000
"""Larger pictures (8K has 33 million pixels) are not decoded."""

SILENCE_MIN_SEC = 0.02


class Layout(StrEnum):
    """Which tracks a segment carries."""

    BOTH = "both"
    VIDEO = "video"
    AUDIO = "audio"


def probe_arguments(ffmpeg: str, layout: Layout, silence_db: float) -> list[str]:
    """Return the command that measures the segment on its standard input.

    The pictures go to standard output, scaled down to 8-bit luma and one after the other; their
    times go, a line each, to the file descriptor that replaces `{extra}`; what the audio filters
    find goes to the log on standard error. `silence_db` is in dBFS.
    """
    arguments = [ffmpeg, "-hide_banner", "-nostats", "-loglevel", "level+info"]
    # Nothing inside the media can make ffmpeg open a file or a URL.
    arguments += ["-protocol_whitelist", "pipe", "-threads", "1", "-filter_threads", "1"]
    arguments += ["-max_pixels", str(MAX_PIXELS), "-i", "pipe:0", "-sn", "-dn"]
    if layout is not Layout.AUDIO:
        arguments += _video_output()
    if layout is not Layout.VIDEO:
        arguments += _audio_output(silence_db)
    return arguments


def _video_output() -> list[str]:
    scale = f"scale={PICTURE_WIDTH}:{PICTURE_HEIGHT}:flags=area,format=gray"
    return [
        *("-map", "0:v:0", "-an", "-vf", scale, "-fps_mode", "passthrough"),
        *("-stats_enc_pre:v", "pipe:{extra}", "-stats_enc_pre_fmt:v", "{t}"),
        *("-f", "rawvideo", "pipe:1"),
    ]


def _audio_output(silence_db: float) -> list[str]:
    detect = f"silencedetect=n={silence_db:.2f}dB:d={SILENCE_MIN_SEC}"
    return ["-map", "0:a:0", "-vn", "-af", f"{detect},ebur128=framelog=quiet", "-f", "null", "-"]
