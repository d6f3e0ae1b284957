"""The files of one live channel: which path is what, and what is in it."""

import re
from collections.abc import Mapping
from dataclasses import replace

from simulator.origin.faults import Resource, Target
from simulator.origin.manifest import dash_manifest
from simulator.origin.publication import ChannelOptions, Published
from simulator.origin.rendition import (
    KEY,
    KEY_NAME,
    KEY_TYPE,
    Rendition,
    encrypted,
    master_playlist,
)
from simulator.origin.reply import Reply, error_reply, manifest_reply, playlist_reply
from simulator.origin.timeline import Timeline

AUDIO_LABEL = "audio"
MANIFEST_NAME = "manifest.mpd"
_MEDIA_PATH = re.compile(r"(v\d+|audio)/(.+)")
_SEGMENT_NAME = re.compile(r"g(\d+)-(\d+)\.(?:ts|m4s)")


class ChannelFiles:
    """Answers paths below a channel from the renditions (by label) and the schedule."""

    def __init__(
        self, renditions: Mapping[str, Rendition], timeline: Timeline, options: ChannelOptions
    ) -> None:
        self._renditions = renditions
        self._timeline = timeline
        self._options = options

    def resource(self, path: str, first_byte: int | None, now: float) -> Resource:
        """Return what a path means; `first_byte` of a range tells segments of one file apart."""
        label, name = _label_and_name(path)
        entry = self._entry(label, name, first_byte)
        if entry:
            end_sec = entry.stream_sec + entry.duration_sec
            return Resource(Target.SEGMENT, label, entry.sequence, entry.stream_sec, end_sec)
        newest = self._timeline.window(1, now)
        position = self._timeline.position(now)
        sequence = newest[0].sequence if newest else None
        return Resource(_target(name), label, sequence, position, position)

    def _entry(self, label: str, name: str, first_byte: int | None) -> Published | None:
        served = self._options.window_segments + self._options.kept_segments
        if found := _SEGMENT_NAME.fullmatch(name):
            return self._timeline.find(int(found[2]), int(found[1]), newest=served)
        rendition = self._renditions.get(label)
        if rendition and name == rendition.file_name and first_byte is not None:
            index = rendition.index_at(first_byte)
            newest = self._timeline.entries[-served:]
            return next((each for each in reversed(newest) if each.index == index), None)
        return None

    def reply(self, path: str, resource: Resource, now: float) -> Reply:
        """Return the answer to a path; playlists as they were at `now`."""
        if path == "master.m3u8":
            return playlist_reply(self._master())
        if path == MANIFEST_NAME:
            return manifest_reply(self._manifest(now))
        label, name = _label_and_name(path)
        rendition = self._renditions.get(label)
        if rendition is None:
            return error_reply(404)
        if name == "index.m3u8":
            prefix = "" if "/" in path else f"{label}/"
            return playlist_reply(self._media(rendition, prefix, now))
        if name == KEY_NAME:
            return Reply(200, KEY, KEY_TYPE)
        entry = self._entry(label, name, None) if resource.target is Target.SEGMENT else None
        reply = rendition.file(name, entry)
        if entry and self._options.encrypted:
            return replace(reply, body=encrypted(reply.body, entry.sequence))
        return reply

    def _media(self, rendition: Rendition, prefix: str, now: float) -> str:
        return rendition.playlist(
            self._timeline.window(self._options.window_segments, now),
            prefix=prefix,
            program_date_time=self._options.program_date_time,
            encrypted=self._options.encrypted,
            ended=self._timeline.is_ended(now),
        )

    def _manifest(self, now: float) -> str:
        return dash_manifest(
            self._timeline.window(self._options.window_segments, now),
            list(self._renditions.values()),
            now=now,
            by_clock=self._options.by_clock,
            ended=self._timeline.is_ended(now),
        )

    def _master(self) -> str:
        labelled = self._renditions.items()
        variants = [rendition for label, rendition in labelled if label != AUDIO_LABEL]
        return master_playlist(variants, self._renditions.get(AUDIO_LABEL))


def _label_and_name(path: str) -> tuple[str, str]:
    found = _MEDIA_PATH.fullmatch(path)
    return (found[1], found[2]) if found else ("v0", path)


def _target(name: str) -> Target:
    if name == "master.m3u8":
        return Target.MASTER
    if name.endswith((".m3u8", ".mpd")):
        return Target.PLAYLIST
    return Target.INIT if name.startswith(("init.", KEY_NAME)) else Target.SEGMENT
