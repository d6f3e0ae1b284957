"""The site: hosts, pages, and who answers what."""

import re
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Self

from simulator.origin.clock import Clock, WallClock
from simulator.youtube import pages
from simulator.youtube.challenge import PLAYER_SCRIPT
from simulator.youtube.exchange import (
    NoReply,
    Reply,
    Request,
    error,
    html,
    json_reply,
    redirect,
    script,
)
from simulator.youtube.faults import SiteFaults
from simulator.youtube.media import MediaHosts
from simulator.youtube.playability import VideoState
from simulator.youtube.proxy import InterceptingProxy, make_certificates
from simulator.youtube.recording import RecordedRequest, RequestKind, RequestLog
from simulator.youtube.signed_urls import MediaRequest, parse_media_path
from simulator.youtube.video import Video

_PAGES = (
    (RequestKind.WATCH, re.compile(r"/watch|/live/(?P<id>[\w-]{11})")),
    (RequestKind.EMBED, re.compile(r"/embed/(?P<id>[\w-]{11})")),
    (RequestKind.PLAYER, re.compile(r"/youtubei/v1/player")),
    (RequestKind.NEXT, re.compile(r"/youtubei/v1/next")),
    (RequestKind.IFRAME_API, re.compile(r"/iframe_api")),
    (RequestKind.PLAYER_JS, re.compile(r"/s/player/.+\.js")),
)


class SimulatedYouTube:
    """The stand-in; an async context manager that runs in the caller's event loop.

    Clients in the same process must not block that loop: run yt-dlp and streamlink in a thread
    (`asyncio.to_thread`) or a process.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or WallClock()
        self.requests = RequestLog()
        self.faults = SiteFaults()  # whatever the videos' states
        self._egress_state: VideoState | None = None
        self._videos: dict[str, Video] = {}
        self._media = MediaHosts()
        self._folder = Path()
        self._proxy: InterceptingProxy | None = None

    async def __aenter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="youtube-site-"))
        try:
            tls = make_certificates(self.ca_path)
            self._proxy = await InterceptingProxy(tls, self._answer).__aenter__()
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        try:
            await self._running.__aexit__(*error)
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def proxy_url(self) -> str:
        """Proxy for all clients of the site: `http://127.0.0.1:PORT`."""
        return self._running.url

    @property
    def ca_path(self) -> Path:
        """PEM file with the certificate authority to trust."""
        return self._folder / "ca.pem"

    @property
    def refused(self) -> list[str]:
        """Targets that are no part of the site, of requests that were refused."""
        return self._running.refused

    def environment(self) -> dict[str, str]:
        """Return the variables that lead a child process here (yt-dlp also needs `no-certifi`)."""
        return {
            "HTTP_PROXY": self.proxy_url,
            "HTTPS_PROXY": self.proxy_url,
            "SSL_CERT_FILE": str(self.ca_path),
            "REQUESTS_CA_BUNDLE": str(self.ca_path),
            "NO_PROXY": "",
        }

    def video(self, video_id: str, *, title: str = "A live stream") -> Video:
        """Return a video, made at the first call; until it is told to be more, unavailable."""
        if video_id not in self._videos:
            self._videos[video_id] = Video(video_id, self.clock, title=title)
        return self._videos[video_id]

    def say(self, state: VideoState | None) -> None:
        """Tell the same of every video, as to an egress IP that is distrusted; None ends it."""
        self._egress_state = state

    @property
    def _running(self) -> InterceptingProxy:
        if self._proxy is None:
            raise RuntimeError("the site does not run: use it with `async with`")
        return self._proxy

    async def _answer(self, request: Request) -> Reply | NoReply:
        seen = self._recognise(request)
        reply = self.faults.strike(seen) or await self._well(request, seen)
        status = reply.status if isinstance(reply, Reply) else 0
        self.requests.add(replace(seen, status=status))
        return reply

    def _recognise(self, request: Request) -> RecordedRequest:
        now = self.clock.now()
        seen = RecordedRequest(now, request.host, RequestKind.OTHER, request.method, request.path)
        if request.host.endswith("googlevideo.com"):
            asked = parse_media_path(request.path)
            return _of_media(seen, asked) if asked else seen
        if request.host == "youtu.be":
            return replace(seen, kind=RequestKind.SHORT_LINK, video_id=request.path.strip("/"))
        for kind, pattern in _PAGES:
            if found := pattern.fullmatch(request.path):
                return _of_page(replace(seen, kind=kind), request, found)
        return seen

    async def _well(self, request: Request, seen: RecordedRequest) -> Reply:
        video = self.video(seen.video_id) if seen.video_id else None
        if video is None:
            return _general(seen)
        video.advance()
        if asked := parse_media_path(request.path):
            return await self._media.answer(asked, video)
        look = video.look(seen.client or "WEB")
        return _of_video(seen, replace(look, state=self._egress_state or look.state))


def _of_media(seen: RecordedRequest, asked: MediaRequest) -> RecordedRequest:
    return replace(
        seen,
        kind=asked.kind,
        video_id=asked.video_id,
        broadcast=asked.broadcast,
        itag=asked.itag,
        sequence=asked.sequence,
    )


def _of_page(seen: RecordedRequest, request: Request, found: re.Match[str]) -> RecordedRequest:
    query = request.json()
    named = found.groupdict().get("id") or request.query.get("v") or query.get("videoId")
    client = query.get("context", {}).get("client", {}).get("clientName")
    return replace(seen, video_id=named, client=client)


def _of_video(seen: RecordedRequest, look: pages.Look) -> Reply:
    match seen.kind:
        case RequestKind.WATCH:
            return html(pages.watch_page(look))
        case RequestKind.PLAYER:
            return json_reply(pages.player_response(look))
        case RequestKind.NEXT:
            return json_reply(pages.page_data(look.video_id))
        case RequestKind.EMBED:
            return html(pages.settings_page())
        case RequestKind.SHORT_LINK:
            return redirect(f"https://www.youtube.com/watch?v={look.video_id}")
    return error(404)


def _general(seen: RecordedRequest) -> Reply:
    """Return the answers that are not about a video."""
    if seen.kind is RequestKind.PLAYER_JS:
        return script(PLAYER_SCRIPT)
    if seen.kind is RequestKind.IFRAME_API:
        return script(pages.iframe_script())
    if seen.kind is RequestKind.OTHER and seen.path in ("/", "/tv"):
        return html(pages.settings_page())
    return error(404)
