"""The event loop of a process."""

import asyncio


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return the event loop that costs least: uvloop, where it is to be had."""
    try:
        import uvloop
    except ImportError:  # not for every platform
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
