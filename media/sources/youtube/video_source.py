"""A YouTube video as a source of a stream."""

from media.sources.source import Observation
from media.sources.youtube.resolver_options import Depth
from media.sources.youtube.site import YouTubeSite


class YouTubeSource:
    """One video; see `media.sources.source.Source`.

    Args:
        video_id: its 11 letters.
        site: shared by all sources of the worker.
    """

    def __init__(self, video_id: str, site: YouTubeSite) -> None:
        self._video_id = video_id
        self._site = site

    async def observe(self) -> Observation:
        """Look once, and find its media when it is live. Never raises for what the site does."""
        return await self._site.observe(self._video_id, Depth.MEDIA)

    async def observe_status(self, *, priority: bool = False) -> Observation:
        """Look once, in one request where the site lets it: `LIVE` comes without media.

        For waiting, and for "is it still live?". Never raises for what the site does.
        """
        return await self._site.observe(self._video_id, Depth.STATUS, patient=not priority)
