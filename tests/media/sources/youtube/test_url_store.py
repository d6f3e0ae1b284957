"""Signed URLs that outlive a worker, and for whom they do."""

import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from media.sources.source import MediaUrls
from media.sources.youtube.media_cache import FolderNotPrivate, MediaCache, UrlStore
from simulator.youtube import Layout, RequestKind, SimulatedYouTube, SiteFault
from tests.media.watching.test_youtube_stream import VIDEO_ID, seen_at_least, viewer_of
from tests.testkit.viewing import Viewer

NOW = datetime(2026, 5, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=6)
URLS = MediaUrls(
    main="https://a.example/expire/1/sig/CANARY/index.m3u8",
    main_tracks=frozenset({"video"}),
    audio="https://a.example/audio",
    broadcast="aaaaaaaaaaa.1",
    expires_at=LATER,
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "urls"


def test_what_was_kept_is_read_again_by_this_user_alone(folder: Path) -> None:
    before = os.umask(0)
    try:
        UrlStore(folder).write(VIDEO_ID, URLS, NOW)
    finally:
        os.umask(before)
    assert UrlStore(folder).read(VIDEO_ID, NOW) == URLS
    assert mode(folder) == 0o700
    assert [mode(path) for path in folder.iterdir()] == [0o600]


def test_what_has_expired_is_neither_read_nor_left_on_the_disk(folder: Path) -> None:
    store = UrlStore(folder)
    store.write(VIDEO_ID, URLS, NOW)
    assert store.read(VIDEO_ID, LATER) is None
    store.write("bbbbbbbbbbb", MediaUrls(main="https://a.example"), LATER)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"main": 1}'])
def test_a_file_that_cannot_be_read_is_as_good_as_none(folder: Path, content: bytes) -> None:
    store = UrlStore(folder)
    (folder / f"{VIDEO_ID}.json").write_bytes(content)
    assert store.read(VIDEO_ID, NOW) is None


def test_a_folder_that_others_may_enter_is_refused(folder: Path) -> None:
    folder.mkdir(mode=0o755)
    with pytest.raises(FolderNotPrivate, match="closed to others"):
        UrlStore(folder)


def test_a_disk_that_takes_nothing_disturbs_nobody(folder: Path) -> None:
    store = UrlStore(folder)
    folder.rmdir()
    store.write(VIDEO_ID, URLS, NOW)
    assert store.read(VIDEO_ID, NOW) is None


@asynccontextmanager
async def restarted(site: SimulatedYouTube, folder: Path, before: Viewer) -> AsyncIterator[Viewer]:
    """Go on in another worker, which finds what the first one kept."""
    async with viewer_of(site, MediaCache(UrlStore(folder))) as viewer:
        viewer.state = before.state.model_validate_json(before.state.model_dump_json())
        yield viewer


@pytest.mark.parametrize("layout", [Layout.MUXED, Layout.SPLIT])
async def test_a_restarted_worker_goes_on_without_asking_the_site(
    folder: Path, layout: Layout
) -> None:
    async with SimulatedYouTube() as site:
        site.video(VIDEO_ID).layout = layout
        site.video(VIDEO_ID).go_live(backlog=3)
        async with viewer_of(site, MediaCache(UrlStore(folder))) as first:
            await first.until(seen_at_least(4))
        mark = len(site.requests)
        async with restarted(site, folder, first) as second:
            await second.until(seen_at_least(4))
        assert site.requests.site_requests(after=mark) == []
        for track in ("main", "audio"):
            seen = first.sequences(track) + second.sequences(track)
            assert seen == list(range(len(seen)))


async def test_urls_that_are_refused_after_a_restart_are_looked_for_anew(folder: Path) -> None:
    """As when it leaves by another address now."""
    async with SimulatedYouTube() as site:
        site.video(VIDEO_ID).go_live(backlog=3)
        async with viewer_of(site, MediaCache(UrlStore(folder))) as first:
            await first.until(seen_at_least(4))
        site.faults.add(SiteFault(kinds=frozenset({RequestKind.PLAYLIST}), status=403, times=1))
        mark = len(site.requests)
        async with restarted(site, folder, first) as second:
            await second.until(seen_at_least(2))
        assert site.requests.extractions(after=mark) == 1
        assert second.types == []
