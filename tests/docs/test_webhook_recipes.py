"""The recipes beside docs/guides/webhooks.md verify what is genuine, and nothing else."""

import atexit
import base64
import functools
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from monitors.webhook_signing import signature_headers

DOCUMENT = Path(__file__).parents[2] / "docs" / "guides" / "webhooks.md"
NEW, OLD, OTHER = b"new-key-of-32-bytes-0123456789ab", b"old-key-of-32-bytes", b"another-key"
BODY = '{"event_id":"evt-1","metadata":{"name":"Grüße 🎥"}}'.encode()
NODE = shutil.which("node")
GO = shutil.which("go")
BUILD_SEC = 240
"""Go compiles its own library when it does so for the first time on a machine."""

Verify = Callable[[Sequence[bytes], Mapping[str, str], bytes], bool]

CALL = """
const given = JSON.parse(require("node:fs").readFileSync(0));
const bytes = (text) => Buffer.from(text, "base64");
console.log(verify(given.keys.map(bytes), given.headers, bytes(given.body)));
"""

GO_PROGRAM = """
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	var given struct {
		Keys    [][]byte
		Headers map[string]string
		Body    []byte
	}
	if err := json.NewDecoder(os.Stdin).Decode(&given); err != nil {
		panic(err)
	}
	header := http.Header{}
	for name, value := range given.Headers {
		header.Set(name, value)
	}
	fmt.Println(verify(given.Keys, header, given.Body))
}

"""


def in_python(keys: Sequence[bytes], headers: Mapping[str, str], body: bytes) -> bool:
    names: dict[str, Any] = {}
    (recipe,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    exec(recipe, names)
    return bool(names["verify"](list(keys), dict(headers), body))


def in_javascript(keys: Sequence[bytes], headers: Mapping[str, str], body: bytes) -> bool:
    return _asked(
        [str(NODE), "-e", DOCUMENT.with_name("verify.js").read_text() + CALL], keys, headers, body
    )


@functools.cache
def go_program() -> Path:
    """Build the recipe with a program around it; needs no module but Go's own."""
    folder = Path(tempfile.mkdtemp(prefix="stream-tracker-go-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "verify.go").write_text(GO_PROGRAM + DOCUMENT.with_name("verify.go").read_text())
    environment = {
        **os.environ,
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=mod",
        "GOPROXY": "off",
    }
    command = [str(GO), "build", "-o", "verify", "verify.go"]
    subprocess.run(command, cwd=folder, env=environment, check=True, timeout=BUILD_SEC)
    return folder / "verify"


def in_go(keys: Sequence[bytes], headers: Mapping[str, str], body: bytes) -> bool:
    return _asked([str(go_program())], keys, headers, body)


def _asked(
    command: list[str], keys: Sequence[bytes], headers: Mapping[str, str], body: bytes
) -> bool:
    def text(data: bytes) -> str:
        return base64.b64encode(data).decode()

    given = {"keys": [text(key) for key in keys], "headers": dict(headers), "body": text(body)}
    done = subprocess.run(
        command,
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return done.stdout.strip() == "true"


def signed(*keys: bytes, age_sec: int = 0, **changed: str) -> dict[str, str]:
    at = int(time.time()) - age_sec
    headers = signature_headers(keys, event_id="evt-1", body=BODY, attempt_at=at)
    return headers | {name.replace("_", "-"): value for name, value in changed.items()}


@pytest.mark.timeout(BUILD_SEC + 60)
@pytest.mark.parametrize(
    "verify",
    [
        pytest.param(in_python, id="python"),
        pytest.param(
            in_javascript,
            id="javascript",
            marks=pytest.mark.skipif(not NODE, reason="there is no node"),
        ),
        pytest.param(in_go, id="go", marks=pytest.mark.skipif(not GO, reason="there is no go")),
    ],
)
def test_a_recipe_tells_genuine_from_forged(verify: Verify) -> None:
    assert verify([NEW], signed(NEW), BODY)
    assert verify([OLD], signed(NEW, OLD), BODY)
    assert verify([OLD, NEW], signed(NEW), BODY)
    assert not verify([OTHER], signed(NEW, OLD), BODY)
    assert not verify([NEW], signed(NEW), BODY + b" ")
    assert not verify([NEW], signed(NEW, webhook_id="evt-2"), BODY)
    assert not verify([NEW], signed(NEW, age_sec=400), BODY)
    assert not verify([NEW], signed(NEW, webhook_signature="v1,"), BODY)
