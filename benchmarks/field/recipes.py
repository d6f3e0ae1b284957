"""Live sources that ffmpeg makes: what is encoded, and how its muxer is told to pack it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped, unused-ignore]

from benchmarks.field.programme import AAC, H264, Codecs, x264

HEVC = Codecs(
    ("libx265", "-preset", "ultrafast", "-crf", "26", "-x265-params", "log-level=1:bframes=0"), AAC
)
AV1 = Codecs(("libsvtav1", "-preset", "12", "-b:v", "150k"), AAC)
VP9 = Codecs(
    ("libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "150k"), ("libopus",)
)
OPUS = Codecs(H264.video, ("libopus", "-b:a", "48k"))
MP3 = Codecs(H264.video, ("libmp3lame", "-b:a", "64k"))
AC3 = Codecs(H264.video, ("ac3", "-b:a", "96k"))
EAC3 = Codecs(H264.video, ("eac3", "-b:a", "96k"))
HIGH_RATE = Codecs(H264.video, (*AAC, "-ar", "44100"), fps=30, rate="30000/1001")
OPEN_GOP = Codecs(x264("-bf", "3", "-x264-params", "open-gop=1"), AAC, fps=25)
B_FRAMES = Codecs(x264("-bf", "2"), AAC, fps=25)

SEGMENT_SEC = 2
INTERLEAVE_USEC = 200_000
"""How long the muxer waits for a track that has stopped: a live encoder does not wait either."""

CLOCK_NAMES = (
    *("-strftime", "1", "-hls_flags", "second_level_segment_index"),
    *("-hls_segment_filename", "%H%M%S-%%05d.ts"),
)
TWO_RENDITIONS = ("-map", "0:v", "-map", "0:a", "-map", "0:v", "-map", "0:a")


@dataclass(frozen=True)
class Recipe:
    """A live source.

    Attributes:
        manifest: file whose URL is watched.
        command: what plays the programme, from its encoded file, into the current folder.
        has_end: whether the last manifest says that the stream is over.
        playlists: how many hold the tracks; sound may be apart.
        tracks: that the source has; only their faults are to be told.
        may_miss: segments that leave the window before anybody can see them; `note` says why.
        note: what is said of the source in the table.
    """

    name: str
    codecs: Codecs
    manifest: str
    command: Callable[[Path], list[str]]
    has_end: bool = True
    playlists: int = 1
    tracks: frozenset[str] = frozenset({"video", "audio"})
    may_miss: int = 0
    note: str = ""


def playing(programme: Path, *output: str) -> list[str]:
    """Return the ffmpeg command that plays the programme in real time into `output`."""
    return [
        *(imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-v", "error", "-nostdin", "-re", "-y"),
        *("-i", str(programme), "-c", "copy", "-max_interleave_delta", str(INTERLEAVE_USEC)),
        *output,
    ]


def _ffmpeg(
    name: str, codecs: Codecs, manifest: str, options: Sequence[str], output: str
) -> Recipe:
    apart = output.endswith(".mpd") or any("agroup" in each for each in options)
    return Recipe(
        name,
        codecs,
        manifest,
        lambda file: playing(file, *options, output),
        playlists=2 if apart else 1,
    )


def _hls(name: str, *options: str, codecs: Codecs = H264, manifest: str = "live.m3u8") -> Recipe:
    output = "live_%v.m3u8" if "-var_stream_map" in options else "live.m3u8"
    muxer = ["-f", "hls", "-hls_time", str(SEGMENT_SEC), "-hls_list_size", "10"]
    return _ffmpeg(f"hls: {name}", codecs, manifest, [*muxer, *options], output)


def _fmp4(name: str, *options: str, codecs: Codecs = H264, **other: str) -> Recipe:
    return _hls(f"fMP4, {name}", "-hls_segment_type", "fmp4", *options, codecs=codecs, **other)


def _dash(name: str, *options: str, codecs: Codecs = H264, manifest: str = "live.mpd") -> Recipe:
    muxer = ["-f", "dash", "-seg_duration", str(SEGMENT_SEC), "-window_size", "10"]
    return _ffmpeg(f"dash: {name}", codecs, manifest, [*muxer, *options], "live.mpd")


def _hasty(recipe: Recipe) -> Recipe:
    note = "ffmpeg writes 3 segments at once when sound stops, and deletes 3: one may be missed"
    return replace(recipe, may_miss=1, note=note)


def _radio(recipe: Recipe) -> Recipe:
    return replace(recipe, tracks=frozenset({"audio"}))


def _without_sound(recipe: Recipe) -> Recipe:
    return replace(recipe, tracks=frozenset({"video"}), playlists=1)


RECIPES: tuple[Recipe, ...] = (
    _hls("plain"),
    _hasty(
        _hls("window of 3, deleted at once", "-hls_list_size", "3", "-hls_flags", "delete_segments")
    ),
    _radio(_hls("radio", "-vn")),
    _radio(_hls("fMP4, radio", "-vn", "-hls_segment_type", "fmp4")),
    _without_sound(_hls("no sound", "-an")),
    _without_sound(_dash("no sound", "-an")),
    _hls("EVENT", "-hls_playlist_type", "event"),
    _hls("program date time", "-hls_flags", "program_date_time"),
    _hls("independent segments", "-hls_flags", "independent_segments"),
    _hls("segments of 1 s", "-hls_time", "1"),
    _hls("segments of 6 s", "-hls_time", "6"),
    _hls("short first segments", "-hls_init_time", "1", "-hls_time", "4"),
    _hls("split by time", "-hls_flags", "split_by_time", "-hls_time", "1.3"),
    _hls("discontinuity at the start", "-hls_flags", "discont_start"),
    _hls("rounded durations", "-hls_flags", "round_durations"),
    _hls("one file with byte ranges", "-hls_flags", "single_file"),
    _hls("files that grow", "-hls_flags", "-temp_file"),
    _hls("AES-128", "-hls_enc", "1", "-hls_enc_key_url", "live.m3u8.key"),
    _hls("names by the clock", *CLOCK_NAMES),
    _hls("numbers by the clock", "-hls_start_number_source", "epoch_us"),
    _hls("timestamps that wrap", "-output_ts_offset", "95415"),
    _hls("a late start of timestamps", "-output_ts_offset", "3600"),
    _hls("B-frames", codecs=B_FRAMES),
    _hls("open GOP", codecs=OPEN_GOP),
    _hls("29.97 fps, 44.1 kHz", codecs=HIGH_RATE),
    _hls("MP3", codecs=MP3),
    _hls("AC-3", codecs=AC3),
    _hls("E-AC-3", codecs=EAC3),
    _hls("HEVC in TS", codecs=HEVC),
    _hls(
        "sound apart",
        *("-var_stream_map", "a:0,agroup:snd,default:yes v:0,agroup:snd"),
        *("-master_pl_name", "master.m3u8"),
        manifest="master.m3u8",
    ),
    _hls(
        "two renditions",
        *TWO_RENDITIONS,
        *("-var_stream_map", "v:0,a:0 v:1,a:1", "-master_pl_name", "master.m3u8"),
        manifest="master.m3u8",
    ),
    _fmp4("plain"),
    _fmp4("one file with byte ranges", "-hls_flags", "single_file"),
    _fmp4("program date time", "-hls_flags", "program_date_time"),
    _fmp4("B-frames", codecs=B_FRAMES),
    _fmp4("HEVC", "-tag:v", "hvc1", codecs=HEVC),
    _fmp4("AV1", codecs=AV1),
    _fmp4("VP9 and Opus", codecs=VP9),
    _fmp4("Opus", codecs=OPUS),
    _fmp4(
        "sound apart",
        *("-var_stream_map", "a:0,agroup:snd,default:yes v:0,agroup:snd"),
        *("-master_pl_name", "master.m3u8", "-hls_fmp4_init_filename", "init_%v.mp4"),
        manifest="master.m3u8",
    ),
    _dash("timeline"),
    _dash("by the clock", "-use_timeline", "0"),
    _dash("segment list", "-use_template", "0", "-use_timeline", "0"),
    _dash("one file with byte ranges", "-single_file", "1"),
    _dash("low latency", "-streaming", "1", "-ldash", "1", "-use_timeline", "0"),
    _dash("fragments of every frame", "-frag_type", "every_frame"),
    _dash("segments of 1 s", "-seg_duration", "1"),
    _hasty(_dash("window of 3, deleted at once", "-window_size", "3", "-extra_window_size", "0")),
    _dash("29.97 fps, 44.1 kHz", codecs=HIGH_RATE),
    _dash("HEVC", codecs=HEVC),
    _dash("VP9 and Opus in WebM", "-dash_segment_type", "webm", codecs=VP9),
    _dash("two renditions", *TWO_RENDITIONS),
    _dash("its HLS playlists", "-hls_playlist", "1", manifest="master.m3u8"),
)
