"""Fetching what several places have, from the first that gives it."""

from collections.abc import Sequence

from media.outbound.errors import FetchError, TooLarge
from media.outbound.fetching import fetch_segment
from media.outbound.stream_client import MediaClient


class Mirrors:
    """Remembers which of a stream's places gave something last: the others come after it.

    Without that each segment would wait for the time-out of a place that is down.
    """

    def __init__(self, client: MediaClient) -> None:
        self._client = client
        self._preferred = 0

    async def fetch(
        self,
        urls: Sequence[str],
        *,
        byte_range: tuple[int, int] | None,
        max_bytes: int,
        total_timeout_sec: float,
    ) -> bytes:
        """Fetch what is at any of `urls`; see `media.outbound.fetching.fetch_segment`.

        Args:
            urls: of the same bytes. A stream lists its places in the same order each time.
            byte_range: see there.
            max_bytes: see there.
            total_timeout_sec: for each place.

        Raises:
            FetchError: no place has it; what the first one said.
        """
        first_error: FetchError | None = None
        for turn in range(len(urls)):
            place = (self._preferred + turn) % len(urls)
            try:
                found = await fetch_segment(
                    self._client,
                    urls[place],
                    byte_range=byte_range,
                    max_bytes=max_bytes,
                    total_timeout_sec=total_timeout_sec,
                )
            except TooLarge:
                raise  # as it is everywhere; the caller may have more room
            except FetchError as error:
                first_error = first_error or error
            else:
                self._preferred = place
                return found
        assert first_error is not None  # noqa: S101
        raise first_error
