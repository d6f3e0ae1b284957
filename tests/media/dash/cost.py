"""What reading a manifest costs, counted and not timed."""

import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from types import FrameType
from typing import Any

from media.dash.presentation import Content, Track
from media.dash.to_hls import read_manifest
from media.hls.errors import PlaylistError
from tests.media.dash.build import START, URL

CALLS_PER_CHAR = 25
CALLS_IN_ANY_CASE = 200_000
"""The 1,000 newest segments are made of the shortest manifest that names so many, of 3 tracks."""

BYTES_PER_CHAR = 120
BYTES_IN_ANY_CASE = 6 * 1024 * 1024


@dataclass
class Cost:
    """Calls of functions, and the most memory held at once."""

    calls: int = 0
    peak_bytes: int = 0

    def is_linear_in(self, text: str) -> bool:
        """Return whether it is in proportion to the length of a manifest that was read 4 times."""
        return self.calls <= CALLS_IN_ANY_CASE + CALLS_PER_CHAR * len(
            text
        ) and self.peak_bytes <= BYTES_IN_ANY_CASE + BYTES_PER_CHAR * len(text)


@contextmanager
def counted() -> Iterator[Cost]:
    """Count what is done inside."""
    cost = Cost()

    def count(frame: FrameType, event: str, argument: Any) -> None:
        cost.calls += event.endswith("call")

    tracemalloc.start()
    sys.setprofile(count)
    try:
        yield cost
    finally:
        sys.setprofile(None)
        cost.peak_bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()


def cost_of(text: str) -> Cost:
    """Read a manifest in each way there is; what it is refused for costs, too."""
    now = START + timedelta(days=9)
    with counted() as cost:
        for url in (URL, *(Track(content, "v").url(URL) for content in Content)):
            with suppress(PlaylistError):
                read_manifest(text, URL, url=url, now=now)
    return cost
