"""Faults of the answers, whatever the video's state: statuses, resets, silence."""

from dataclasses import dataclass

from simulator.youtube.exchange import NoReply, Reply, error
from simulator.youtube.recording import RecordedRequest, RequestKind


@dataclass(frozen=True, kw_only=True)
class SiteFault:
    """One fault. Conditions left out do not restrict it."""

    kinds: frozenset[RequestKind] | None = None
    video_id: str | None = None
    client: str | None = None
    itag: int | None = None
    first_sequence: int | None = None  # only segments from this number on
    status: int = 403  # of the answer, unless `no_reply` says that there is none
    no_reply: NoReply | None = None
    times: int | None = None  # how many matching requests are hit; None for all

    def concerns(self, seen: RecordedRequest) -> bool:
        return (
            (self.kinds is None or seen.kind in self.kinds)
            and self.video_id in (None, seen.video_id)
            and self.client in (None, seen.client)
            and self.itag in (None, seen.itag)
            and (self.first_sequence is None or (seen.sequence or 0) >= self.first_sequence)
        )

    def effect(self) -> Reply | NoReply:
        return self.no_reply or error(self.status)


PLAYER_RATE_LIMITED = SiteFault(kinds=frozenset({RequestKind.PLAYER}), status=429)
"""The player API counts, the web pages still work."""
RATE_LIMITED = SiteFault(status=429)  # every answer of every host is 429
MASTER_FORBIDDEN = SiteFault(kinds=frozenset({RequestKind.MASTER}), status=403)
PLAYLISTS_FORBIDDEN = SiteFault(kinds=frozenset({RequestKind.PLAYLIST}), status=403)
SEGMENTS_FORBIDDEN = SiteFault(kinds=frozenset({RequestKind.SEGMENT}), status=403)
UNREACHABLE = SiteFault(no_reply=NoReply.RESET)
SILENT = SiteFault(no_reply=NoReply.HANG)


class SiteFaults:
    def __init__(self) -> None:
        self._left: dict[SiteFault, int | None] = {}

    def add(self, *faults: SiteFault) -> None:
        """Switch faults on; one that is on already counts its `times` anew."""
        for fault in faults:
            self._left[fault] = fault.times

    def remove(self, *faults: SiteFault) -> None:
        for fault in faults:
            self._left.pop(fault, None)

    def clear(self) -> None:
        self._left.clear()

    def strike(self, seen: RecordedRequest) -> Reply | NoReply | None:
        """Return what the first matching fault makes of a request. Counts it."""
        for fault, left in self._left.items():
            if left != 0 and fault.concerns(seen):
                if left is not None:
                    self._left[fault] = left - 1
                return fault.effect()
        return None
