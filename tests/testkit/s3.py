"""An S3 server of our own on loopback; clients of Google's XML API speak to it, too."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import httpx
from localbucket import S3Handler

BUCKET: Final = "evidence"


@contextmanager
def s3_server(folder: Path) -> Iterator[dict[str, str]]:
    """Serve a bucket from a folder; yield the variables with which a client finds it."""
    with _served(folder) as url:
        yield {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
        }


@contextmanager
def google_server(folder: Path) -> Iterator[dict[str, str]]:
    """Serve a bucket as `s3_server` does. There is no OAuth: nothing of that is tested."""
    with _served(folder) as url:
        account = {"gcs_base_url": url, "disable_oauth": True}
        account |= dict.fromkeys(("client_email", "private_key", "private_key_id"), "")
        file = folder.with_suffix(".json")
        file.write_text(json.dumps(account))
        yield {"GOOGLE_SERVICE_ACCOUNT": str(file)}


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    folder.mkdir(parents=True)
    handler: Any = type("Handler", (S3Handler,), {"data_root": folder})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        httpx.put(f"{url}/{BUCKET}", trust_env=False).raise_for_status()
        try:
            yield url
        finally:
            server.shutdown()
