"""The reference pages of the docs, made from what they describe.

`python -m tests.docs.reference` writes them (as `make docs` does); a test keeps them current.
"""

import asyncio
import inspect
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import typer
import typer.main
import yaml
from prometheus_client.parser import text_string_to_metric_families
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings
from typer.core import TyperGroup, TyperOption

from cli.main import app
from runtime.settings import (
    EmbeddedSettings,
    GatewaySettings,
    StreamSettings,
    WorkerSettings,
)
from runtime.shared_settings import EvidenceLinkSettings, SharedSettings
from tests.deploy.expositions import gateway_exposition, worker_exposition

DOCS: Final = Path(__file__).parents[2] / "docs"
ALERTS: Final = DOCS.parent / "deploy" / "dashboards" / "alerts.yaml"
BEGIN: Final = "<!-- generated: {name} -->\n"
END: Final = "<!-- generated: end -->\n"
GENERATED: Final = re.compile(r"<!-- generated: (\w+) -->\n.*?<!-- generated: end -->\n", re.DOTALL)

Json = dict[str, Any]


def pages() -> list[Path]:
    """Return the pages with generated parts."""
    return sorted(page for page in DOCS.rglob("*.md") if GENERATED.search(page.read_text()))


def renewed(text: str) -> str:
    """Return a page's `text` with its generated parts as they are now."""
    return GENERATED.sub(
        lambda found: BEGIN.format(name=found[1]) + PARTS[found[1]]() + END,
        text,
    )


def settings() -> str:
    readers: dict[str, type[BaseSettings]] = {
        "gateway, worker": SharedSettings,
        "gateway, orchestrator": EvidenceLinkSettings,
        "gateway": GatewaySettings,
        "worker, watch": StreamSettings,
        "worker": WorkerSettings,
        "`make up`": EmbeddedSettings,
    }
    return _table(
        ("variable", "read by", "default", "meaning"),
        (
            (
                f"`{name.upper()}`",
                reader,
                _default(field),
                " ".join((field.description or "").split()),
            )
            for reader, kind in readers.items()
            for name, field in kind.model_fields.items()
            if name not in _inherited(kind)
        ),
    )


def _inherited(kind: type[BaseSettings]) -> set[str]:
    known = [SharedSettings, EvidenceLinkSettings, StreamSettings]
    bases = [each for each in known if each is not kind and issubclass(kind, each)]
    return {name for each in bases for name in each.model_fields}


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "required"
    return _value(field.default)


def calls() -> str:
    paths: Mapping[str, Mapping[str, Json]] = _description()["paths"]
    return "\n".join(
        _call(f"{method.upper()} {path}", operation)
        for path, operations in paths.items()
        for method, operation in operations.items()
    )


def _call(name: str, operation: Json) -> str:
    parameters = _table(
        ("parameter", "in", "type", "meaning"),
        (
            (f"`{each['name']}`", each["in"], _type(each["schema"]), each.get("description", ""))
            for each in operation.get("parameters", [])
            if each["in"] != "path"
        ),
    )
    body = _body(operation["requestBody"]) if "requestBody" in operation else ""
    parts = [
        f"### {name}\n",
        operation.get("description", "") + "\n",
        f"Body: {body}.\n" if body else "",
        parameters,
        _answers(operation["responses"]) + "\n",
    ]
    return "\n".join(part for part in parts if part)


def _answers(responses: Json) -> str:
    told: list[str] = []
    for status, answer in responses.items():
        codes = re.findall(r"[A-Z]+_[A-Z_]+|UNAUTHORIZED|FORBIDDEN", answer["description"])
        told.append(f"{status} {', '.join(f'`{code}`' for code in codes) or _body(answer)}")
    return f"Answers: {'; '.join(told)}."


def _body(holder: Json) -> str:
    (media,) = list(holder.get("content", {"": {}}).values())[:1]
    return _type(media.get("schema", {}))


def bodies() -> str:
    schemas: Mapping[str, Json] = _description()["components"]["schemas"]
    return "\n".join(
        _schema(name, schema) for name, schema in schemas.items() if not name.startswith("Error")
    )


def _schema(name: str, schema: Json) -> str:
    head = f"### {name}\n"
    if "enum" in schema:
        return f"{head}\n{', '.join(f'`{value}`' for value in schema['enum'])}\n"
    attributes = _attributes(schema.get("description", ""))
    rows = (
        (
            f"`{field}`",
            _type(told),
            _value(told["default"]) if "default" in told else "",
            told.get("description") or attributes.get(field, ""),
        )
        for field, told in schema.get("properties", {}).items()
    )
    return f"{head}\n{_table(('field', 'type', 'default', 'meaning'), rows)}"


def _attributes(docstring: str) -> dict[str, str]:
    """Return what a docstring says of each attribute."""
    section = docstring.partition("Attributes:\n")[2].partition("\n\n")[0]
    found = re.findall(r"^    (\w[\w, ]*): (.*(?:\n     .*)*)", section, re.MULTILINE)
    return {
        name: (text[:1].upper() + text[1:]).replace("None", "null")
        for names, text in found
        for name in names.split(", ")
    }


def _type(schema: Json) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return " or ".join(map(_type, schema[several]))
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    kind = str(schema.get("format") or schema.get("type", ""))
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is None:
        return kind
    return (
        f"{kind}, {least:.10g} to {most:.10g}"
        if most is not None
        else f"{kind}, at least {least:.10g}"
    )


def metrics() -> str:
    expositions = {"gateway": gateway_exposition(), "worker": asyncio.run(worker_exposition())}
    return _table(
        ("metric", "served by", "type", "labels", "meaning"),
        (
            (f"`{family.name}{_suffix(family.type)}`", server, family.type, _labels(family), told)
            for server, exposition in expositions.items()
            for family in text_string_to_metric_families(exposition)
            if family.name.startswith("stream_tracker_")
            for told in [family.documentation]
            if family.type != "unknown" and not family.name.endswith("_created")
        ),
    )


def _suffix(kind: str) -> str:
    return "_total" if kind == "counter" else ""


def _labels(family: Any) -> str:
    labels = {label: None for sample in family.samples for label in sample.labels if label != "le"}
    return ", ".join(f"`{label}`" for label in labels)


def commands() -> str:
    command = typer.main.get_command(app)
    return "\n".join(_command(command, "stream-tracker"))


def _command(command: Any, name: str) -> Iterator[str]:
    context = typer.Context(command, info_name=name)
    if isinstance(command, TyperGroup):
        for each in command.list_commands(context):
            found = command.get_command(context, each)
            if found is not None and not found.hidden:
                yield from _command(found, f"{name} {each}")
        return
    pieces = [piece.strip("{}").upper() for piece in command.collect_usage_pieces(context)]
    help_text = inspect.cleandoc(command.help or "")
    options = _table(
        ("option", "default", "meaning"),
        (
            (_flags(each), _value(each.default), str(getattr(each, "help", "") or ""))
            for each in command.params
            if isinstance(each, TyperOption) and not each.hidden and each.name != "help"
        ),
    )
    yield "\n".join(
        part
        for part in (f"### {name}\n", f"`{name} {' '.join(pieces)}`\n", f"{help_text}\n", options)
        if part
    )


def runbook() -> str:
    (group,) = yaml.safe_load(ALERTS.read_text())["groups"]
    return "\n".join(
        f"### {rule['alert']}\n\n{rule['annotations']['description']}\n" for rule in group["rules"]
    )


def _flags(option: TyperOption) -> str:
    return ", ".join(f"`{flag}`" for flag in (*option.opts, *option.secondary_opts))


def _value(value: Any) -> str:
    if value in (None, "", []) or not isinstance(value, str | int | float | Path | dict):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(map(_cell, row)) + " |\n" for row in rows]
    return "".join([f"| {' | '.join(head)} |\n", "|" + "---|" * len(head) + "\n", *lines]) * any(
        lines
    )


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _description() -> Json:
    description: Json = json.loads((DOCS / "openapi.json").read_text())
    return description


PARTS: Final[Mapping[str, Callable[[], str]]] = {
    "settings": settings,
    "calls": calls,
    "bodies": bodies,
    "metrics": metrics,
    "commands": commands,
    "runbook": runbook,
}


def main() -> None:
    """Write all generated parts."""
    for page in pages():
        page.write_text(renewed(page.read_text()))


if __name__ == "__main__":
    main()
