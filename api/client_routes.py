"""What every route of the API that clients use has in common."""

from collections.abc import Collection
from typing import Any

from pydantic import BaseModel

from api.auth import rate_limited
from api.body import described_body
from api.error_docs import error_responses
from api.errors import ApiError, BodyTooLarge, ValidationFailed
from api.parameters import query_parameters
from api.request_limits import Counted


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
        body = described_body(body, is_required=needs_body)
    known = (ValidationFailed, *errors, *((BodyTooLarge,) if body else ()))
    return {
        "dependencies": [rate_limited(counted), query_parameters(*query, repeatable=repeatable)],
        "responses": {**(answers or {}), **error_responses(*known)},
        "openapi_extra": body,
    }
