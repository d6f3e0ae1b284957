"""Reads one large manifest in a process of its own, which may die: `python -m media.dash`.

It gets a line of JSON (the arguments of `read_manifest`), then the manifest, and answers with JSON.
It imports nothing beyond the standard library, so that it starts in 50 ms.
"""

import json
import sys
import time
from dataclasses import asdict
from datetime import datetime
from typing import Any

from media.dash.to_hls import TrackPlaylist, read_manifest
from media.hls.errors import PlaylistError


def main() -> None:
    head, _, text = sys.stdin.buffer.read().partition(b"\n")
    answer = _answer(text.decode(), **json.loads(head))
    answer["read_sec"] = time.process_time()
    json.dump(answer, sys.stdout, default=datetime.isoformat)


def _answer(text: str, *, final_url: str, url: str, now: str) -> dict[str, Any]:
    try:
        read = read_manifest(text, final_url, url=url, now=datetime.fromisoformat(now))
    except PlaylistError as error:
        return {"error": type(error).__name__, "message": str(error)}
    if isinstance(read, TrackPlaylist):
        return {"track": (asdict(read.playlist), *read[1:])}
    return {"master": asdict(read)}


main()
