"""The private folder of the resolvers of one egress, and what they find around them."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

import certifi
from deno import find_deno_bin  # type: ignore[import-untyped]

from media.sources.youtube.resolver_options import YouTubeOptions

PREFIX = "stream-tracker-youtube-locked-"  # of folders' names; a lock shows that the owner lives


class Workspace:
    """A folder that only this user may enter (mode 0700). Close it after use.

    Its owner holds a lock on it, which ends with the owner's process, however that ends. So the
    next owner knows which folders are nobody's, and removes these.
    """

    def __init__(self) -> None:
        remove_abandoned(Path(tempfile.gettempdir()))
        self._folder, self._lock = _owned_folder()
        self.path = Path(self._folder.name)

    def close(self) -> None:
        self._folder.cleanup()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def remove_abandoned(parent: Path) -> None:
    """Remove the folders in `parent` whose owners were killed; leave those of other users."""
    for folder in parent.glob(f"{PREFIX}*"):
        lock = _lock_on(folder)
        if lock is None:
            continue
        try:
            if os.fstat(lock).st_uid == os.geteuid():
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)


def _owned_folder() -> tuple[tempfile.TemporaryDirectory[str], int | None]:
    """Make a folder and lock it: again when another process took it for abandoned meanwhile."""
    while True:
        folder = tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True)
        lock = _lock_on(Path(folder.name))
        if lock is not None and os.path.exists(folder.name):
            return folder, lock
        folder.cleanup()
        if lock is not None:
            os.close(lock)


def _lock_on(folder: Path) -> int | None:
    """Return a descriptor that locks `folder` until it is closed; None when that is not to be."""
    # A link is not followed, and is no folder.
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def trusted_certificates(extra: Path | None, folder: Path) -> str | None:
    """Write the public certificates and `extra` into one file in `folder`."""
    if extra is None:
        return None
    merged = folder / "certificates.pem"
    write_whole(merged, f"{Path(certifi.where()).read_text()}\n{extra.read_text()}")
    return str(merged)


def write_whole(path: Path, text: str) -> None:
    """Write a file that a running resolver may be reading: it sees the old one or the new one."""
    draft = path.with_suffix(".draft")
    draft.write_text(text)
    draft.replace(path)


def read_cookies(options: YouTubeOptions) -> str | None:
    """The file itself never reaches yt-dlp, which would write to it."""
    return options.cookies_file.read_text() if options.cookies_file else None


def javascript_path() -> str | None:
    """The binary of the `deno` package; None when it is not there."""
    with contextlib.suppress(FileNotFoundError):
        return str(find_deno_bin())
    return None


def private_environment(folder: str, ca_file: str | None) -> dict[str, str]:
    """Nothing of the worker's."""
    # The folders keep yt-dlp, streamlink and deno away from the user's configuration and caches.
    trusted = {"SSL_CERT_FILE": ca_file, "REQUESTS_CA_BUNDLE": ca_file} if ca_file else {}
    return {
        "PATH": os.defpath,
        "LC_ALL": "C.UTF-8",
        "HOME": folder,
        "TMPDIR": folder,
        "XDG_CACHE_HOME": folder,
        "XDG_CONFIG_HOME": folder,
        "DENO_DIR": f"{folder}/deno",
        "DENO_NO_UPDATE_CHECK": "1",
        **trusted,
    }
