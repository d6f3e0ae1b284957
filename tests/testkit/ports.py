"""Free ports of 127.0.0.1."""

import random
import socket

_given: set[int] = set()


def free_port() -> int:
    """Return a port that is free, of those that no outgoing connection takes meanwhile.

    Each one is returned once: whoever got it may not listen there yet, or be down for a moment.
    """
    while True:
        port = random.randrange(20_000, 32_000)
        if port in _given:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
