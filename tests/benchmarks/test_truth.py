"""A short part of the corpus, and how its verdicts are found."""

import tempfile
from pathlib import Path

import pytest

from benchmarks.truth.corpus import programmes_by_name
from benchmarks.truth.encoding import Encoded, EncodedPiece
from benchmarks.truth.programme import Fault, Programme
from benchmarks.truth.run import play_all
from benchmarks.truth.verdict import Told, Verdict, incidents, judged

SHORT_PART = ("frozen-clouds-128x72-5", "candle-0.06", "bars", "silence-offset-and-hiss")
LEAST_SEC = {"freeze": 10.0}
TWICE = [Told("freeze", 10.0, 20.0), Told("freeze", 22.0, 30.0)]
AND_BLACK = [Told("freeze", 10.0, 30.0), Told("blackout", 40.0, 50.0)]


async def test_a_viewer_agrees_with_what_is_told() -> None:
    cache = Path(tempfile.gettempdir()) / "stream-tracker-truth"
    chosen = [programmes_by_name()[name] for name in SHORT_PART]

    played = await play_all(chosen, cache=cache, cuts=("odd",), with_filters=False)

    verdicts = {it.programme.name: [each.verdict for each in it.ours.values()] for it in played}
    assert verdicts == {name: [Verdict.RIGHT, Verdict.RIGHT] for name in SHORT_PART}
    assert [it.programme.name for it in played if it.uneven] == []


def _freeze(start_sec: float, end_sec: float, *, is_certain: bool = True) -> Programme:
    fault = Fault("freeze", start_sec, end_sec, is_certain)
    return Programme(
        name="one", group="some", seconds=60, picture=None, sound=None, faults=(fault,)
    )


@pytest.mark.parametrize(
    ("told", "verdict"),
    [
        pytest.param([Told("freeze", 10.0, 30.0)], Verdict.RIGHT, id="as it is"),
        pytest.param([Told("freeze", 10.4, 30.0)], Verdict.RIGHT, id="a little late"),
        pytest.param([Told("freeze", 11.0, 30.0)], Verdict.WRONG_TIME, id="late"),
        pytest.param(TWICE, Verdict.WRONG_TIME, id="twice"),
        pytest.param([], Verdict.MISS, id="nothing"),
        pytest.param([Told("blackout", 10.0, 30.0)], Verdict.MISS, id="something else"),
        pytest.param(
            [Told("freeze", 10.0, 30.0), Told("blackout", 40.0, 50.0)],
            Verdict.FALSE_ALARM,
            id="more",
        ),
    ],
)
def test_a_programme_has_the_worst_verdict(told: list[Told], verdict: Verdict) -> None:
    assert judged(_freeze(10.0, 30.0), told, LEAST_SEC, recovery_sec=5.0).verdict is verdict


@pytest.mark.parametrize("told", [[], [Told("freeze", 12.0, 25.0)]])
def test_both_answers_are_right_where_viewers_differ(told: list[Told]) -> None:
    programme = _freeze(10.0, 30.0, is_certain=False)

    assert judged(programme, told, LEAST_SEC, recovery_sec=5.0).verdict is Verdict.RIGHT


def test_faults_are_joined_while_an_incident_recovers() -> None:
    faults = [Told("freeze", start, start + 12.0) for start in (0.0, 15.0, 60.0)]
    short = [Told("freeze", 40.0, 48.0)]

    found = incidents([*faults, *short], LEAST_SEC, recovery_sec=5.0)

    assert found == [Told("freeze", 0.0, 27.0), Told("freeze", 60.0, 72.0)]


def test_pieces_are_joined_to_segments() -> None:
    media = Encoded(b"init", tuple(EncodedPiece(bytes([n]), 1.0) for n in range(7)))

    cut = media.cut((1, 3))

    assert [it.data for it in cut.pieces] == [b"\0", b"\1\2\3", b"\4", b"\5\6"]
    assert [it.duration_sec for it in cut.pieces] == [1.0, 3.0, 1.0, 2.0]
    assert cut.whole == media.whole
