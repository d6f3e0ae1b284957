"""Reads a YAML file and remembers the line of every value, so that errors can name it."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

Position = tuple[str | int, ...]
ModelT = TypeVar("ModelT", bound=BaseModel)

_VARIABLE = re.compile(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class FileRefused(Exception):
    """The file cannot be used. The message has a line for each problem, with its line and field."""


@dataclass(frozen=True)
class YamlFile:
    path: Path
    values: Any  # what YAML makes of it, with the variables of the environment filled in

    lines: Mapping[Position, int]
    """The line of each value, by the names and indices that lead to it."""

    def problem(self, position: Position, reason: str) -> str:
        known = position
        while known not in self.lines:
            known = known[:-1]
        field = ".".join(map(str, position))
        return f"{self.path}:{self.lines[known]}: {field + ': ' if field else ''}{reason}"

    def as_model(self, kind: type[ModelT]) -> ModelT:
        """Return the content as a `kind`; raises FileRefused."""
        try:
            return kind.model_validate(self.values)
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False, include_input=False)
            raise FileRefused(
                "\n".join(self.problem(each["loc"], _reason(each)) for each in problems)
            ) from None


def read_yaml(path: Path, environment: Mapping[str, str] = os.environ) -> YamlFile:
    """Read a file; `${NAME}` in a value stands for a variable of the environment, `$$` for `$`.

    Raises:
        FileRefused: it cannot be read, is not YAML, or names a variable that is not set.
    """
    try:
        values, lines = _parsed(path.read_text())
    except OSError as error:
        raise FileRefused(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise FileRefused(f"{path}: is not UTF-8") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise FileRefused(f"{path}:{line}: {error.problem}") from None
    except (yaml.YAMLError, RecursionError):
        raise FileRefused(f"{path}: is not YAML") from None
    unset: list[tuple[Position, str]] = []
    filled = _filled(values, (), environment, unset)
    content = YamlFile(path, filled, lines)
    if unset:
        problems = [content.problem(at, f"${{{name}}} is not set") for at, name in unset]
        raise FileRefused("\n".join(problems))
    return content


class _Loader(yaml.SafeLoader):
    """Times stay texts, as they are in JSON."""

    yaml_implicit_resolvers = {
        first: [each for each in resolvers if each[0] != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _parsed(text: str) -> tuple[Any, dict[Position, int]]:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        lines: dict[Position, int] = {(): 1}
        if node is None:
            return {}, lines
        _check_names(node)
        values = loader.construct_document(node)
        _note_lines(node, (), lines)  # after `<<` was followed
        return values, lines
    finally:
        loader.dispose()


def _check_names(node: yaml.Node) -> None:
    """Refuse a name that occurs twice in one mapping: YAML would take the last."""
    if isinstance(node, yaml.SequenceNode):
        for child in node.value:
            _check_names(child)
    elif isinstance(node, yaml.MappingNode):
        names: set[str] = set()
        for key, child in node.value:
            name = str(key.value)
            if name in names:
                raise yaml.MarkedYAMLError(
                    problem=f"{name}: occurs twice", problem_mark=key.start_mark
                )
            names.add(name)
            _check_names(child)


def _note_lines(node: yaml.Node, at: Position, lines: dict[Position, int]) -> None:
    lines[at] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            _note_lines(child, (*at, index), lines)
    elif isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            _note_lines(child, (*at, key.value), lines)
            lines[(*at, key.value)] = key.start_mark.line + 1


def _filled(
    value: Any, at: Position, environment: Mapping[str, str], unset: list[tuple[Position, str]]
) -> Any:
    if isinstance(value, dict):
        return {key: _filled(child, (*at, key), environment, unset) for key, child in value.items()}
    if isinstance(value, list):
        return [
            _filled(child, (*at, index), environment, unset) for index, child in enumerate(value)
        ]
    if not isinstance(value, str):
        return value

    def text_of(found: re.Match[str]) -> str:
        name = found[1]
        if name is None:
            return "$"
        if name not in environment:
            unset.append((at, name))
        return environment.get(name, "")

    return _VARIABLE.sub(text_of, value)


def _reason(problem: Any) -> str:
    if problem["type"] == "missing":
        return "is required"
    if problem["type"] == "extra_forbidden":
        return "is not known"
    reason = str(problem["msg"]).removeprefix("Value error, ")
    return reason[:1].lower() + reason[1:]
