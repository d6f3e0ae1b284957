"""The version of this installation."""

from importlib.metadata import version

VERSION = version("stream-tracker")
USER_AGENT = f"stream-tracker/{VERSION}"
