"""What an experiment found, as a row of the table."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True)
class Finding:
    """One fault, what was measured of it and what is demanded."""

    fault: str
    measured: str
    target: str
    is_met: bool


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the least of `values` that so many percent do not exceed; 0 for none."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * int(percent) // 100) - 1)] if ordered else 0.0


def spread(values: Sequence[float]) -> str:
    """Return median, 95th percentile and maximum, seconds, as text."""
    most = max(values, default=0.0)
    return f"p50 {percentile(values, 50):.2f}, p95 {percentile(values, 95):.2f}, max {most:.2f} s"


def as_table(findings: Sequence[Finding]) -> Table:
    """Return the table that is printed."""
    table = Table("fault", "measured", "target", "met", title="Chaos", expand=True)
    for each in findings:
        table.add_row(each.fault, each.measured, each.target, "yes" if each.is_met else "NO")
    return table


def as_markdown(findings: Sequence[Finding]) -> str:
    """Return the same for a document."""
    rows = ["| fault | measured | target | met |", "|---|---|---|---|"]
    for each in findings:
        met = "yes" if each.is_met else "**no**"
        rows.append(f"| {each.fault} | {each.measured} | {each.target} | {met} |")
    return "\n".join(rows)
