"""Signed media URLs on a disk, so that a restarted worker goes on without asking the site.

Each request to the site counts (`media.sources.youtube.egress`): without these, the fiftieth stream
of a worker is watched again ten minutes after a restart.

The URLs are secrets of a kind: until they expire, at most six hours, they give whoever leaves by
the same address the media of one stream. So they are kept only where the operator names a folder
for them, which nobody else may enter, and no longer than they work.
"""

import os
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from media.sources.source import MediaUrls

_MEDIA_URLS = TypeAdapter(MediaUrls)
_SUFFIX = ".json"


class FolderNotPrivate(ValueError):
    """The folder is not this user's alone; the message says why."""


class UrlStore:
    """The URLs of each video in a file of its own (mode 0600), in a folder (mode 0700).

    Workers of one address may share the folder: a file is replaced as a whole.

    Raises:
        OSError: the folder cannot be made.
        FolderNotPrivate: others may enter it.
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

        A disk that is full costs a look after the next restart, nothing more.
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
