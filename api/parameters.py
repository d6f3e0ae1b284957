"""What the requests and answers of several resources have in common."""

import re
from typing import Annotated, Any, Final

from fastapi import Depends, Path, Query, Request
from pydantic import BaseModel, BeforeValidator, Field

from api.body import shown
from api.errors import ValidationFailed

MAX_OFFSET: Final = 2**31 - 1
_INTEGER: Final = re.compile(r"-?[0-9]{1,30}")


def _decimal(value: Any) -> Any:
    """Refuse what only Python reads as a number: 1_0, +1, 1.0."""
    if isinstance(value, str) and not _INTEGER.fullmatch(value):
        raise ValueError("must be an integer in decimal digits")
    return value


Limit = Annotated[int, Query(ge=1, le=200), BeforeValidator(_decimal)]
Offset = Annotated[int, Query(ge=0, le=MAX_OFFSET), BeforeValidator(_decimal)]
PathId = Annotated[str, Path()]


class Pagination(BaseModel):
    """Which part of how many."""

    total: int = Field(examples=[1])
    limit: int = Field(examples=[50])
    offset: int = Field(examples=[0])


def query_parameters(*known: str) -> Any:
    """Refuse unknown and repeated query parameters: a misspelt filter filters nothing."""

    async def check(request: Request) -> None:
        seen: set[str] = set()
        for name, _ in request.query_params.multi_items():
            if name not in known:
                raise ValidationFailed(f"{shown(name)}: is not known")
            if name in seen:
                raise ValidationFailed(f"{name}: is given twice")
            seen.add(name)

    return Depends(check)


def check_single(request: Request, header: str) -> None:
    if len(request.headers.getlist(header)) > 1:
        raise ValidationFailed(f"{header}: is given twice")
