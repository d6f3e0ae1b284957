"""Evidence in a bucket: of S3, of Google, of Azure."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from evidence.store import FileMissing, StoreFailed, open_file_store
from tests.api.test_evidence import CLIPS, NOON, later, states
from tests.testkit.azure import AZURITE, CONTAINER, NO_AZURITE, azure_server
from tests.testkit.evidence import CLIP, FIRST_FAULTY, JPEG, MP4, new_incident
from tests.testkit.gateway import running_gateway
from tests.testkit.s3 import BUCKET, google_server, s3_server

LARGE = MP4 + os.urandom(6 << 20)
"""In several parts."""

SCHEMES = [
    "s3",
    "gs",
    pytest.param("az", marks=pytest.mark.skipif(not AZURITE, reason=NO_AZURITE)),
]


@pytest.fixture(params=SCHEMES)
async def scheme(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[str]:
    """The scheme of a store whose server runs, and which a client finds by its variables."""
    folder = tmp_path / "bucket"
    async with AsyncExitStack() as stack:
        if request.param == "az":
            variables = await stack.enter_async_context(azure_server(tmp_path))
        else:
            server = s3_server if request.param == "s3" else google_server
            variables = stack.enter_context(server(folder))
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        yield request.param


def url_of(scheme: str) -> str:
    return f"{scheme}://{CONTAINER if scheme == 'az' else BUCKET}/our"


async def test_a_bucket_takes_gives_and_forgets(scheme: str, sqlite_url: str) -> None:
    async with running_gateway(sqlite_url, evidence_store=url_of(scheme)) as gateway:
        incident = await new_incident(gateway, NOON, **CLIPS)
        await incident.open()
        assert (await incident.put(CLIP, LARGE)).status_code == 204
        assert (await incident.get(CLIP)).content == LARGE
        part = await incident.get(CLIP, Range="bytes=100-199")
        assert (part.status_code, part.content) == (206, LARGE[100:200])
        name = f"{incident.monitor_id}/{incident.id_of(CLIP)}"
        store = open_file_store(url_of(scheme))
        assert [it async for it in await store.pieces(name, start=0, end=9)] == [LARGE[:9]]
        path = f"/api/v1/evidence/{incident.id_of(CLIP)}"
        for _ in range(2):
            assert (await gateway.client.delete(path)).status_code == 204
        with pytest.raises(FileMissing):
            await store.pieces(name, start=0, end=9)


async def test_a_bucket_is_cleaned_up(scheme: str, sqlite_url: str) -> None:
    async with running_gateway(sqlite_url, evidence_store=url_of(scheme)) as gateway:
        incident = await new_incident(gateway, NOON)
        await incident.open()
        await incident.put(FIRST_FAULTY, JPEG)
        name = f"{incident.monitor_id}/{incident.id_of(FIRST_FAULTY)}"
        await later(gateway, url_of(scheme), days=15).remove_old()
        assert (await states(incident))["first_faulty"] == ("failed", "expired")
        with pytest.raises(FileMissing):
            await open_file_store(url_of(scheme)).pieces(name, start=0, end=3)


async def test_a_bucket_that_is_not_there_is_a_store_that_fails(scheme: str) -> None:
    with pytest.raises(StoreFailed, match="not found") as failed:
        await open_file_store(f"{scheme}://another/our").put("mon-1/evd-1", JPEG)
    assert failed.value.reason == "store_unavailable"
