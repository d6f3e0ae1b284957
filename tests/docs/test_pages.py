"""The pages: their links lead somewhere, what they name exists, and they stay short."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
import typer.main
from typer.core import TyperGroup

from benchmarks.__main__ import BENCHMARKS
from cli.main import app
from monitors.events import EndReason, EventType, StreamEvent
from tests.docs.reference import DOCS, GENERATED, pages, renewed

ROOT = DOCS.parent
README, CONTRIBUTING = ROOT / "README.md", ROOT / "CONTRIBUTING.md"
OUTSIDE = [README, ROOT / "README.ja.md", CONTRIBUTING, ROOT / "CHANGELOG.md"]
SITE = sorted(DOCS.rglob("*.md"))
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"^```(?:sh|bash)\n(.*?)^```|`([^`\n]+)`", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|sh|yaml|json|md|toml|txt)|(?:[\w.-]+/)+)`")
README_MAX_WORDS, DOCS_MAX_WORDS = 700, 12_000


def words(text: str) -> int:
    return sum(any(letter.isalnum() for letter in word) for word in text.split())


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    plain = [re.sub(r"[^\w\s-]", "", heading.lower()) for heading in headings]
    return {re.sub(r"\s", "-", heading.strip()) for heading in plain}


def code(page: Path) -> str:
    found = CODE.findall(GENERATED.sub("", page.read_text()))
    return "\n".join("".join(each) for each in found).replace("\\\n", " ")


def test_the_readme_is_short() -> None:
    assert words(README.read_text()) <= README_MAX_WORDS


def test_the_docs_are_short() -> None:
    assert sum(words(GENERATED.sub("", page.read_text())) for page in SITE) <= DOCS_MAX_WORDS


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_the_reference_is_current(page: Path) -> None:
    text = page.read_text()
    assert renewed(text) == text, "run: make docs"


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    """MkDocs finds links and anchors that lead nowhere, and pages outside of the navigation."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(tmp_path)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    loaded = re.compile(r'<(?:script|img|link rel="(?:stylesheet|preload)")[^>]*"https?://[^"]*')
    assert not [
        found for page in tmp_path.rglob("*.html") for found in loaded.findall(page.read_text())
    ]


@pytest.mark.parametrize("page", OUTSIDE, ids=lambda page: page.name)
def test_links_from_outside_the_site_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", OUTSIDE + SITE, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_are_named_exist(page: Path) -> None:
    named = set(FILE.findall(page.read_text()))
    missing = {name for name in named if not (ROOT / name).exists()}
    assert {name for name in missing if (ROOT / name.split("/")[0]).exists()} == set()


@pytest.mark.parametrize("page", OUTSIDE + SITE, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_that_are_named_exist(page: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for line in code(page).splitlines():
        for target in re.findall(r"\bmake ([a-z-]+)", line):
            assert target in targets, line
        for benchmark in re.findall(r"\bBENCH=([a-z.]+)", line):
            assert benchmark in BENCHMARKS, line
        for given in re.findall(
            r"(?<![/\w-])stream-tracker ((?:[a-z]+ ?)*)((?: ?--[a-z-]+)*)", line
        ):
            _check_command(given[0].split(), given[1].split(), line)


def _check_command(names: list[str], options: list[str], line: str) -> None:
    command = typer.main.get_command(app)
    context = typer.Context(command)
    for name in names:
        if not isinstance(command, TyperGroup):
            return  # what follows is an argument
        found = command.get_command(context, name)
        assert found is not None, line
        command = found
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    assert set(options) <= known, line


def test_every_event_is_described() -> None:
    text = (DOCS / "reference" / "events.md").read_text()
    for each in (*EventType, *EndReason):
        assert f"`{each}`" in text


def test_the_example_of_an_event_has_every_field() -> None:
    example = re.search(r"```json\n(.*?)```", (DOCS / "reference" / "events.md").read_text(), re.S)
    assert example
    assert json.loads(example[1]).keys() == StreamEvent.model_fields.keys()
