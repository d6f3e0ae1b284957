"""The dashboards and the alert rules ask for metrics and labels that really exist."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.deploy.docker_engine import ROOT
from tests.deploy.expositions import gateway_exposition, worker_exposition

FOLDER = ROOT / "deploy" / "dashboards"
DASHBOARDS = sorted(FOLDER.glob("*.json"))
RULES, WHEN = FOLDER / "alerts.yaml", Path(__file__).parent / "alerts_test.yaml"
PROMTOOL = shutil.which("promtool")
RUNBOOK = ROOT / "docs" / "guides" / "operate.md"
OF_THE_SCRAPE = {"job", "instance"}


@pytest.fixture
async def exported() -> dict[str, set[str]]:
    """Return the labels of every sample that gateway and workers export, by its name."""
    found: dict[str, set[str]] = {}
    for text in (gateway_exposition(), await worker_exposition()):
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                found.setdefault(sample.name, set()).update(sample.labels)
    return found


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def dashboard(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def panels() -> list[dict[str, Any]]:
    everything = [panel for path in DASHBOARDS for panel in dashboard(path)["panels"]]
    return [panel for panel in everything if panel["type"] != "row"]


def expressions() -> Iterator[Any]:
    for rule in rules():
        yield pytest.param(rule["expr"], id=rule["alert"])
    for panel in panels():
        for target in panel["targets"]:
            expression = target["expr"].replace("$__rate_interval", "5m")
            yield pytest.param(expression, id=f"{panel['title']} {target['refId']}")


def parts(node: Any) -> Iterator[Any]:
    """Yield all nodes of a parsed expression."""
    yield node
    for name in ("expr", "lhs", "rhs", "vector_selector", "param"):
        child = getattr(node, name, None)
        if child is not None:
            yield from parts(child)
    for child in getattr(node, "args", None) or []:
        yield from parts(child)


@pytest.mark.parametrize("expression", list(expressions()))
def test_every_metric_and_label_exists(expression: str, exported: dict[str, set[str]]) -> None:
    nodes = list(parts(promql_parser.parse(expression)))
    selectors = [node for node in nodes if isinstance(node, promql_parser.VectorSelector)]
    assert selectors
    labels = set(OF_THE_SCRAPE)
    for selector in selectors:
        assert selector.name in exported
        labels |= exported[selector.name]
        matched = {matcher.name for matcher in selector.matchers.matchers}
        assert matched <= exported[selector.name] | OF_THE_SCRAPE
    for node in nodes:
        if isinstance(node, promql_parser.AggregateExpr) and node.modifier:
            assert set(node.modifier.labels) <= labels


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule["alert"]) for rule in rules()])
def test_every_alert_says_what_it_means_and_has_a_chapter_in_the_runbook(
    rule: dict[str, Any],
) -> None:
    name = rule["alert"]
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["description"]
    assert rule["annotations"]["runbook"] == f"docs/guides/operate.md#{name.lower()}"
    assert re.search(rf"^### {name}$", RUNBOOK.read_text(), re.MULTILINE)


def test_the_runbook_tells_of_no_alert_that_there_is_not() -> None:
    told = set(re.findall(r"^### (StreamTracker\w+)$", RUNBOOK.read_text(), re.MULTILINE))
    assert told == {rule["alert"] for rule in rules()}


def when_they_fire() -> dict[str, Any]:
    """Return what promtool shall expect; descriptions are those of the rules."""
    expected: dict[str, Any] = yaml.safe_load(WHEN.read_text())
    descriptions = {rule["alert"]: rule["annotations"]["description"] for rule in rules()}
    for case in (case for each in expected["tests"] for case in each["alert_rule_test"]):
        for alert in case["exp_alerts"]:
            alert["exp_annotations"]["description"] = descriptions[case["alertname"]]
    return expected | {"rule_files": [str(RULES)]}


@pytest.mark.skipif(PROMTOOL is None, reason="promtool (of Prometheus) is not installed")
@pytest.mark.parametrize("what", ["check", "test"])
def test_prometheus_takes_the_rules_and_fires_them_when_it_should(
    what: str, tmp_path: Path
) -> None:
    when = tmp_path / "when.yaml"
    when.write_text(yaml.safe_dump(when_they_fire()))
    command = [str(PROMTOOL), what, "rules", str(RULES if what == "check" else when)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_panels_have_names_and_places_of_their_own(path: Path) -> None:
    everything = dashboard(path)["panels"]
    assert len({panel["id"] for panel in everything}) == len(everything)
    taken: set[tuple[int, int]] = set()
    for panel in everything:
        place = panel["gridPos"]
        cells = {
            (place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])
        }
        assert not cells & taken
        taken |= cells
    assert all(panel["title"] for panel in everything)
