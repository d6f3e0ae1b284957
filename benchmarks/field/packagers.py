"""Live sources of packagers other than ffmpeg, as far as they are installed."""

import shlex
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.field.programme import H264
from benchmarks.field.recipes import SEGMENT_SEC, Recipe, playing
from tests.testkit.ports import free_port

NGINX_RTMP = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")
SHAKA = Path("node_modules/shaka-packager/bin/packager-linux-x64")
WINDOW_SEC = 10 * SEGMENT_SEC
LAST_FILES_SEC = 5


def installed() -> list[Recipe]:
    """Return the sources whose packager is there."""
    return [each for packager in _PACKAGERS if packager.is_there() for each in packager.recipes()]


def missing() -> Mapping[str, str]:
    """Return how to install each packager that is not there."""
    return {each.name: each.install for each in _PACKAGERS if not each.is_there()}


class _Nginx:
    name = "nginx-rtmp"
    install = "`apt-get install nginx-light libnginx-mod-rtmp`"

    def is_there(self) -> bool:
        return NGINX_RTMP.exists() and bool(shutil.which("nginx"))

    def recipes(self) -> list[Recipe]:
        return [
            Recipe("nginx-rtmp: hls", H264, "hls/stream.m3u8", self._command, has_end=False),
            Recipe("nginx-rtmp: dash", H264, "dash/stream.mpd", self._command, False, 2),
        ]

    def _command(self, programme: Path) -> list[str]:
        port = free_port()
        publish = playing(programme, "-f", "flv", f"rtmp://127.0.0.1:{port}/live/stream")
        config = _NGINX_CONFIG.format(
            module=NGINX_RTMP, port=port, segment=SEGMENT_SEC, window=WINDOW_SEC
        )
        script = f"mkdir hls dash; sed \"s#FOLDER#$PWD#g\" > nginx.conf <<'END'\n{config}\nEND\n"
        script += 'nginx -p "$PWD" -c "$PWD/nginx.conf" & '
        script += f"sleep 1; {shlex.join(publish)}; sleep {LAST_FILES_SEC}"
        return ["sh", "-c", script]


_NGINX_CONFIG = """
load_module {module};
daemon off; worker_processes 1; user root; pid FOLDER/nginx.pid; error_log FOLDER/error.log;
events {{}}
rtmp {{ server {{ listen 127.0.0.1:{port}; application live {{
  live on;
  hls on; hls_path FOLDER/hls; hls_fragment {segment}s; hls_playlist_length {window}s;
  dash on; dash_path FOLDER/dash; dash_fragment {segment}s; dash_playlist_length {window}s;
}} }} }}
"""


QUEUE = "queue max-size-time=0 max-size-bytes=0 max-size-buffers=0"
"""Sound stops and the demuxer goes on: a queue with a bound blocks it for good."""


class _Gstreamer:
    name = "GStreamer"
    install = (
        "`apt-get install gstreamer1.0-tools gstreamer1.0-plugins-good gstreamer1.0-plugins-bad`"
    )

    def is_there(self) -> bool:
        return bool(shutil.which("gst-launch-1.0"))

    def recipes(self) -> list[Recipe]:
        hls = f"hlssink2 name=mux target-duration={SEGMENT_SEC} playlist-length=10 max-files=20"
        return [
            Recipe("GStreamer: hlssink2", H264, "playlist.m3u8", _pipeline(hls, "video", "audio")),
        ]


def _pipeline(sink: str, video: str, audio: str) -> Callable[[Path], list[str]]:
    def command(programme: Path) -> list[str]:
        launch = f"gst-launch-1.0 -e -q filesrc location={programme} ! qtdemux name=demux"
        for pad, parser, target in (("video", "h264parse", video), ("audio", "aacparse", audio)):
            parsed = f"demux.{pad}_0 ! {QUEUE} ! {parser} ! identity sync=true ! queue"
            launch += f" {parsed} ! mux.{target}"
        return ["sh", "-c", f"exec {launch} {sink}"]

    return command


class _Shaka:
    name = "shaka-packager"
    install = "`npm install --no-save shaka-packager@3.4.2`"

    def is_there(self) -> bool:
        return SHAKA.exists()

    def recipes(self) -> list[Recipe]:
        return [
            Recipe("shaka-packager: hls", H264, "master.m3u8", self._command, False, 2),
            Recipe("shaka-packager: dash", H264, "live.mpd", self._command, False, 2),
        ]

    def _command(self, programme: Path) -> list[str]:
        package = [str(SHAKA.resolve())]
        for track, short in (("video", "v"), ("audio", "a")):
            files = f"init_segment={short}.mp4,segment_template={short}$Number$.m4s"
            lists = f"playlist_name={short}.m3u8"
            group = ",hls_group_id=sound,hls_name=main" if track == "audio" else ""
            package.append(f"in=in.ts,stream={track},{files},{lists}{group}")
        package += ["--hls_master_playlist_output", "master.m3u8", "--mpd_output", "live.mpd"]
        package += ["--hls_playlist_type", "LIVE", "--segment_duration", str(SEGMENT_SEC)]
        package += ["--time_shift_buffer_depth", str(WINDOW_SEC), "--io_block_size", "188"]
        package += ["--preserved_segments_outside_live_window", "10"]
        play = playing(programme, "-f", "mpegts", "in.ts")
        script = f"mkfifo in.ts; {shlex.join(play)} & {shlex.join(package)}"
        return ["sh", "-c", script]


_PACKAGERS = (_Nginx(), _Gstreamer(), _Shaka())
