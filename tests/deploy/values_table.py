"""The chart's README, made of `values.yaml` and its comments.

`python -m tests.deploy.values_table` writes it; a test keeps it current.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import yaml

from tests.deploy.docker_engine import ROOT

FOLDER = ROOT / "deploy" / "helm" / "stream-tracker"
README = FOLDER / "README.md"
HEAD = """# The chart of Stream Tracker

How to install it, and what it needs: [deploy](../../../docs/guides/deploy.md); a Pod for each
stream: [pods](../../../docs/internals/pods.md). This table is made of `values.yaml`.

| value | default | |
|---|---|---|
"""


def readme(values: Path = FOLDER / "values.yaml") -> str:
    """Return the README of the chart."""
    text = values.read_text()
    root = yaml.compose(text, yaml.CSafeLoader)
    assert isinstance(root, yaml.MappingNode)
    rows = _rows(root, text.splitlines(), prefix="", heading="")
    return HEAD + "".join(f"| `{path}` | {default} | {said} |\n" for path, default, said in rows)


def _rows(
    node: yaml.MappingNode, lines: list[str], *, prefix: str, heading: str
) -> Iterator[tuple[str, str, str]]:
    """Yield path, default and comment of each value; a group's comment goes to its first one."""
    for key, value in node.value:
        path = f"{prefix}{key.value}"
        said = " ".join(filter(None, [heading, _comment(lines, key.start_mark.line)]))
        heading = ""
        if isinstance(value, yaml.MappingNode) and value.value and not value.flow_style:
            yield from _rows(value, lines, prefix=f"{path}.", heading=said)
        else:
            default = yaml.safe_load(yaml.serialize(value))
            yield path, f"`{json.dumps(default)}`", said.replace("|", "\\|")


def _comment(lines: list[str], line: int) -> str:
    """Return the comment right above a line, if any."""
    found: list[str] = []
    while line > 0 and lines[line - 1].strip().startswith("#"):
        line -= 1
        found.insert(0, lines[line].strip().removeprefix("#").strip())
    return " ".join(found)


if __name__ == "__main__":
    README.write_text(readme())
