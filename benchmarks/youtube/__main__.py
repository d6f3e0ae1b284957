"""Prints what looks and waiting monitors cost: `python -m benchmarks.youtube`."""

import argparse

from benchmarks.youtube import checks, waiting

CORE_SHARE_LIMIT = 0.05


def main() -> int:
    """Measure and print; return 0 when waiting stays inside its limits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--looks", type=int, default=50, help="looks of each kind (50)")
    parser.add_argument("--monitors", type=int, default=20, help="that wait (20)")
    parser.add_argument("--seconds", type=float, default=120, help="of each kind of waiting (120)")
    given = parser.parse_args()
    print(f"{'one look':44} {'CPU s':>8} {'requests':>9}")
    for cost in checks.run(given.looks):
        print(f"{cost.name:44} {cost.cpu_sec:8.3f} {cost.requests:9.1f}")
    print(
        f"\n{given.monitors} monitors that wait {'':21} {'core':>8} {'requests/s':>11} {'looks':>6}"
    )
    within = True
    for name, starts_in_sec in (("start in 4 minutes", 240.0), ("late by a minute", -60.0)):
        seen = waiting.measure(
            name, monitors=given.monitors, starts_in_sec=starts_in_sec, seconds=given.seconds
        )
        print(f"{name:44} {seen.core_share:8.1%} {seen.requests_per_sec:11.2f} {seen.looks:6}")
        # The first look is free: the budget spaces what follows.
        allowed = seen.budget_per_sec * (1 + 1 / given.seconds * 2)
        within &= seen.core_share < CORE_SHARE_LIMIT and seen.requests_per_sec <= allowed
    return 0 if within else 1


if __name__ == "__main__":
    raise SystemExit(main())
