"""The unmodified streamlink as a library. Runs in a process of its own, see `resolvers`."""

import logging
from typing import Any

from streamlink.exceptions import PluginError
from streamlink.session.session import Streamlink

from tests.simulator.youtube.looked import Looked


def find_streams(options: dict[str, Any], url: str) -> Looked:
    """Look at a page; `info` maps the names of streams to their master playlist."""
    looked = Looked()
    log = logging.getLogger("streamlink")
    log.addHandler(_Capture(looked.messages))
    session = Streamlink(options)
    try:
        found = session.streams(url)
        looked.info = {name: stream.to_manifest_url() for name, stream in found.items()}
    except PluginError as error:
        looked.raised = str(error)
    finally:
        log.handlers.clear()
        session.http.close()
    return looked


class _Capture(logging.Handler):
    def __init__(self, messages: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._messages = messages

    def emit(self, record: logging.LogRecord) -> None:
        self._messages.append(record.getMessage())
