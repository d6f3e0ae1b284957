"""Documents full of bars, sent at a tenth of their size."""

import gzip
from collections.abc import Mapping
from typing import Final

from fastapi import Request, Response

LEVEL: Final = 5


def compressed(document: bytes) -> bytes:
    return gzip.compress(document, LEVEL, mtime=0)


def as_accepted(request: Request, document: bytes, headers: Mapping[str, str]) -> Response:
    """Return a compressed document as the client takes it.

    A session's cookie is kept from other sites' requests, so nobody learns the token of a form
    from the sizes of answers (BREACH).
    """
    known = {**headers, "Vary": ", ".join(filter(None, [headers.get("Vary"), "Accept-Encoding"]))}
    if "gzip" not in request.headers.get("Accept-Encoding", ""):
        return Response(gzip.decompress(document), media_type="text/html", headers=known)
    known["Content-Encoding"] = "gzip"
    return Response(document, media_type="text/html", headers=known)
