"""Reading request bodies: bounded, strict JSON, every refusal naming its field."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, Final, NoReturn, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.datastructures import Headers

from api.errors import (
    ApiError,
    BodyTooLarge,
    InvalidConfig,
    InvalidUrl,
    ValidationFailed,
    reason_text,
)

MAX_BODY_BYTES: Final = 64 * 1024
MAX_DEPTH: Final = 32
URL_FIELDS: Final = frozenset({"stream_url", "callback_url"})

MAX_DIGITS: Final = 4300
"""Of an integer: as many as Python reads, because reading more takes too long."""

_UNKEEPABLE = re.compile("[\0\ud800-\udfff]")
_CHARSET = re.compile(r';\s*charset\s*=\s*"?([^";\s]*)', re.IGNORECASE)
_TOO_LONG: Final = object()
"""Stands for an integer of more than `MAX_DIGITS` digits until its path is known."""

ModelT = TypeVar("ModelT", bound=BaseModel)


async def read_body(request: Request) -> bytes:
    """Read the body, whether its length was announced or not.

    Raises:
        BodyTooLarge: over `MAX_BODY_BYTES`; no more than that is kept in memory.
        ValidationFailed: its headers say that it is compressed, or no UTF-8.
    """
    _check_encoding(request.headers)
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > MAX_BODY_BYTES:
        raise _too_large()
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise _too_large()
    return bytes(body)


def parse_json_object(body: bytes, max_depth: int = MAX_DEPTH) -> dict[str, Any]:
    """Parse a JSON object as RFC 8259 has it, no more.

    Raises:
        ValidationFailed: no UTF-8, no JSON, no object, a name twice in an object, NaN or an
            infinity, nested deeper than `max_depth`, or text that no database can keep (NUL, half
            a surrogate pair).
    """
    value = _loaded(body, max_depth)
    for path, leaf in _leaves(value):
        _check_leaf(path, leaf)
    return value


def parse_model(
    kind: type[ModelT], body: bytes, max_depth: int = MAX_DEPTH
) -> tuple[ModelT, dict[str, Any]]:
    """Parse a body as `kind`; return it with the JSON object that it was made from.

    Types are strict: "30" is no number, a number is no time.

    Raises:
        InvalidConfig, InvalidUrl, ValidationFailed: the first field that breaks a rule.
    """
    value = parse_json_object(body, max_depth)
    try:
        return kind.model_validate_json(body, strict=True), value
    except ValidationError as error:
        raise _field_error(error.errors(include_url=False, include_context=False)) from None


def parse_report(kind: type[ModelT], body: bytes, max_depth: int = MAX_DEPTH) -> ModelT:
    """Parse a worker's report; text that no database can keep is replaced by U+FFFD.

    Such text comes from a stream or a receiver, and no event is to be lost for it.

    Raises:
        InvalidConfig, InvalidUrl, ValidationFailed: the first field that breaks a rule.
    """
    value = _loaded(body.decode(errors="replace").encode(), max_depth)
    return parse_model(kind, json.dumps(_keepable(value)).encode(), max_depth)[0]


def _loaded(body: bytes, max_depth: int) -> dict[str, Any]:
    try:
        value = json.loads(
            body.decode(), object_pairs_hook=_object_without_doubles, parse_int=_bounded_integer
        )
    except UnicodeDecodeError as error:
        raise ValidationFailed(f"body: is not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise ValidationFailed(
            f"body: is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from None
    except RecursionError:
        raise ValidationFailed(f"body: is nested deeper than {max_depth} levels") from None
    if not isinstance(value, dict):
        raise ValidationFailed("body: must be a JSON object")
    _check_bounds(value, max_depth)
    return value


def _bounded_integer(digits: str) -> Any:
    return int(digits) if len(digits.removeprefix("-")) <= MAX_DIGITS else _TOO_LONG


def _keepable(value: Any) -> Any:
    if isinstance(value, dict):
        return {_keepable(name): _keepable(child) for name, child in value.items()}
    if isinstance(value, list):
        return [_keepable(child) for child in value]
    return _UNKEEPABLE.sub("\ufffd", value) if isinstance(value, str) else value


def _check_encoding(headers: Headers) -> None:
    """Refuse a body that is said to be something else than JSON in UTF-8, the only form of it.

    Which media type it is said to have does not matter: curl says that of a form.
    """
    if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise ValidationFailed("Content-Encoding: the body must not be compressed")
    charset = _CHARSET.search(headers.get("content-type", ""))
    if charset and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
        raise ValidationFailed("Content-Type: the body must be UTF-8")


def _too_large() -> BodyTooLarge:
    # The server discards the rest while the answer goes out. Closing at once instead would reset
    # the connection of a client that still sends, and the answer would be lost.
    return BodyTooLarge(f"body: is larger than {MAX_BODY_BYTES} bytes")


def _object_without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValidationFailed(f"{shown(name)}: occurs twice in one object")
        found[name] = value
    return found


def _check_bounds(value: dict[str, Any], max_depth: int) -> None:
    for path, node, depth in _nodes(value):
        if depth > max_depth:
            raise ValidationFailed(f"{shown(path)}: is nested deeper than {max_depth} levels")
        if node is _TOO_LONG:
            _refuse(path, f"is a number of more than {MAX_DIGITS} digits")


def _nodes(value: dict[str, Any]) -> Iterator[tuple[str, Any, int]]:
    """Yield each value with its path and the depth of what is nested in it, without recursion."""
    pending: list[tuple[str, Any, int]] = [("", value, 1)]
    while pending:
        path, node, depth = pending.pop()
        yield path, node, depth if isinstance(node, dict | list) else 0
        if isinstance(node, dict):
            pending += [
                (f"{path}.{name}" if path else name, child, depth + 1)
                for name, child in node.items()
            ]
        elif isinstance(node, list):
            pending += [(f"{path}.{index}", child, depth + 1) for index, child in enumerate(node)]


def _leaves(value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield each name and each scalar with its path."""
    for path, node, _ in _nodes(value):
        if isinstance(node, dict):
            yield from ((path or "body", name) for name in node)
        elif not isinstance(node, list):
            yield path, node


def _check_leaf(path: str, leaf: Any) -> None:
    if isinstance(leaf, float) and not math.isfinite(leaf):
        _refuse(path, "is not a finite number")
    if isinstance(leaf, str):
        if "\0" in leaf:
            _refuse(path, "contains a NUL character")
        if _UNKEEPABLE.search(leaf):
            _refuse(path, "contains half of a surrogate pair")


def _refuse(path: str, reason: str) -> NoReturn:
    raise _error_for(shown(path), reason)


def shown(path: str) -> str:
    """Return a path that a client chose as printable text of a bounded length."""
    return path.encode("ascii", "backslashreplace").decode().replace("\0", "\\0")[:200]


def _field_error(problems: list[Any]) -> ApiError:
    problem = problems[0]
    path = shown(".".join(str(part) for part in problem["loc"]))
    if problem["type"] == "missing":
        # Not there is not the same as there and wrong: only the latter is INVALID_URL.
        return ValidationFailed(f"{path}: is required")
    return _error_for(path, reason_text(problem))


def _error_for(path: str, reason: str) -> ApiError:
    message = f"{path or 'body'}: {reason}"
    top = path.partition(".")[0]
    if top in URL_FIELDS:
        return InvalidUrl(message)
    return InvalidConfig(message) if top == "config" else ValidationFailed(message)
