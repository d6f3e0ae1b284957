"""An Azure Blob server of our own on loopback: Azurite, Microsoft's own emulator."""

import asyncio
import base64
import hashlib
import hmac
import os
import shutil
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import formatdate
from functools import partial
from pathlib import Path
from typing import Final

from tests.testkit.ports import free_port
from tests.testkit.waiting import plain_client, until

ROOT: Final = Path(__file__).parents[2]
AZURITE: Final = shutil.which(
    "azurite-blob", path=os.pathsep.join([str(ROOT / "node_modules/.bin"), os.environ["PATH"]])
)
NO_AZURITE: Final = "there is no Azurite: npm install --no-save azurite@3.35.0"
CONTAINER: Final = "evidence"
ACCOUNT: Final = "devstoreaccount1"
KEY: Final = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
"""Everybody's: it is in Azurite's documentation."""

VERSION: Final = "2021-08-06"
START_SEC: Final = 60.0


@asynccontextmanager
async def azure_server(folder: Path) -> AsyncIterator[dict[str, str]]:
    """Serve a container from a folder; yield the variables with which a client finds it."""
    port = free_port()
    options = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(folder)]
    options += ["--silent", "--skipApiVersionCheck", "--disableTelemetry"]
    server = await asyncio.create_subprocess_exec(str(AZURITE), *options, stdout=DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}/{ACCOUNT}"
        await until(partial(_made_container, url), "a container", within_sec=START_SEC)
        yield {
            "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT,
            "AZURE_STORAGE_ACCOUNT_KEY": KEY,
            "AZURE_ENDPOINT": url,
        }
    finally:
        server.kill()
        await server.wait()


async def _made_container(url: str) -> bool:
    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": VERSION}
    told = "".join(f"{name}:{value}\n" for name, value in headers.items())
    signed = f"PUT{12 * chr(10)}{told}/{ACCOUNT}/{ACCOUNT}/{CONTAINER}\nrestype:container"
    digest = hmac.digest(base64.b64decode(KEY), signed.encode(), hashlib.sha256)
    headers["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}"
    async with plain_client(headers=headers, timeout=5) as http:
        answer = await http.put(f"{url}/{CONTAINER}", params={"restype": "container"})
    assert answer.is_success, answer.text
    return True
