"""Reads request bodies: bounded, strict JSON; every refusal names the field."""

import json
import math
import re
from typing import Any, Final, TypeVar

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
URL_FIELDS: Final = frozenset({"stream_url", "callback_url", "url"})

MAX_DIGITS: Final = 4300
"""An integer may have as many digits as Python reads: reading more takes too long."""

_UNKEEPABLE = re.compile("[\0\ud800-\udfff]")
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a surrogate pair
    r"|(?P<unkeepable>\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2}))"
    r"|\\."
)
_UNPRINTABLE = re.compile("[^ -~]")
_CHARSET = re.compile(r';\s*charset\s*=\s*"?([^";\s]*)', re.IGNORECASE)
_TOO_LONG: Final = object()
"""Stands for an integer of more than `MAX_DIGITS` digits until its path is known."""

ModelT = TypeVar("ModelT", bound=BaseModel)


async def read_body(request: Request, *, most_bytes: int = MAX_BODY_BYTES) -> bytes:
    """Read the body, whether its length was announced or not.

    Raises:
        BodyTooLarge: over `most_bytes`; no more than that is kept in memory.
        ValidationFailed: its headers say that it is compressed or not UTF-8.
    """
    check_announced(request, most_bytes)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most_bytes:
            raise too_large(most_bytes)
    return bytes(body)


def check_announced(request: Request, most_bytes: int) -> None:
    """Refuse a body by what its headers say of it; raises as `read_body`."""
    _check_encoding(request.headers)
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > most_bytes:
        raise too_large(most_bytes)


def parse_json_object(body: bytes) -> dict[str, Any]:
    """Parse a JSON object as RFC 8259 has it, no more.

    Raises:
        InvalidConfig, InvalidUrl, ValidationFailed: no UTF-8, no JSON, no object, a name twice in
            an object, NaN or an infinity, a number of more than `MAX_DIGITS` digits, nested deeper
            than `MAX_DEPTH`, or text that no database can keep (NUL, half a surrogate pair).
    """
    value = _loaded(body)
    _check(value, MAX_DEPTH)
    return value


def parse_model(kind: type[ModelT], body: bytes) -> ModelT:
    """Parse a body as `kind`; the first field that breaks a rule is an error as above."""
    parse_json_object(body)
    return validated(kind, body)


def validated(kind: type[ModelT], body: bytes) -> ModelT:
    """Return a body that `parse_json_object` takes as `kind`; raises as `parse_model`.

    Types are strict: "30" is no number, a number is no time.
    """
    try:
        return kind.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise _field_error(error.errors(include_url=False, include_context=False)) from None


def parse_report(kind: type[ModelT], body: bytes) -> ModelT:
    """Parse a worker's report; text that no database can keep is replaced by U+FFFD.

    Such text comes from a stream or a receiver, and no event is to be lost because of it. Free JSON
    in a report still needs `check_values`.
    """
    text = body.decode(errors="replace")
    if "\\u" in text:
        text = _ESCAPE.sub(lambda found: "\ufffd" if found["unkeepable"] else found[0], text)
    return validated(kind, text.encode())


def check_values(field: str, value: dict[str, Any]) -> None:
    """Refuse NaN, infinities and deep nesting in the JSON object that a report has in `field`."""
    _check({field: value}, MAX_DEPTH + 1)


def _loaded(body: bytes) -> dict[str, Any]:
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
        raise ValidationFailed(f"body: is nested deeper than {MAX_DEPTH} levels") from None
    if not isinstance(value, dict):
        raise ValidationFailed("body: must be a JSON object")
    return value


def _bounded_integer(digits: str) -> Any:
    return int(digits) if len(digits.removeprefix("-")) <= MAX_DIGITS else _TOO_LONG


def _check_encoding(headers: Headers) -> None:
    """Refuse a body that is said to be something else than JSON in UTF-8, the only form of it.

    Which media type it is said to have does not matter: curl says that of a form.
    """
    if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise ValidationFailed("Content-Encoding: the body must not be compressed")
    charset = _CHARSET.search(headers.get("content-type", ""))
    if charset and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
        raise ValidationFailed("Content-Type: the body must be UTF-8")


def too_large(most_bytes: int) -> BodyTooLarge:
    # The server discards the rest while the answer goes out. Closing at once instead would reset
    # the connection of a client that still sends, and the answer would be lost.
    return BodyTooLarge(f"body: is larger than {most_bytes} bytes")


def _object_without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValidationFailed(f"{shown(name)}: occurs twice in one object")
        found[name] = value
    return found


class _Refused(Exception):
    """A value breaks a rule; `path` leads to it, the innermost name first."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.path: list[str | int] = []


def _check(value: dict[str, Any], levels: int) -> None:
    try:
        _check_nested(value, levels)
    except _Refused as refused:
        path = ".".join(str(name) for name in reversed(refused.path))
        raise _error_for(shown(path), str(refused)) from None


def _check_nested(value: Any, levels: int) -> None:
    """Check a value that may be nested `levels` deep."""
    if not isinstance(value, dict | list):
        _check_scalar(value)
        return
    if levels == 0:
        raise _Refused(f"is nested deeper than {MAX_DEPTH} levels")
    for name, child in value.items() if isinstance(value, dict) else enumerate(value):
        _check_scalar(name)
        try:
            _check_nested(child, levels - 1)
        except _Refused as refused:
            refused.path.append(name)  # only of what is refused: a path may be long
            raise


def _check_scalar(value: Any) -> None:
    if isinstance(value, str):
        if "\0" in value:
            raise _Refused("contains a NUL character")
        if _UNKEEPABLE.search(value):
            raise _Refused("contains half of a surrogate pair")
    elif isinstance(value, float) and not math.isfinite(value):
        raise _Refused("is not a finite number")
    elif value is _TOO_LONG:
        raise _Refused(f"is a number of more than {MAX_DIGITS} digits")


def shown(path: str) -> str:
    """Return a path that a client chose as printable text of a bounded length."""
    return _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], path[:200])[:200]


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
