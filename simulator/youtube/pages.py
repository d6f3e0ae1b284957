"""The site's pages and API answers, in the shapes that yt-dlp and streamlink read. Pure."""

import json
from dataclasses import dataclass
from typing import Any

from simulator.origin.clock import as_datetime
from simulator.youtube.challenge import PLAYER_ID, PLAYER_PATH, SIGNATURE_TIMESTAMP
from simulator.youtube.playability import (
    SUBSTITUTE_ID,
    WEB_CLIENTS,
    VideoState,
    Wording,
    playability_status,
    wording,
)

CHANNEL = "Stand-in Channel"
CHANNEL_ID = "UCstandin0123456789abcde"
ALLOWED_COUNTRIES = ("DE", "FR")
VISITOR = "CgtzdGFuZC1pbg%3D%3D"

_FLAGS: dict[VideoState, dict[str, Any]] = {
    VideoState.UPCOMING: {"isUpcoming": True, "isLiveContent": True},
    VideoState.PREMIERE: {"isUpcoming": True, "isLiveContent": False},
    VideoState.OFFLINE: {"isUpcoming": True, "isLiveContent": True},
    VideoState.POST_LIVE: {"isPostLiveDvr": True, "isLiveContent": True},
    VideoState.POST_LIVE_DVR: {"isPostLiveDvr": True, "isLiveContent": True},
}
_PLAYED_STATES = frozenset({VideoState.LIVE, VideoState.LIVE_BUT_SAID_TO_BE_OVER})
_WITH_MANIFEST = _PLAYED_STATES | {VideoState.POST_LIVE_DVR}
_LIVE_STATES = _PLAYED_STATES | {
    VideoState.NO_FORMATS,
    VideoState.NOT_ON_THIS_APP,
    VideoState.WRONG_VIDEO,
}
_SCHEDULED_STATES = frozenset({VideoState.UPCOMING, VideoState.PREMIERE, VideoState.OFFLINE})
_OVER_STATES = frozenset(
    {
        VideoState.POST_LIVE,
        VideoState.POST_LIVE_DVR,
        VideoState.ENDED,
        VideoState.ENDED_WITHOUT_RECORDING,
    }
)


@dataclass(frozen=True, kw_only=True)
class Look:
    """A video as one client sees it at one moment. Times are unix seconds."""

    video_id: str
    title: str
    client: str  # as in `context.client.clientName`
    state: VideoState
    now: float
    is_premiere: bool = False
    starts_at: float | None = None
    ended_at: float | None = None
    manifest_url: str | None = None  # of the live HLS, when this client gets one


def player_response(look: Look) -> dict[str, Any]:
    """Return the answer of the player API, which web pages carry too."""
    starts_in = (look.starts_at if look.starts_at is not None else look.now) - look.now
    told = wording(look.state, starts_in_sec=starts_in)
    response: dict[str, Any] = {
        "responseContext": {"visitorData": VISITOR},
        "playabilityStatus": playability_status(told, client=look.client),
    }
    if told.status == "OK":
        response["streamingData"] = _streaming_data(look)
    if told.has_details:
        response["videoDetails"] = _video_details(look)
        if look.client in WEB_CLIENTS:
            response["microformat"] = {"playerMicroformatRenderer": _microformat(look, told)}
    return response


def _streaming_data(look: Look) -> dict[str, Any]:
    data: dict[str, Any] = {"expiresInSeconds": "21540"}
    if look.state in _WITH_MANIFEST and look.manifest_url:
        data["hlsManifestUrl"] = look.manifest_url
    if look.state is VideoState.ENDED:
        data["formats"] = [_recording(look.video_id)]
    return data


def _recording(video_id: str) -> dict[str, Any]:
    return {
        "itag": 18,
        "url": f"https://rr1---sn-stand1n.googlevideo.com/videoplayback?id={video_id}&itag=18",
        "mimeType": 'video/mp4; codecs="avc1.42001E, mp4a.40.2"',
        "qualityLabel": "360p",
        "quality": "medium",
        "width": 640,
        "height": 360,
        "fps": 30,
    }


def _video_details(look: Look) -> dict[str, Any]:
    live = {"isLive": True, "isLiveContent": not look.is_premiere}
    flags = live if look.state in _LIVE_STATES else _FLAGS.get(look.state, {"isLiveContent": True})
    return {
        "videoId": SUBSTITUTE_ID if look.state is VideoState.WRONG_VIDEO else look.video_id,
        "title": look.title,
        "author": CHANNEL,
        "channelId": CHANNEL_ID,
        "lengthSeconds": "0",
        "shortDescription": "",
        "isPrivate": False,
        "isLiveDvrEnabled": True,
        **flags,
    }


def _microformat(look: Look, told: Wording) -> dict[str, Any]:
    microformat: dict[str, Any] = {
        "title": {"simpleText": look.title},
        "category": "News & Politics",
        "isFamilySafe": look.state is not VideoState.AGE_GATED,
        "externalChannelId": CHANNEL_ID,
    }
    if look.state is VideoState.GEO_BLOCKED:
        microformat["availableCountries"] = list(ALLOWED_COUNTRIES)
    if look.state in _LIVE_STATES | _SCHEDULED_STATES | _OVER_STATES:
        microformat["liveBroadcastDetails"] = _broadcast_details(look)
    return microformat


def _broadcast_details(look: Look) -> dict[str, Any]:
    details: dict[str, Any] = {"isLiveNow": look.state in _LIVE_STATES}
    if look.starts_at is not None:
        details["startTimestamp"] = as_datetime(look.starts_at).isoformat(timespec="seconds")
    if look.ended_at is not None and look.state in _OVER_STATES:
        details["endTimestamp"] = as_datetime(look.ended_at).isoformat(timespec="seconds")
    return details


def watch_page(look: Look) -> str:
    """Return the page of a video: settings, player response, data.

    streamlink finds the player response by the `var` behind it, yt-dlp the settings by `});`.
    """
    return (
        "<!DOCTYPE html><html><head>"
        f'<link rel="canonical" href="https://www.youtube.com/watch?v={look.video_id}">'
        f"<title>YouTube</title><script>{_settings()}</script></head><body>"
        f"<script>var ytInitialPlayerResponse = {_js(player_response(look))};"
        "var meta = document.createElement('meta');</script>"
        f"<script>var ytInitialData = {_js(page_data(look.video_id))};</script>"
        "</body></html>"
    )


def settings_page() -> str:
    """Return a page that carries nothing but the settings (`/embed/ID`, `/tv`, start pages)."""
    return f"<!DOCTYPE html><html><body><script>{_settings()}</script></body></html>"


def page_data(video_id: str) -> dict[str, Any]:
    """Return what is around the player; also the answer of the `next` API."""
    return {
        "contents": {"twoColumnWatchNextResults": {"results": {}}},
        "currentVideoEndpoint": {"watchEndpoint": {"videoId": video_id}},
    }


def iframe_script() -> str:
    """Return the script that names the player's version."""
    return f"var scriptUrl = 'https:\\/\\/www.youtube.com\\/s\\/player\\/{PLAYER_ID}\\/www.js';"


def _settings() -> str:
    client = {"clientName": "WEB", "clientVersion": "2.20260708.00.00", "visitorData": VISITOR}
    settings = {
        "STS": SIGNATURE_TIMESTAMP,
        "VISITOR_DATA": VISITOR,
        "PLAYER_JS_URL": PLAYER_PATH,
        "INNERTUBE_API_KEY": "AIzaStandIn",
        "INNERTUBE_CLIENT_VERSION": client["clientVersion"],
        "INNERTUBE_CONTEXT_CLIENT_NAME": 1,
        "INNERTUBE_CONTEXT": {"client": client},
    }
    return f"ytcfg.set({json.dumps(settings)});"


def _js(value: dict[str, Any]) -> str:
    """Return JSON that may stand in a script element."""
    return json.dumps(value).replace("</", "<\\/")
