"""After an event the next watch on the same worker goes on where the last one stood."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from media.sources.source import MediaUrls, Observation, SourceState
from media.watching import ResumeHint
from media.watching.resume_hint import RESOLVE_AGAIN_SEC
from simulator.origin import (
    TINY,
    AtEnd,
    Channel,
    ChannelOptions,
    LiveOrigin,
    Programme,
    Served,
    WallClock,
    render,
)
from tests.testkit.viewing import TOUCHY, Viewer, studio

SCENES = [("normal", 9.0), ("black", 3.0)]
"""The incident opens with the last segment, so that there is nothing left to do."""

AT = datetime(2026, 5, 1, tzinfo=UTC)
UNHURRIED = TOUCHY.model_copy(update={"check_interval_sec": 60.0})


def all_there(origin: LiveOrigin) -> Channel:
    programme = render(Programme.of(SCENES, TINY))
    count = len(programme.segments)
    options = ChannelOptions(
        at_end=AtEnd.STALL, window_segments=count, backlog_segments=count, kept_segments=count
    )
    return origin.add("all", programme, options=options)


def asked(origin: LiveOrigin, ending: str) -> list[Served]:
    return origin.requests("all", ending=ending)


async def test_after_an_event_nothing_is_asked_for_before_it_is_due() -> None:
    clock = WallClock()
    async with LiveOrigin(clock=clock) as origin, studio(clock) as equipped:
        channel = all_there(origin)
        viewer = Viewer.of(equipped, channel.master_url, UNHURRIED)
        await viewer.look()
        assert viewer.types == ["alert.blackout"]
        loaded = asked(origin, ".m3u8")
        # The source loads both playlists to see whether it is live, the watch loads one.
        assert [each.path.rpartition("/")[2] for each in loaded] == [
            *("master.m3u8", "index.m3u8", "index.m3u8"),
        ]
        await viewer.until(lambda _: len(asked(origin, ".m3u8")) > len(loaded))
        following = asked(origin, ".m3u8")[len(loaded)]
        assert following.path == loaded[-1].path
        assert following.at - loaded[-1].at >= SCENES[0][1]
        segments = [each.path for each in asked(origin, ".ts")]
        assert len(segments) == len(set(segments)) == len(channel.published)


async def test_a_playlist_that_is_gone_has_the_source_asked_anew() -> None:
    clock = WallClock()
    async with LiveOrigin(clock=clock) as origin, studio(clock) as equipped:
        channel = all_there(origin)
        viewer = Viewer.of(equipped, channel.master_url)
        await viewer.look()
        channel.disappear()
        resolved = len(asked(origin, "master.m3u8"))
        await viewer.until(lambda _: len(asked(origin, "master.m3u8")) > resolved)


@pytest.mark.parametrize("expires_sec", [None, 100.0])
def test_what_a_source_said_is_good_for_a_while(expires_sec: float | None) -> None:
    expires_at = AT + timedelta(seconds=expires_sec) if expires_sec else None
    media = MediaUrls(main="http://origin.example/live.m3u8", expires_at=expires_at)
    seen = Observation(state=SourceState.LIVE, media=media)
    hint = ResumeHint()
    assert hint.recall(AT) is None
    hint.found(seen, AT)
    good_sec = expires_sec or RESOLVE_AGAIN_SEC
    assert hint.recall(AT + timedelta(seconds=good_sec - 1)) is seen
    assert hint.recall(AT + timedelta(seconds=good_sec)) is None
    assert hint.recall(AT - timedelta(seconds=1)) is None  # a clock that was set back
    hint.found(replace(seen, media=None), AT)
    assert hint.recall(AT) is None
    hint.found(seen, AT)
    hint.lost()
    assert hint.recall(AT) is None
