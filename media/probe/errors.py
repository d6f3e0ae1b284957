"""What may go wrong with a segment."""


class UndecodableSegment(Exception):
    """The segment is no media that can be decoded within its limits; the message says why."""
