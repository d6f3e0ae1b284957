"""The ffmpeg command line of a probe."""

from enum import StrEnum

from media.decoding.decoder.whitelist import CODECS, CONTAINERS, MAX_PIXELS
from media.decoding.limits import MIN_FRAMES
from monitors.frames import FRAME_HEIGHT, FRAME_WIDTH
from monitors.pictures import MOST_PICTURE_WIDTH

TIMES, SAMPLES, SOUND, PICTURE = "times", "samples", "sound", "picture"
OUTPUTS = (TIMES, SAMPLES, SOUND, PICTURE)
"""What ffmpeg writes beside the pictures, the names of its further outputs."""

QUANTIZER = "5"
"""Of the JPEG; a picture of 1280x720 has 100 KiB."""


class Layout(StrEnum):
    """Which tracks a segment carries."""

    BOTH = "both"
    VIDEO = "video"
    AUDIO = "audio"


def probe_arguments(
    ffmpeg: str,
    layout: Layout,
    *,
    container: str | None = None,
    max_frames: int = MIN_FRAMES,
    program: int | None = None,
    with_picture: bool = False,
) -> list[str]:
    """Return the command that measures the segment on its standard input.

    The pictures go to standard output, scaled down to full-range YUV and one after the other. Their
    times, the sound and its times go to outputs of their own (`OUTPUTS`): the log on standard error
    mixes up what ffmpeg's threads write at the same time. Without a `container` ffmpeg finds out by
    itself. The tracks are the first ones of all, or of the `program` of that number. Where a
    picture is wanted, the first one is also encoded as JPEG.
    """
    tracks = "0" if program is None else f"0:p:{program}"
    arguments = [ffmpeg, "-hide_banner", "-nostats", "-loglevel", "level+info"]
    # Nothing inside the media can make ffmpeg open a file or a URL.
    arguments += ["-protocol_whitelist", "pipe", "-threads", "1", "-filter_threads", "1"]
    arguments += ["-format_whitelist", ",".join(CONTAINERS)]
    arguments += ["-codec_whitelist", ",".join(CODECS)]
    arguments += ["-export_side_data", "film_grain"]
    arguments += ["-max_pixels", str(MAX_PIXELS), *(["-f", container] if container else [])]
    arguments += ["-i", "pipe:0", "-sn", "-dn"]
    if layout is not Layout.AUDIO:
        arguments += _video_output(tracks, max_frames)
        arguments += _picture_output(tracks) if with_picture else []
    if layout is not Layout.VIDEO:
        arguments += _audio_output(tracks)
    return arguments


def _video_output(tracks: str, max_frames: int) -> list[str]:
    scale = f"scale={FRAME_WIDTH}:{FRAME_HEIGHT}:flags=area:out_range=full,format=yuv420p"
    return [
        *("-map", f"{tracks}:v:0", "-an", "-vf", scale, "-fps_mode", "passthrough"),
        *("-frames:v", str(max_frames)),
        *("-stats_enc_pre:v", f"pipe:{{{TIMES}}}", "-stats_enc_pre_fmt:v", "{t}"),
        *("-f", "rawvideo", "pipe:1"),
    ]


def _picture_output(tracks: str) -> list[str]:
    size = f"w='min({MOST_PICTURE_WIDTH},iw)':h='min({MOST_PICTURE_WIDTH},ih)'"
    fitted = f"scale={size}:force_original_aspect_ratio=decrease:out_range=full,format=yuvj420p"
    return [
        *("-map", f"{tracks}:v:0", "-an", "-vf", fitted, "-frames:v", "1"),
        *("-c:v", "mjpeg", "-q:v", QUANTIZER, "-f", "image2pipe", f"pipe:{{{PICTURE}}}"),
    ]


def _audio_output(tracks: str) -> list[str]:
    return [
        *("-map", f"{tracks}:a:0", "-vn", "-c:a", "pcm_f32le"),
        *("-stats_enc_pre:a", f"pipe:{{{SAMPLES}}}", "-stats_enc_pre_fmt:a", "{t} {samp} {tb}"),
        *("-f", "f32le", f"pipe:{{{SOUND}}}"),
    ]
