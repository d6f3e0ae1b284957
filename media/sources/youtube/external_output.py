"""What the executables of yt-dlp and streamlink print. Pure."""

import json
import re

from media.sources.youtube.helper_protocol import ResolveRequest
from media.sources.youtube.resolution import Resolution, read_info

_LINE = re.compile(r"(WARNING|ERROR): (\[youtube\] (?:[\w-]{11}: )?)?(.*)")
_ANSWERED = re.compile(r"\b(?:Client|Server) Error\b")


def read_ytdlp(question: ResolveRequest, stdout: bytes, stderr: bytes) -> Resolution:
    """Read what `yt-dlp --dump-single-json` printed.

    Where there are no formats, its last warning on the video is the site's reason: the extractor
    gives it after those on single clients.

    Raises:
        ValueError: it printed neither JSON nor an error.
    """
    lines = [found.groups() for found in map(_LINE.match, _lines(stderr)) if found]
    errors = [text for kind, _, text in lines if kind == "ERROR"]
    on_video = [text for kind, ours, text in lines if kind == "WARNING" and ours]
    info = json.loads(stdout) if stdout.strip() else None
    if info is None and not errors:
        raise ValueError("yt-dlp printed nothing")
    told = read_info(info) if isinstance(info, dict) else {}
    return Resolution(
        resolver=question.resolver,
        depth=question.depth,
        reasons=tuple(errors or ([] if told.get("formats") else on_video[-1:])),
        warnings=tuple(text for kind, _, text in lines if kind == "WARNING"),
        exception="ExtractorError" if errors else None,
        **told,
    )


def read_streamlink(question: ResolveRequest, stdout: bytes) -> Resolution:
    """Read what `streamlink --json` printed.

    In that mode it logs nothing, so why a video cannot be played stays untold: only media, which
    it names by a master playlist for live streams alone, and trouble with requests can be read.

    Raises:
        ValueError: it printed no JSON object.
    """
    told = json.loads(stdout)
    if not isinstance(told, dict):
        raise ValueError("streamlink printed no object")
    streams = (told.get("streams") or {}).values()
    masters = [stream["master"] for stream in streams if stream.get("master")]
    error = str(told.get("error") or "")
    is_unanswered = error.startswith("Unable to open URL") and not _ANSWERED.search(error)
    return Resolution(
        resolver=question.resolver,
        depth=question.depth,
        live_status="is_live" if masters else None,
        title=(told.get("metadata") or {}).get("title"),
        reasons=(error,) if _ANSWERED.search(error) else (),
        exception="PluginError" if error else None,
        requests=int(is_unanswered),
        unanswered=int(is_unanswered),
        master_url=masters[0] if masters else None,
    )


def _lines(output: bytes) -> list[str]:
    return output.decode(errors="replace").splitlines()
