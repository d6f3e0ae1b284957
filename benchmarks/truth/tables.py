"""What came of the corpus, as tables in Markdown."""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from benchmarks.truth.filters import STILL_DB
from benchmarks.truth.run import THRESHOLDS, Played
from benchmarks.truth.verdict import Judgement, Verdict

ORDER = (Verdict.RIGHT, Verdict.FALSE_ALARM, Verdict.MISS, Verdict.WRONG_TIME)
PROMISED_SEC = {"blackout": 0.1, "freeze": 0.1, "silence": 0.02}
"""Within this: a picture of most programmes, and what a listener notices."""


def method_table(played: Sequence[Played]) -> str:
    """Return verdicts by thresholds and method."""
    rows = []
    for name in THRESHOLDS:
        rows.append([name, "ours", *_counts(it.ours[name] for it in played)])
        rows += [
            [name, f"ffmpeg's filters, {db} dB", *_counts(it.filters[name, db] for it in played)]
            for db in STILL_DB
            if all(it.filters for it in played)
        ]
    return _table(["thresholds", "method", *ORDER], rows)


def group_table(played: Sequence[Played]) -> str:
    """Return verdicts of ours and of the filters by group, of all thresholds together."""
    rows = []
    for group in dict.fromkeys(it.programme.group for it in played):
        of_group = [it for it in played if it.programme.group == group]
        ours = _counts(judgement for it in of_group for judgement in it.ours.values())
        best = _counts(
            it.filters[name, -60] for it in of_group if it.filters for name in THRESHOLDS
        )
        rows.append([group, str(len(of_group)), *ours, best[0]])
    return _table(["group", "programmes", *ORDER, "filters right"], rows)


def precision_table(played: Sequence[Played]) -> str:
    """Return by how much beginnings and ends are off, by kind."""
    off: dict[str, list[float]] = {}
    for each in played:
        for judgement in each.ours.values():
            for kind, moments in judgement.off_sec.items():
                off.setdefault(kind, []).extend(map(abs, moments))
    rows = [
        [
            kind,
            str(len(moments)),
            *(f"{np.percentile(moments, share):.3f}" for share in (50, 95, 100)),
            f"{100 * np.mean(np.array(moments) <= PROMISED_SEC.get(kind, 0.1) + 1e-3):.0f} %",
        ]
        for kind, moments in off.items()
    ]
    return _table(
        ["kind", "moments", "p50 s", "p95 s", "max s", "within 0.1 s, silence 0.02 s"], rows
    )


def _counts(judgements: Iterable[Judgement]) -> list[str]:
    counted = Counter(it.verdict for it in judgements)
    return [str(counted[verdict]) for verdict in ORDER]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(each)} |" for each in lines) + "\n"
