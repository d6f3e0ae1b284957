"""The ffmpeg command line of a probe."""

from enum import StrEnum

from monitors.measurement import PICTURE_HEIGHT, PICTURE_WIDTH

MAX_PIXELS = 36_000_000
"""Larger pictures (8K has 33 million pixels) are not decoded."""

LEAST_PICTURES = 1_000
MAX_PICTURES_PER_SEC = 130
"""More pictures than a segment of its duration holds are not looked at."""

SILENCE_MIN_SEC = 0.02

TIMES, SILENCE = "times", "silence"
OUTPUTS = (TIMES, SILENCE)
"""What ffmpeg writes beside the pictures, the names of its further outputs."""

TS_PACKET_BYTES = 188
TS_SYNC_BYTE = 0x47
TS_LOOKED_AT_PACKETS = 5


class Layout(StrEnum):
    """Which tracks a segment carries."""

    BOTH = "both"
    VIDEO = "video"
    AUDIO = "audio"


def most_pictures(duration_sec: float) -> int:
    """Return how many pictures of a segment are looked at; at least so many as 10 s may hold."""
    return max(LEAST_PICTURES, round(MAX_PICTURES_PER_SEC * duration_sec))


def named_container(segment: bytes) -> str | None:
    """Return ffmpeg's name for the container of `segment` where ffmpeg needs to be told.

    It does not recognise MPEG-TS in less than about two kilobytes, and digital silence is no more
    than that. A packet begins with the sync byte every 188 bytes (ISO/IEC 13818-1 2.4.3.2).
    """
    packets = segment[: TS_PACKET_BYTES * TS_LOOKED_AT_PACKETS : TS_PACKET_BYTES]
    is_transport_stream = len(packets) > 1 and set(packets) == {TS_SYNC_BYTE}
    return "mpegts" if is_transport_stream else None


def probe_arguments(
    ffmpeg: str,
    layout: Layout,
    silence_db: float,
    *,
    container: str | None = None,
    most_pictures: int = LEAST_PICTURES,
) -> list[str]:
    """Return the command that measures the segment on its standard input.

    The pictures go to standard output, scaled down to 8-bit luma and one after the other. Their
    times and the edges of silence go to outputs of their own (`OUTPUTS`): the log on standard
    error mixes up what ffmpeg's threads write at the same time. `silence_db` is in dBFS; without a
    `container` ffmpeg finds out by itself.
    """
    arguments = [ffmpeg, "-hide_banner", "-nostats", "-loglevel", "level+info"]
    # Nothing inside the media can make ffmpeg open a file or a URL.
    arguments += ["-protocol_whitelist", "pipe", "-threads", "1", "-filter_threads", "1"]
    arguments += ["-max_pixels", str(MAX_PIXELS), *(["-f", container] if container else [])]
    arguments += ["-i", "pipe:0", "-sn", "-dn"]
    if layout is not Layout.AUDIO:
        arguments += _video_output(most_pictures)
    if layout is not Layout.VIDEO:
        arguments += _audio_output(silence_db)
    return arguments


def _video_output(most_pictures: int) -> list[str]:
    scale = f"scale={PICTURE_WIDTH}:{PICTURE_HEIGHT}:flags=area,format=gray"
    return [
        *("-map", "0:v:0", "-an", "-vf", scale, "-fps_mode", "passthrough"),
        *("-frames:v", str(most_pictures)),
        *("-stats_enc_pre:v", f"pipe:{{{TIMES}}}", "-stats_enc_pre_fmt:v", "{t}"),
        *("-f", "rawvideo", "pipe:1"),
    ]


def _audio_output(silence_db: float) -> list[str]:
    detect = f"silencedetect=n={silence_db:.2f}dB:d={SILENCE_MIN_SEC}"
    edges = f"ametadata=mode=print:file='pipe\\:{{{SILENCE}}}'"
    filters = f"{detect},{edges},ebur128=framelog=quiet"
    return ["-map", "0:a:0", "-vn", "-af", filters, "-f", "null", "-"]
