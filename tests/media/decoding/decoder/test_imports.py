"""A decoder starts fast and small: it imports what it computes with, and no more."""

import subprocess
import sys

HEAVY = {"pydantic", "pydantic_core", "PIL", "httpx", "structlog", "temporalio"}


def test_a_decoder_imports_no_more_than_it_needs() -> None:
    code = "import sys, media.decoding.decoder.__main__; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert {"numpy", "av"} <= loaded
    assert not loaded & HEAVY
