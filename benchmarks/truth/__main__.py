"""Plays programmes of known content through the judgement of a watch, beside ffmpeg's filters.

    python -m benchmarks.truth [--only NAME] [--group GROUP] [--cuts] [--renditions]

Each programme is encoded once, cut into segments, and judged at the default and at short
thresholds, as a watch does it. A programme is right when each incident that a viewer would name is
told, with its beginning and its end within 0.5 s, and nothing else is. The same must be told of
other cuts and of a smaller rendition.
"""

import argparse
import asyncio
import logging
import sys
import time
from collections.abc import Sequence

import structlog

from benchmarks.machine import machine
from benchmarks.truth.corpus import programmes_by_name
from benchmarks.truth.programme import Programme
from benchmarks.truth.run import CUTS, Played, play_all
from benchmarks.truth.tables import group_table, method_table, precision_table
from benchmarks.truth.verdict import Judgement, Told, Verdict


def main() -> int:
    """Play, print what is not right and the tables; return 0 when nothing is wrong."""
    asked = _asked()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    chosen = [it for it in programmes_by_name().values() if _is_chosen(it, asked.only, asked.group)]
    print(machine())
    began = time.monotonic()
    played = asyncio.run(
        play_all(
            chosen,
            is_fresh=asked.fresh,
            with_filters=not asked.ours,
            cuts=tuple(CUTS) if asked.cuts else (),
            with_renditions=asked.renditions,
            say=_say_all if asked.only else _say_wrong,
        )
    )
    print(f"\n{len(played)} programmes, {time.monotonic() - began:.0f} s\n")
    print(method_table(played))
    print(group_table(played))
    print(precision_table(played))
    is_right = all(it.verdict is Verdict.RIGHT for each in played for it in each.ours.values())
    return 0 if is_right and not any(it.uneven for it in played) else 1


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.truth")
    parser.add_argument("--only", action="append", help="programmes whose name contains this")
    parser.add_argument("--group", action="append", help="programmes of this group")
    parser.add_argument("--cuts", action="store_true", help="segments of 1, 6 and odd seconds, too")
    parser.add_argument("--renditions", action="store_true", help="a smaller rendition, too")
    parser.add_argument("--ours", action="store_true", help="without ffmpeg's filters")
    parser.add_argument("--fresh", action="store_true", help="encode again")
    return parser.parse_args()


def _is_chosen(
    programme: Programme, only: Sequence[str] | None, group: Sequence[str] | None
) -> bool:
    if only and not any(it in programme.name for it in only):
        return False
    return not group or programme.group in group


def _say_wrong(played: Played) -> None:
    wrong = {name: it for name, it in played.ours.items() if it.verdict is not Verdict.RIGHT}
    for name, judgement in wrong.items():
        print(f"{played.programme.name}, {name}: {judgement.verdict}: {_why(judgement)}")
    usual = played.ours["default"].told
    for way in played.uneven:
        print(f"{played.programme.name}: {way}: {_plain(played.ways[way])}, not {_plain(usual)}")
    sys.stdout.flush()


def _say_all(played: Played) -> None:
    print(f"{played.programme.name} has {[*played.programme.faults]}")
    for name, judgement in played.ours.items():
        print(f"  {name}: {judgement.verdict}, told {_plain(judgement.told)}")
    _say_wrong(played)


def _plain(told: Sequence[Told]) -> list[tuple[str, float, float]]:
    return [(it.kind, it.start_sec, it.end_sec) for it in told]


def _why(judgement: Judgement) -> str:
    parts = [f"missed {tuple(it)}" for it in judgement.missed]
    parts += [f"false {tuple(it)}" for it in judgement.false]
    off = [
        f"{kind} off by {each:.2f} s" for kind, both in judgement.off_sec.items() for each in both
    ]
    return "; ".join(parts or off)


if __name__ == "__main__":
    raise SystemExit(main())
