"""Scripts and styles, kept in memory and served under a path that changes when they do."""

import gzip
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response

from api.errors import NotFound

FOLDER: Final = Path(__file__).parent / "static"
TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_HEADERS: Final = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}

FILES: Final = {path.name: path.read_bytes() for path in sorted(FOLDER.iterdir())}
_COMPRESSED: Final = {name: gzip.compress(content, mtime=0) for name, content in FILES.items()}
# One digest for all: modules import each other by relative paths.
VERSION: Final = hashlib.sha256(
    b"\0".join(name.encode() + b"\0" + content for name, content in FILES.items())
).hexdigest()[:16]
PREFIX: Final = f"/static/{VERSION}"

_IMPORT: Final = re.compile(r'^import .* from "\./([\w.]+)";$', re.MULTILINE)

router = APIRouter(include_in_schema=False)


def with_imports(names: Sequence[str]) -> list[str]:
    """Return modules with all that they import: a browser that is told loads them at once."""
    found = list(dict.fromkeys(names))
    for name in found:  # which grows
        found += [each for each in _IMPORT.findall(FILES[name].decode()) if each not in found]
    return found


@router.get("/static/{version}/{name}")
async def static_file(request: Request, version: str, name: str) -> Response:
    """Return a file; an old page gets nothing of another version."""
    content = FILES.get(name)
    if content is None or version != VERSION:
        raise NotFound("There is nothing at this path")
    headers = _HEADERS
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        content, headers = _COMPRESSED[name], {**_HEADERS, "Content-Encoding": "gzip"}
    return Response(content, media_type=TYPES[Path(name).suffix], headers=headers)
