"""What the demo says before and after."""

from collections.abc import Sequence
from textwrap import fill

from cli.demo.account import Account, percentile
from cli.demo.script import CONFIG, DELAY_BOUND_SEC, airtime_sec, expectations
from cli.embedded.up import Endpoints

WIDTH = 88


def introduction() -> str:
    """Return what the stranger is going to see."""
    return fill(
        f"A live stream of {airtime_sec():.0f} s goes on air on this machine, with scripted "
        "faults: black, silence, a frozen picture, a stall, the end. The whole service watches "
        "it (Temporal server, gateway, worker) and posts signed webhooks to a receiver that "
        f"verifies them. {len(expectations())} events must arrive and no other. Delays count from "
        "the moment the segment that completes a threshold is in the playlist. The thresholds "
        f"are short here: black {CONFIG.blackout_threshold_sec:g} s, silence "
        f"{CONFIG.silence_threshold_sec:g} s, freeze {CONFIG.freeze_threshold_sec:g} s, stall "
        f"{CONFIG.suspend_threshold_sec:g} s, recovery {CONFIG.recovery_sec:g} s. "
        "Starting the service ...",
        WIDTH,
    )


def places(endpoints: Endpoints, stream_url: str, monitor_id: str) -> str:
    """Return where the running service can be looked at."""
    workflow = f"{endpoints.temporal_ui}/namespaces/default/workflows/{monitor_id}"
    return (
        f"  Temporal UI  {workflow}\n"
        f"  API          {endpoints.gateway}/docs\n"
        f"  API_KEY      {endpoints.keys['API_KEY']}\n"
        f"  stream       {stream_url}\n"
    )


def summary(account: Account, problems: Sequence[str]) -> str:
    """Return what was expected and what came, how late, and what is wrong with it."""
    arrived = sum(row.arrival is not None for row in account.rows)
    lines = [
        "",
        f"{len(account.rows)} events expected, {arrived} of them arrived, "
        f"{len(account.superfluous)} others.",
        *_delays(account.delays_sec()),
        *problems,
        "Something is wrong." if problems else "All as scripted.",
    ]
    return "\n".join(lines)


def _delays(delays_sec: Sequence[float]) -> list[str]:
    if not delays_sec:
        return []
    p50, p95, worst = (percentile(delays_sec, share) for share in (0.5, 0.95, 1.0))
    verdict = "within" if p95 <= DELAY_BOUND_SEC else "OVER"
    return [
        f"Delay: p50 {p50:.2f} s, p95 {p95:.2f} s, max {worst:.2f} s; p95 is {verdict} the bound "
        f"of one target duration + 1 s = {DELAY_BOUND_SEC:g} s."
    ]
