"""What the monitors took, and what other numbers of them would take, as text."""

import os

from benchmarks.scale.experiment import PROBES, SILENT_REPORTS, LoadResult
from benchmarks.scale.usage import Sample

RECKONED = (1_000, 10_000)
OTHERS = "all else on this machine"
ONE_CORE = ("gateway", "orchestrator")
"""Python processes: one fills a core at most, but there may be more of them."""

FULL = 0.85
"""Of what it can use; above this a process is what limits."""

POLLED_SEC = 10
POLLED_EVENTS = 3600 // POLLED_SEC * 6
"""At least: three of each activity, and three of the workflow task after it."""

DAY_SEC = 86_400


def print_result(result: LoadResult) -> None:
    """Print starts, use of each process, growth, and what that means for other numbers."""
    load = result.load
    print(
        f"\n{load.monitors} monitors, heartbeats every {load.beat_sec:g} s, "
        f"timeout {load.timeout_sec:g} s, {load.faults_per_hour:g} faults an hour each"
    )
    created, watched = load.monitors - result.refused, result.watched
    print(f"created: {created}, {created / result.created_sec:.1f} a second")
    print(
        f"watched: {watched}, {watched / result.started_sec:.1f} a second from the first creation"
    )
    _print_parts(result)
    _print_growth(result)
    for monitors in RECKONED:
        _print_reckoned(result, monitors)
    _print_room(result)
    for line in limits(result):
        print(line)


def cores(before: Sample, after: Sample) -> dict[str, float]:
    """Return how many cores each part used between two samples, on average."""
    took_sec = after.at - before.at
    return {part: (used - before.cpu_sec[part]) / took_sec for part, used in after.cpu_sec.items()}


def others(before: Sample, after: Sample) -> float:
    """Return how many cores all else on this machine used: the client, and who knows what."""
    busy = (after.busy_sec - before.busy_sec) / (after.at - before.at)
    return max(0.0, busy - sum(cores(before, after).values()))


def limits(result: LoadResult) -> list[str]:
    """Return what limited, and what did not keep up, a line each."""
    at_first, at_start, before, after = result.samples
    lines = []
    for phase, first, last in (("starts", at_first, at_start), ("steady state", before, after)):
        used, beside = cores(first, last), others(first, last)
        lines += [f"limits the {phase}: the {part}" for part in ONE_CORE if used[part] > FULL]
        used[OTHERS] = beside
        if sum(used.values()) > FULL * (os.cpu_count() or 1):
            most = max(used, key=lambda part: used[part])
            lines.append(f"limits the {phase}: this machine's cores; most is used by: {most}")
    if result.lost_watches:
        lines.append(f"watches lost and begun anew: {result.lost_watches:.2f} a monitor")
    if result.silent:
        silent_sec = SILENT_REPORTS * result.load.report_sec
        lines.append(
            f"monitors of which the store heard nothing for {silent_sec:g} s: {result.silent}"
        )
    return lines or ["nothing was at its limit"]


def _print_parts(result: LoadResult) -> None:
    at_first, at_start, before, after = result.samples
    starting, steady = cores(at_first, at_start), cores(before, after)
    print(f"{'':26}{'cores, starts':>14}{'steady':>9}{'MiB':>8}")
    for part, used in steady.items():
        print(f"{part:26}{starting[part]:14.2f}{used:9.3f}{after.memory_mib[part]:8.0f}")
    beside = others(at_first, at_start), others(before, after)
    print(f"{OTHERS:26}{beside[0]:14.2f}{beside[1]:9.3f}")


def _print_growth(result: LoadResult) -> None:
    _, _, before, after = result.samples
    earlier, later = result.histories
    hours = (after.at - before.at) / 3600
    events = (later.events - earlier.events) / hours
    size_kb = (later.size_bytes - earlier.size_bytes) / hours / 1000
    each_hours = hours * (result.watched or 1)
    file_kb = (after.temporal_bytes - before.temporal_bytes) / each_hours / 1000
    print(
        f"history, an hour and monitor: {events:.0f} events, {size_kb:.1f} KB, of the server's "
        f"file {file_kb:.1f} KB; with an activity every {POLLED_SEC} s: {POLLED_EVENTS} events"
    )
    rows = (after.rows - before.rows) / each_hours / 60
    transactions = (after.transactions - before.transactions) / each_hours / 60
    wal_kb = (after.wal_bytes - before.wal_bytes) / each_hours / 60 / 1000
    print(
        f"database, a minute and monitor: {rows:.1f} rows written in {transactions:.1f} "
        f"transactions, {wal_kb:.1f} KB of log"
    )
    print(f"webhooks: {result.webhooks / hours / 60:.0f} a minute")


def _print_reckoned(result: LoadResult, monitors: int) -> None:
    _, _, before, after = result.samples
    more = monitors / (result.watched or 1)
    used = ", ".join(f"{part} {each * more:.2f}" for part, each in cores(before, after).items())
    wal_bytes = (after.wal_bytes - before.wal_bytes) / (after.at - before.at) * more
    beats, reports = monitors / result.load.beat_sec, monitors / result.load.report_sec
    print(f"{monitors} monitors by these figures: cores: {used}")
    print(
        f"  {beats:.0f} heartbeats and {reports:.0f} reports a second, "
        f"{wal_bytes * DAY_SEC / 1e9:.1f} GB of log a day"
    )


def _print_room(result: LoadResult) -> None:
    """Print how many monitors fill what there is."""
    _, _, before, after = result.samples
    used = cores(before, after)
    machine = (os.cpu_count() or 1, sum(each for part, each in used.items() if part != PROBES))
    shares = {f"one {part}": (1, used[part]) for part in ONE_CORE}
    shares["this machine, the probes elsewhere,"] = machine
    for what, (there_are, taken) in shares.items():
        monitors = FULL * there_are / taken * result.watched if taken else 0
        print(f"{what} is full at {monitors:.0f} monitors, in steady state")
