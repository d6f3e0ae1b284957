"""The unmodified yt-dlp as a library. Runs in a process of its own, see `resolvers`."""

from typing import Any

import yt_dlp  # type: ignore[import-untyped, unused-ignore]

from tests.simulator.youtube.looked import Looked


class _Messages:
    """A logger as yt-dlp wants one."""

    def __init__(self, messages: list[str]) -> None:
        self.warning = self.error = messages.append

    def debug(self, message: str) -> None:
        """Drop it: progress comes here too."""


def extract(options: dict[str, Any], url: str) -> Looked:
    """Look at a page."""
    looked = Looked()
    with yt_dlp.YoutubeDL({**options, "logger": _Messages(looked.messages)}) as resolver:
        try:
            looked.info = _portable(resolver.extract_info(url, download=False, process=False))
        except yt_dlp.utils.DownloadError as error:
            looked.raised = str(error)
            looked.countries = getattr(error.exc_info[1], "countries", None)
    return looked


def _portable(info: dict[str, Any]) -> dict[str, Any]:
    """Keep what is plain data: the rest cannot leave the process."""
    kept = ("id", "title", "live_status", "media_type", "release_timestamp")
    formats = [
        {name: each.get(name) for name in ("format_id", "url", "protocol", "vcodec", "acodec")}
        for each in info.get("formats") or ()
    ]
    return {**{name: info.get(name) for name in kept}, "formats": formats}
