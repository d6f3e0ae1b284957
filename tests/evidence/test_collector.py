"""Collecting evidence: what reaches the gateway when it, or the worker, comes and goes."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import ClassVar

import pytest

from evidence.case import LOST, Case
from evidence.collector import (
    BUSY,
    FAILED,
    MOST_OF_MONITOR,
    MOST_WAITING,
    SHUTDOWN,
    Collected,
    EvidenceCollector,
    WaitingCases,
)
from evidence.latest_picture_uploads import PictureUploads
from evidence.uploads import EvidenceRefused, GatewayAway, Upload
from media.watching import Picture
from media.watching.footage import Excerpt
from monitors.evidence import EvidenceItem, EvidenceKind, EvidenceLevel, EvidenceMoment
from monitors.incidents import IncidentRef
from monitors.status import IncidentKind
from tests.monitors.media_timeline import wall_clock
from tests.testkit.waiting import until_true

MONITOR = "mon-1"
LAST_GOOD = EvidenceItem(EvidenceKind.PICTURE, EvidenceMoment.LAST_GOOD)
FIRST_FAULTY = EvidenceItem(EvidenceKind.PICTURE, EvidenceMoment.FIRST_FAULTY)


@dataclass
class Gateway:
    """Takes what it is given, after it raised what it was told to raise."""

    raises: list[Exception] = field(default_factory=list)
    taken: list[Upload] = field(default_factory=list)
    pictures: list[tuple[str, bytes]] = field(default_factory=list)

    async def has_evidence(self, monitor_id: str, evidence_id: str) -> bool:
        return any(each.evidence_id == evidence_id for each in self.taken)

    async def put_evidence(self, upload: Upload) -> None:
        if self.raises:
            raise self.raises.pop(0)
        self.taken.append(upload)

    async def put_picture(self, monitor_id: str, picture: Picture) -> None:
        await asyncio.sleep(0)
        self.pictures.append((monitor_id, picture.jpeg))

    def told(self) -> list[tuple[str, str | None]]:
        return [(str(each.item.moment), each.reason) for each in self.taken]


@dataclass
class Counts:
    """Takes all counts."""

    outcomes: list[str] = field(default_factory=list)

    def collected(self, kind: EvidenceKind, outcome: str, after_sec: float) -> None:
        self.outcomes.append(outcome)

    def picture(self, outcome: str) -> None:
        self.outcomes.append(outcome)


class Source:
    """Makes pictures, or does what it is told."""

    kind: ClassVar = EvidenceKind.PICTURE

    def __init__(self, makes: Callable[[], AsyncIterator[Collected]] | None = None) -> None:
        self._makes = makes or self._pictures

    def collect(self, case: Case) -> AsyncIterator[Collected]:
        return self._makes()

    async def _pictures(self) -> AsyncIterator[Collected]:
        for item in (LAST_GOOD, FIRST_FAULTY):
            yield Collected(item, wall_clock(0), b"jpeg")


def a_case(
    begun_sec: float = 0.0,
    failure: str | None = None,
    *,
    monitor_id: str = MONITOR,
    level: EvidenceLevel = EvidenceLevel.PICTURE,
) -> Case:
    return Case(
        monitor_id=monitor_id,
        incident=IncidentRef(kind=IncidentKind.FREEZE, started_at=wall_clock(begun_sec)),
        level=level,
        alert_at=datetime.now(UTC),
        excerpt=Excerpt(),
        failure=failure,
    )


def collector(
    gateway: Gateway, source: Source | None = None, *, grace_sec: float = 20.0
) -> EvidenceCollector:
    return EvidenceCollector([source or Source()], gateway, Counts(), grace_sec=grace_sec)


async def test_what_waits_at_the_end_is_collected_within_the_grace_time() -> None:
    gateway = Gateway()
    async with collector(gateway) as collecting:
        for number in range(3):
            collecting.collect(a_case(number))
    assert gateway.told() == 3 * [("last_good", None), ("first_faulty", None)]
    assert {each.evidence_id for each in gateway.taken} == {
        a_case(number).id_of(item) for number in range(3) for item in (LAST_GOOD, FIRST_FAULTY)
    }


async def test_a_worker_that_stops_says_what_it_did_not_collect() -> None:
    async def hang() -> AsyncIterator[Collected]:
        yield Collected(LAST_GOOD, wall_clock(0), b"jpeg")
        await asyncio.Event().wait()

    gateway = Gateway()
    async with collector(gateway, Source(hang), grace_sec=0.1) as collecting:
        collecting.collect(a_case(0))
        collecting.collect(a_case(1))
        await until_true(lambda: bool(gateway.taken), "a picture")
    assert Counter(gateway.told()) == {
        ("last_good", None): 1,
        ("last_good", SHUTDOWN): 1,
        ("first_faulty", SHUTDOWN): 2,
    }


async def test_of_a_fault_that_is_no_incident_nothing_is_told_that_cannot_be_made() -> None:
    async def one_picture() -> AsyncIterator[Collected]:
        yield Collected(LAST_GOOD, wall_clock(0), reason="no_picture")
        yield Collected(FIRST_FAULTY, wall_clock(0), b"jpeg")

    gateway = Gateway()
    async with collector(gateway, Source(one_picture)) as collecting:
        collecting.collect(replace(a_case(), is_early=True))
        await until_true(lambda: bool(gateway.taken), "a picture")
    assert gateway.told() == [("first_faulty", None)]


async def test_a_gateway_that_is_away_gets_it_later() -> None:
    gateway = Gateway(raises=[GatewayAway("no answer"), GatewayAway("503")])
    async with collector(gateway) as collecting:
        collecting.collect(a_case())
    assert sorted(gateway.told()) == [("first_faulty", None), ("last_good", None)]


async def test_what_is_not_taken_now_keeps_no_other_waiting() -> None:
    class KnowsNoFirst(Gateway):
        async def put_evidence(self, upload: Upload) -> None:
            if upload.incident_id == a_case(0).incident_id and len(self.taken) < 2:
                raise GatewayAway("404")
            await super().put_evidence(upload)

    gateway = KnowsNoFirst()
    async with collector(gateway) as collecting:
        collecting.collect(a_case(0))
        collecting.collect(a_case(1))
    later, first = (a_case(number).incident_id for number in (1, 0))
    assert [each.incident_id for each in gateway.taken] == [later, later, first, first]


@pytest.mark.parametrize("error", [EvidenceRefused("it keeps no such evidence"), RuntimeError()])
async def test_what_can_never_be_handed_over_is_not_tried_again(error: Exception) -> None:
    gateway = Gateway(raises=[error])
    async with collector(gateway) as collecting:
        collecting.collect(a_case())
    assert gateway.told() == [("first_faulty", None)]


async def test_a_source_that_breaks_leaves_a_reason_and_the_next_incident_is_collected() -> None:
    broken = [True]

    async def breaks_once() -> AsyncIterator[Collected]:
        if broken.pop() if broken else False:
            raise RuntimeError("a defect")
        for item in (LAST_GOOD, FIRST_FAULTY):
            yield Collected(item, wall_clock(0), b"jpeg")

    gateway = Gateway()
    async with collector(gateway, Source(breaks_once)) as collecting:
        collecting.collect(a_case(0))
        collecting.collect(a_case(1))
    told = Counter(reason for _, reason in gateway.told())
    assert told == {FAILED: 2, None: 2}


@pytest.mark.parametrize(
    ("incidents", "failure", "reason"), [(1, LOST, LOST), (MOST_OF_MONITOR + 1, None, BUSY)]
)
async def test_what_cannot_be_collected_is_told_with_its_reason(
    incidents: int, failure: str | None, reason: str
) -> None:
    gateway = Gateway()
    async with collector(gateway) as collecting:
        for number in range(incidents):
            collecting.collect(a_case(number, failure))
    assert gateway.told()[-2:] == [("last_good", reason), ("first_faulty", reason)]


async def test_pictures_do_not_wait_for_clips() -> None:
    class Clips(Source):
        def makes(self, item: EvidenceItem) -> bool:
            return item.kind is EvidenceKind.CLIP

    async def hang() -> AsyncIterator[Collected]:
        await asyncio.Event().wait()
        yield Collected(LAST_GOOD, wall_clock(0))

    gateway = Gateway()
    sources = [Source(), Clips(hang)]
    async with EvidenceCollector(sources, gateway, Counts(), grace_sec=0.1) as collecting:
        for number in range(3):
            collecting.collect(a_case(number, level=EvidenceLevel.CLIP))
        await until_true(lambda: len(gateway.taken) == 6, "all pictures")


async def test_monitors_take_turns() -> None:
    waiting = WaitingCases()
    for name in ("greedy", "greedy", "greedy", "modest"):
        waiting.put(a_case(monitor_id=name))
    order = [(await waiting.take()).monitor_id for _ in range(4)]
    assert order == ["greedy", "modest", "greedy", "greedy"]


async def test_there_is_a_bound_on_all_that_wait() -> None:
    waiting = WaitingCases()
    for number in range(MOST_WAITING + 1):
        waiting.put(a_case(monitor_id=f"mon-{number}"))
    failures = [(await waiting.take()).failure for _ in range(MOST_WAITING + 1)]
    assert failures == [*MOST_WAITING * [None], BUSY]


async def test_only_the_newest_picture_of_each_stream_is_uploaded() -> None:
    gateway, counts = Gateway(), Counts()
    async with PictureUploads(gateway, counts) as pictures:
        for number in range(3):
            pictures.put("mon-1", Picture(b"%d" % number, wall_clock(number)))
        pictures.put("mon-2", Picture(b"other", wall_clock(0)))
        await until_true(lambda: len(gateway.pictures) == 2, "both pictures")
    assert sorted(gateway.pictures) == [("mon-1", b"2"), ("mon-2", b"other")]
    assert sorted(counts.outcomes) == ["replaced", "replaced", "sent", "sent"]


async def test_a_defect_of_one_picture_keeps_no_later_one() -> None:
    class Broken(Gateway):
        async def put_picture(self, monitor_id: str, picture: Picture) -> None:
            if monitor_id.startswith("broken"):
                raise RuntimeError
            await super().put_picture(monitor_id, picture)

    gateway, counts = Broken(), Counts()
    async with PictureUploads(gateway, counts) as pictures:
        for number in range(3):
            pictures.put(f"broken-{number}", Picture(b"jpeg", wall_clock(0)))
        await until_true(lambda: len(counts.outcomes) == 3, "all that fail")
        pictures.put("mon-1", Picture(b"jpeg", wall_clock(0)))
        await until_true(lambda: bool(gateway.pictures), "the picture behind them")
    assert counts.outcomes == ["lost", "lost", "lost", "sent"]
