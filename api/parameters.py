"""What the routes of several resources have in common."""

import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import Depends, Path, Query, Request
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    Field,
    WithJsonSchema,
)

from api.auth import rate_limited
from api.body import MAX_BODY_BYTES, shown
from api.error_docs import error_responses
from api.errors import ApiError, BodyTooLarge, ValidationFailed
from api.request_limits import Counted
from api.store.filters import Label
from monitors.labels import KEY_PATTERN, MAX_LABELS

APPLIED_BY: Final = "Which set of files `stream-tracker apply` made it from."
MAX_OFFSET: Final = 2**31 - 1
_LABEL_TEXT: Final = re.compile(rf"({KEY_PATTERN.strip('^$')}):([^\0]+)")
_LABEL_PATTERN: Final = r"^[a-z0-9._/-]{1,63}:[^\x00]*$"
_INTEGER: Final = re.compile(r"-?[0-9]{1,30}")


def _decimal(value: Any) -> Any:
    """Refuse what only Python reads as a number: 1_0, +1, 1.0."""
    if isinstance(value, str) and not _INTEGER.fullmatch(value):
        raise ValueError("must be an integer in decimal digits")
    return value


Limit = Annotated[int, Query(ge=1, le=200), BeforeValidator(_decimal)]
Offset = Annotated[int, Query(ge=0, le=MAX_OFFSET), BeforeValidator(_decimal)]
Count = Annotated[int, Field(ge=0, le=MAX_OFFSET), BeforeValidator(_decimal)]
PathId = Annotated[str, Path()]

_ISO: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*")


def _iso(value: Any) -> Any:
    """Refuse what only pydantic reads as a time: 1767225600."""
    if isinstance(value, str) and not _ISO.fullmatch(value):
        raise ValueError("must be an ISO 8601 time with offset, as in 2026-01-31T12:00:00Z")
    return value


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("is outside of the calendar in UTC") from None


Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_iso),
    AfterValidator(_in_utc),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


EmptyIsNone: Final = BeforeValidator(lambda value: value or None)
"""Reads `?status=` as no filter at all."""


class Pagination(BaseModel):
    """Which part of how many."""

    total: int = Field(examples=[1])
    limit: int = Field(examples=[50])
    offset: int = Field(examples=[0])


def query_parameters(*known: str, repeatable: Collection[str] = ()) -> Any:
    """Refuse unknown and repeated query parameters: a misspelt filter filters nothing."""

    async def check(request: Request) -> None:
        seen: set[str] = set()
        for name, _ in request.query_params.multi_items():
            if name in repeatable:
                continue
            if name not in known:
                raise ValidationFailed(f"{shown(name)}: is not known")
            if name in seen:
                raise ValidationFailed(f"{name}: is given twice")
            seen.add(name)

    return Depends(check)


def _label_filter(
    label: Annotated[
        list[Annotated[str, WithJsonSchema({"type": "string", "pattern": _LABEL_PATTERN})]],
        # Told, not checked here: our own words say better what is wrong with a label.
        Query(
            description="KEY:VALUE, which the monitor's labels must have; may be repeated.",
            json_schema_extra={"maxItems": MAX_LABELS},
        ),
    ] = [],  # noqa: B006  # the framework copies it
) -> list[Label]:
    if len(label) > MAX_LABELS:
        raise ValidationFailed(f"label: is given more than {MAX_LABELS} times")
    pairs = [text.partition(":") for text in label]
    if not all(colon and re.fullmatch(KEY_PATTERN, key) for key, colon, _ in pairs):
        raise ValidationFailed("label: must be KEY:VALUE, as in team:sport")
    if any("\0" in value for _, _, value in pairs):  # PostgreSQL refuses the question
        raise ValidationFailed("label: contains a NUL character")
    return [(key, value) for key, _, value in pairs]


LabelFilter = Annotated[list[Label], Depends(_label_filter)]


class LabelText:
    """A label as people write it into a form: nothing, or no KEY:VALUE, is no filter."""

    def __init__(self, text: str) -> None:
        self.text = text.strip()[:400]
        found = _LABEL_TEXT.fullmatch(self.text)
        self.labels: list[Label] = [(found[1], found[2])] if found else []

    @property
    def is_wrong(self) -> bool:
        return bool(self.text and not self.labels)


def check_single(request: Request, header: str) -> None:
    if len(request.headers.getlist(header)) > 1:
        raise ValidationFailed(f"{header}: is given twice")


def client_route(
    counted: Counted,
    *errors: type[ApiError],
    query: Collection[str] = (),
    repeatable: Collection[str] = (),
    body: type[BaseModel] | dict[str, Any] | None = None,
    needs_body: bool = True,
    answers: dict[int | str, dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return the arguments of a route that needs a key.

    Args:
        counted: as what a request is counted.
        errors: that it documents, besides those of every route.
        query: its query parameters; all others are refused, and these when they come twice.
        repeatable: query parameters that may come several times.
        body: of a request, which the route reads itself; or what OpenAPI says of it.
        needs_body: false: an empty one is the default.
        answers: that it documents, besides errors and the plain success.
    """
    if isinstance(body, type):
        body = _described(body, is_required=needs_body)
    known = (ValidationFailed, *errors, *((BodyTooLarge,) if body else ()))
    return {
        "dependencies": [rate_limited(counted), query_parameters(*query, repeatable=repeatable)],
        "responses": {**(answers or {}), **error_responses(*known)},
        "openapi_extra": body,
    }


def _described(model: type[BaseModel], *, is_required: bool) -> dict[str, Any]:
    """Describe a body that the route reads itself; `api.openapi` adds the schema of `model`."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {
        "requestBody": {
            "required": is_required,
            "description": f"Up to {MAX_BODY_BYTES} bytes.",
            "content": {"application/json": {"schema": schema}},
        }
    }
