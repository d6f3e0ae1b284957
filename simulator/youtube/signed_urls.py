"""The URLs of live media: names and values alternate in the path, as on googlevideo.com."""

from dataclasses import dataclass
from urllib.parse import quote, unquote

from simulator.youtube.recording import RequestKind

MANIFEST_HOST = "manifest.googlevideo.com"
SEGMENT_HOST = "rr1---sn-stand1n.googlevideo.com"

_PREFIXES = {
    RequestKind.MASTER: "/api/manifest/hls_variant/",
    RequestKind.PLAYLIST: "/api/manifest/hls_playlist/",
    RequestKind.SEGMENT: "/videoplayback/",
}
_SUFFIXES = {
    RequestKind.MASTER: "/file/index.m3u8",
    RequestKind.PLAYLIST: "/playlist/index.m3u8",
    RequestKind.SEGMENT: "/file/seg.ts",
}


@dataclass(frozen=True, kw_only=True)
class MediaRequest:
    """What a media URL asks for."""

    kind: RequestKind  # master, media playlist or segment
    video_id: str
    broadcast: int  # the N of `ID.N`
    expires_at: int  # unix seconds, whole
    itag: int | None = None
    sequence: int | None = None
    window_sec: int | None = None  # `playlist_duration`, how much a media playlist lists
    challenge: str | None = None  # `n`, the JavaScript challenge or its answer

    def url(self) -> str:
        """Return the signed URL; here nothing but its shape says so."""
        values = {
            "expire": self.expires_at,
            "ei": "c3RhbmQtaW4",
            "ip": "127.0.0.1",
            "id": f"{self.video_id}.{self.broadcast}",
            "itag": self.itag,
            "source": "yt_live_broadcast",
            "requiressl": "yes",
            "playlist_duration": self.window_sec,
            "playlist_type": "DVR" if self.kind is not RequestKind.SEGMENT else None,
            "sq": self.sequence,
            "n": self.challenge,
            "sparams": "expire,ei,ip,id,itag,source,requiressl",
            "sig": "AJfQdSswRAIgVGhpcyBpcyBubyBzaWduYXR1cmU",
        }
        path = "/".join(
            f"{name}/{quote(str(value), '')}" for name, value in values.items() if value is not None
        )
        host = SEGMENT_HOST if self.kind is RequestKind.SEGMENT else MANIFEST_HOST
        return f"https://{host}{_PREFIXES[self.kind]}{path}{_SUFFIXES[self.kind]}"


def parse_media_path(path: str) -> MediaRequest | None:
    """Read the path of a media URL; None when it is none. Unknown names are ignored."""
    for kind, prefix in _PREFIXES.items():
        if path.startswith(prefix):
            words = path.removeprefix(prefix).split("/")
            return _read(kind, dict(zip(words[::2], map(unquote, words[1::2]), strict=False)))
    return None


def _read(kind: RequestKind, values: dict[str, str]) -> MediaRequest | None:
    video_id, _, broadcast = values.get("id", "").rpartition(".")
    try:
        return MediaRequest(
            kind=kind,
            video_id=video_id,
            broadcast=int(broadcast),
            expires_at=int(values["expire"]),
            itag=_number(values, "itag"),
            sequence=_number(values, "sq"),
            window_sec=_number(values, "playlist_duration"),
            challenge=values.get("n"),
        )
    except (KeyError, ValueError):
        return None


def _number(values: dict[str, str], name: str) -> int | None:
    return int(values[name]) if name in values else None
