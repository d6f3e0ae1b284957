"""Just enough of a playlist reader to check what the origin writes, on its own two feet."""

import re
from dataclasses import dataclass, field
from urllib.parse import urljoin

import httpx


@dataclass
class Listed:
    """One segment as a playlist lists it."""

    sequence: int
    url: str
    duration_sec: float
    date_time: str | None
    discontinuity: bool
    byte_range: str | None


@dataclass
class Loose:
    """A playlist: its tags with one value each, its segments, its other lines."""

    tags: dict[str, str] = field(default_factory=dict)
    segments: list[Listed] = field(default_factory=list)

    @property
    def sequences(self) -> list[int]:
        return [segment.sequence for segment in self.segments]

    @property
    def is_ended(self) -> bool:
        return "#EXT-X-ENDLIST" in self.tags


def read(text: str, base_url: str) -> Loose:
    lines = text.splitlines()
    assert lines[0] == "#EXTM3U"
    loose = Loose()
    pending: dict[str, str] = {}
    for line in lines[1:]:
        if not line.startswith("#"):
            loose.segments.append(_listed(line, pending, loose, base_url))
            pending = {}
            continue
        name, _, value = line.partition(":")
        loose.tags[name] = value
        pending[name] = value
    return loose


def _listed(uri: str, pending: dict[str, str], loose: Loose, base_url: str) -> Listed:
    first = int(loose.tags.get("#EXT-X-MEDIA-SEQUENCE", "0"))
    return Listed(
        sequence=first + len(loose.segments),
        url=urljoin(base_url, uri),
        duration_sec=float(pending.get("#EXTINF", "0").rstrip(",")),
        date_time=pending.get("#EXT-X-PROGRAM-DATE-TIME"),
        discontinuity="#EXT-X-DISCONTINUITY" in pending,
        byte_range=pending.get("#EXT-X-BYTERANGE"),
    )


async def fetch(client: httpx.AsyncClient, url: str) -> Loose:
    answer = await client.get(url)
    answer.raise_for_status()
    return read(answer.text, url)


def attribute(text: str, name: str) -> list[str]:
    """Return the values of an attribute, quoted or not, wherever it stands."""
    return [
        quoted or plain
        for quoted, plain in re.findall(rf'[:,]{name}=(?:"([^"]*)"|([^",\n]*))', text)
    ]
