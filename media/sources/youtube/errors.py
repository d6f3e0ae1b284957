"""What can go wrong with a look before anything is found.

Their messages carry no text of the resolvers: it could quote a signed URL.

    ResolverFailed            resolver_failed
     └── ResolverTimedOut     resolver_timeout
"""


class ResolverFailed(Exception):
    """A look came to no end; `reason` is a stable word."""

    reason = "resolver_failed"


class ResolverTimedOut(ResolverFailed):
    """A look took longer than it may, and was killed."""

    reason = "resolver_timeout"
