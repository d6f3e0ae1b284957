"""`python -m tests.docs.recording`: record `make demo`, and keep the picture of its page."""

import codecs
import json
import os
import pty
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from cli.demo.runner import SCREENSHOT
from tests.docs.reference import DOCS

PICTURE = DOCS / "images" / "demo.svg"
PAGE = DOCS / "images" / "page.webp"
PAGE_WIDTH, PAGE_QUALITY = 1000, 80
COMMAND = [str(Path(sys.executable).parent / "stream-tracker"), "demo"]
COLUMNS, ROWS = 110, 22
SPEED = 5.0
KEY = re.compile(r"(API_KEY\s+)([\w-]+)")
FRAME_MS, LAST_FRAME_MS = 300, 6000


def record(command: list[str]) -> Iterator[tuple[float, str]]:
    """Run a command in a terminal of its own and yield what it prints, and when.

    Raises:
        subprocess.CalledProcessError: the command failed.
    """
    child, terminal = pty.fork()
    if child == 0:
        os.environ |= {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LINES": str(ROWS)}
        os.execv(command[0], command)
    began = time.monotonic()
    decoder = codecs.getincrementaldecoder("utf-8")()  # A read may end within a character.
    while printed := _read(terminal):
        yield time.monotonic() - began, decoder.decode(printed)
    _, status = os.waitpid(child, 0)
    if code := os.waitstatus_to_exitcode(status):
        raise subprocess.CalledProcessError(code, command)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # Linux says so when the last process has closed the terminal.
        return b""


def main() -> None:
    """Record the demo and render the recording, faster than it was."""
    with tempfile.TemporaryDirectory() as folder:
        cast = Path(folder) / "demo.cast"
        lines: list[object] = [{"version": 2, "width": COLUMNS, "height": ROWS}]
        lines += [[at / SPEED, "o", printed] for at, printed in record(COMMAND)]
        cast.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        options = ["-t", "window_frame", "-m", str(FRAME_MS), "-D", str(LAST_FRAME_MS)]
        render = [sys.executable, "-m", "termtosvg", "render", str(cast), str(PICTURE), *options]
        subprocess.run(render, check=True)
    PICTURE.write_text(KEY.sub(lambda key: key[1] + "*" * len(key[2]), PICTURE.read_text()))
    keep_page(SCREENSHOT)


def keep_page(screenshot: Path) -> None:
    """Keep the picture of the page, smaller, for the docs."""
    with Image.open(screenshot) as image:
        image.thumbnail((PAGE_WIDTH, image.height))
        image.save(PAGE, quality=PAGE_QUALITY)


if __name__ == "__main__":
    main()
