"""YouTube, simulated over real HTTPS, for unmodified yt-dlp and streamlink.

A proxy on 127.0.0.1 answers CONNECT for the site's hosts with a certificate of its own authority
and plays the site; every other host is refused and listed in `site.refused`.

    async with SimulatedYouTube() as site:
        video = site.video("aaaaaaaaaaa")
        video.url_life_sec = 20
        video.upcoming(in_sec=5)
        video.script(
            (5, lambda v: v.go_live([("normal", 6), ("black", 6)])),
            (20, Video.stall),
            (30, Video.new_broadcast),
            (40, lambda v: v.end(media=MediaEnd.GONE)),
        )
        client = media_client(guard, proxy=site.proxy_url, ca_bundle=site.ca_path)
        ...
        site.faults.add(RATE_LIMITED)
        video.say(VideoState.BOT_CHECK, client="VISIONOS")
        await site.requests.until(lambda log: len(log.of(RequestKind.SEGMENT)) > 10)
        assert site.requests.extractions() == 1

yt-dlp: `{"proxy": site.proxy_url, "nocheckcertificate": True}`, or `SSL_CERT_FILE` with
`compat_opts={"no-certifi"}`. streamlink: `http-proxy`, `http-ssl-verify` off (or a CA bundle),
`http-trust-env` off. Child processes: `site.environment()`.

The site lives by its clock: `SimulatedYouTube(WallClock(speed=60))` publishes a minute of stream a
second, with `ManualClock` time stands still between `advance` calls. Schedules, `expire` and
EXT-X-PROGRAM-DATE-TIME are of that clock too: who compares them with the time must share it.

Not played: DASH, recordings (their URLs answer 404), cookies and logins, PO tokens, consent pages,
and signatures: a media URL is as good as its `expire`, and for a master its `n`.
"""

from simulator.youtube.exchange import NoReply
from simulator.youtube.faults import (
    MASTER_FORBIDDEN,
    PLAYER_RATE_LIMITED,
    PLAYLISTS_FORBIDDEN,
    RATE_LIMITED,
    SEGMENTS_FORBIDDEN,
    SILENT,
    UNREACHABLE,
    SiteFault,
)
from simulator.youtube.playability import VideoState
from simulator.youtube.recording import RecordedRequest, RequestKind, RequestLog
from simulator.youtube.renditions import Layout
from simulator.youtube.site import SimulatedYouTube
from simulator.youtube.video import MediaEnd, Video

__all__ = [
    "MASTER_FORBIDDEN",
    "PLAYER_RATE_LIMITED",
    "PLAYLISTS_FORBIDDEN",
    "RATE_LIMITED",
    "SEGMENTS_FORBIDDEN",
    "SILENT",
    "UNREACHABLE",
    "Layout",
    "MediaEnd",
    "NoReply",
    "RecordedRequest",
    "RequestKind",
    "RequestLog",
    "SimulatedYouTube",
    "SiteFault",
    "Video",
    "VideoState",
]
