"""Where the media of YouTube's videos was found, in memory and on a disk.

Each request to the site counts (`media.sources.youtube.request_budget`): without URLs on a disk,
the fiftieth stream of a worker is watched again ten minutes after a restart.

The URLs are secrets: until they expire, after six hours at most, they give access to the media of
one stream from the same address. So they are kept on a disk only in a private folder that the
operator names, and no longer than they work.
"""

import os
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from media.sources.source import MediaUrls, Observation, SourceState

MAX_VIDEOS = 1000
SHORT_LIFE_SEC = 5.0  # media that is lost again so soon was never good: the next poll waits longer
LOST_AGAIN_SEC = (0.0, 4.0, 8.0, 16.0, 32.0, 60.0)  # after each find in a row that was no good
_MEDIA_URLS = TypeAdapter(MediaUrls)
_SUFFIX = ".json"


class FolderNotPrivate(ValueError):
    """The folder is not this user's alone; the message says why."""


class UrlStore:
    """The URLs of each video in a file of its own (mode 0600), in a folder (mode 0700).

    Workers of one address may share the folder: a file is replaced as a whole.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
        if status.st_uid != os.geteuid() or status.st_mode & 0o077:
            raise FolderNotPrivate(
                f"{folder} must belong to this user and be closed to others (0700)"
            )
        self._folder = folder

    def read(self, video_id: str, now: datetime) -> MediaUrls | None:
        """Return what was kept, unless it has expired or cannot be read."""
        try:
            kept = _MEDIA_URLS.validate_json((self._folder / f"{video_id}{_SUFFIX}").read_bytes())
        except (OSError, ValidationError):
            return None
        return kept if kept.expires_at and kept.expires_at > now else None

    def write(self, video_id: str, media: MediaUrls, now: datetime) -> None:
        """Keep URLs that say when they expire, and remove those that have.

        A disk that is full costs a poll after the next restart, nothing more.
        """
        try:
            self._remove_expired(now)
            if media.expires_at:
                self._replace(video_id, _MEDIA_URLS.dump_json(media))
        except OSError:
            return

    def _replace(self, video_id: str, content: bytes) -> None:
        draft = self._folder / f"{video_id}.{os.getpid()}.draft"
        draft.unlink(missing_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        draft.replace(self._folder / f"{video_id}{_SUFFIX}")

    def _remove_expired(self, now: datetime) -> None:
        for path in self._folder.glob(f"*{_SUFFIX}"):
            if self.read(path.stem, now) is None:
                path.unlink(missing_ok=True)


@dataclass(frozen=True)
class _Entry:
    """An observation, when it was made, and how many short-lived ones came before it in a row."""

    seen: Observation
    at: datetime
    short_lived: int = 0

    @property
    def retry_after_sec(self) -> float:
        return LOST_AGAIN_SEC[min(self.short_lived, len(LOST_AGAIN_SEC) - 1)]


class MediaCache:
    """Where the media of each video was found; of one worker, whose address the URLs need."""

    def __init__(self, store: UrlStore | None = None) -> None:
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._store = store

    def recall(self, video_id: str, now: datetime) -> Observation | None:
        """What was found, unless it has expired."""
        entry = self._entries.get(video_id) or self._load(video_id, now)
        if entry is None or entry.seen.media is None:
            return None
        expires_at = entry.seen.media.expires_at
        return None if expires_at and expires_at <= now else entry.seen

    def refused(self, video_id: str, seen: Observation, now: datetime) -> Observation:
        """Return `seen`, whose media could not be loaded, with the wait before the next poll."""
        # What was found before is kept: it may work on.
        before = self._entries.get(video_id) or _Entry(seen, now)
        entry = replace(before, at=now, short_lived=max(1, _short_lived(before, now)))
        self._put(video_id, entry)
        return replace(seen, retry_after_sec=entry.retry_after_sec)

    def remember(self, video_id: str, seen: Observation, now: datetime) -> Observation:
        """Keep `seen`, and return it with the wait before the next poll, should its media be lost.

        So polls do not chase each other where a video is live and its media refused.
        """
        entry = _Entry(seen, now, _short_lived(self._entries.get(video_id), now))
        entry = replace(entry, seen=replace(seen, retry_after_sec=entry.retry_after_sec))
        self._put(video_id, entry)
        if self._store and seen.media and seen.state is SourceState.LIVE:
            self._store.write(video_id, seen.media, now)
        return entry.seen

    def _load(self, video_id: str, now: datetime) -> _Entry | None:
        media = self._store.read(video_id, now) if self._store else None
        if media is None:
            return None
        return self._put(video_id, _Entry(Observation(state=SourceState.LIVE, media=media), now))

    def _put(self, video_id: str, entry: _Entry) -> _Entry:
        self._entries[video_id] = entry
        self._entries.move_to_end(video_id)
        while len(self._entries) > MAX_VIDEOS:
            self._entries.popitem(last=False)
        return entry


def _short_lived(before: _Entry | None, now: datetime) -> int:
    if before is None:
        return 0
    lived_sec = (now - before.at).total_seconds() - before.retry_after_sec
    return before.short_lived + 1 if lived_sec < SHORT_LIFE_SEC else 0
