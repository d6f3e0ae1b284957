"""What may go wrong with a segment."""


class UndecodableSegment(Exception):
    """The segment is no media that can be decoded within its limits; the message says why."""


class NotConfined(Exception):
    """Decoders cannot be locked in on this machine, and have to be."""

    def __init__(self) -> None:
        super().__init__(
            "REQUIRE_CONFINEMENT: decoders cannot be locked in by a system call filter on this "
            "machine; false lets them run without"
        )
