"""What of the kept segments is used for an incident."""

from datetime import UTC, datetime

import pytest

from evidence.case import Case
from evidence.excerpts.protocol import Piece
from evidence.pictures_and_clips import fitting, near_moment
from media.hls.playlist import Segment
from media.watching.footage import Excerpt, KeptSegment
from monitors.evidence import EvidenceLevel
from monitors.incidents import IncidentRef
from monitors.measurement import CachedSegment
from monitors.status import IncidentKind
from tests.monitors.media_timeline import wall_clock

INIT = b"init"


def kept(sequence: int, at_sec: float, duration_sec: float, media: bytes | None) -> KeptSegment:
    segment = Segment(f"https://a.tv/{sequence}", sequence, duration_sec)
    held = CachedSegment(b"")
    held.media = media if media is None else INIT + media
    return KeptSegment(segment, wall_clock(at_sec), held, len(INIT))


def a_case(*main: KeptSegment, kind: IncidentKind = IncidentKind.FREEZE) -> Case:
    return Case(
        monitor_id="mon-1",
        incident=IncidentRef(kind=kind, started_at=wall_clock(4.5)),
        level=EvidenceLevel.CLIP,
        alert_at=datetime.now(UTC),
        excerpt=Excerpt({"main": main}),
    )


def test_a_segment_that_was_measured_in_pieces_is_put_together() -> None:
    case = a_case(
        kept(1, 2.0, 2.0, b"whole"),
        kept(2, 4.0, 1.0, b"first"),
        kept(2, 5.0, 1.0, b"second"),
    )
    assert case.pieces() == [
        Piece(b"initwhole", -2.5, 2.0),
        Piece(b"initfirstsecond", -0.5, 2.0),
    ]
    assert not case.is_cut


@pytest.mark.parametrize(
    ("kind", "is_cut"), [(IncidentKind.FREEZE, True), (IncidentKind.SUSPENDED, False)]
)
def test_without_its_first_moment_an_incident_of_media_is_cut(
    kind: IncidentKind, *, is_cut: bool
) -> None:
    case = a_case(kept(1, 2.0, 2.0, None), kept(3, 6.0, 2.0, b"later"), kind=kind)
    later = a_case(kept(3, 6.0, 2.0, b"later"), kind=kind)
    assert case.pieces() == later.pieces() == [Piece(b"initlater", 1.5, 2.0)]
    assert later.is_cut is is_cut


def test_pictures_are_of_the_moment_and_of_what_is_just_before() -> None:
    pieces = [Piece(b"", float(at), 2.0) for at in range(-10, 10, 2)]
    assert [each.starts_sec for each in near_moment(pieces, 0.0)] == [-4.0, -2.0, 0.0]


def test_where_the_clock_has_a_hole_the_segment_behind_it_shows_the_fault() -> None:
    pieces = [Piece(b"", starts_sec, 2.0) for starts_sec in (-4.5, -2.5, 0.5, 2.5)]
    assert [each.starts_sec for each in near_moment(pieces, 0.0)] == [-4.5, -2.5, 0.5]


def test_a_clip_takes_no_more_than_it_may_hold() -> None:
    many = [Piece(bytes(1024 * 1024), float(at), 2.0) for at in range(100)]
    assert [each.starts_sec for each in fitting(many)] == [*map(float, range(56))]
