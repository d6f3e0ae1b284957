"""What can go wrong with a look before anything is found.

Their messages carry no text of the resolvers: it could quote a signed URL.

    LookFailed            resolver_failed
     └── LookTimedOut     resolver_timeout
"""


class LookFailed(Exception):
    """A look came to no end; `reason` is a stable word."""

    reason = "resolver_failed"


class LookTimedOut(LookFailed):
    """A look took longer than it may, and was killed."""

    reason = "resolver_timeout"
