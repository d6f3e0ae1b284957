"""Documents, sent at a fifth of their size or less.

A session's cookie is kept from other sites' requests, so nobody learns the token of a form from the
sizes of answers (BREACH).
"""

import gzip
from collections.abc import Mapping
from typing import Final

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

LEVEL: Final = 5
LEAST_BYTES: Final = 1024


def compressed(document: bytes) -> bytes:
    return gzip.compress(document, LEVEL, mtime=0)


def as_accepted(request: Request, document: bytes, headers: Mapping[str, str]) -> Response:
    """Return a compressed document as the client takes it."""
    known = {**headers, "Vary": ", ".join(filter(None, [headers.get("Vary"), "Accept-Encoding"]))}
    if not _takes_gzip(request):
        return Response(gzip.decompress(document), media_type="text/html", headers=known)
    known["Content-Encoding"] = "gzip"
    return Response(document, media_type="text/html", headers=known)


def compressed_answer(request: Request, answer: Response) -> Response:
    """Compress a document that is not, where the client takes it so."""
    if not isinstance(answer, HTMLResponse) or not _takes_gzip(request):
        return answer
    body = bytes(answer.body)
    if len(body) < LEAST_BYTES:
        return answer
    answer.body = compressed(body)
    answer.headers["Content-Encoding"] = "gzip"
    answer.headers["Content-Length"] = str(len(answer.body))
    answer.headers.add_vary_header("Accept-Encoding")
    return answer


def _takes_gzip(request: Request) -> bool:
    return "gzip" in request.headers.get("Accept-Encoding", "")
