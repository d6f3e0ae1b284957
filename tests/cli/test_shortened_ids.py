"""An id may be shortened to any beginning that fits one monitor alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from cli.client import PAGE, RestClient, UnclearId
from runtime.http_limits import http_config
from runtime.serving import serve_in_background
from tests.testkit.ports import free_port

NEWEST = "mon-019a0b1c-2d3f-7f40-8a5b-6c7d8e9f0a1b"
IDS = [
    NEWEST,
    *(f"mon-019a0b1c-{number:04x}-7f40-8a5b-6c7d8e9f0a1b" for number in range(999, 0, -1)),
]


class Lists:
    """Lists monitors as the gateway does, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def answer(self, request: Request) -> JSONResponse:
        self.asked += 1
        offset = int(request.query_params["offset"])
        page = [{"monitor_id": each} for each in IDS[offset : offset + PAGE]]
        pagination = {"total": len(IDS), "limit": PAGE, "offset": offset}
        return JSONResponse({"monitors": page, "pagination": pagination})


@pytest.fixture
async def lists() -> Lists:
    return Lists()


@pytest.fixture
async def client(lists: Lists) -> AsyncIterator[RestClient]:
    app = Starlette(routes=[Route("/api/v1/monitors", lists.answer)])
    port = free_port()
    async with serve_in_background(http_config(app, "127.0.0.1", port, lifespan="off")):
        with closing(RestClient(f"http://127.0.0.1:{port}", "key")) as client:
            yield client


async def find(client: RestClient, text: str) -> str:
    return await asyncio.to_thread(client.find_id, "/monitors", text)


@pytest.mark.parametrize("text", [NEWEST[:18], NEWEST[4:18], NEWEST[4:18].upper()])
async def test_a_beginning_is_enough(client: RestClient, lists: Lists, text: str) -> None:
    assert await find(client, text) == NEWEST
    assert lists.asked == 2  # older pages are not read


async def test_a_whole_id_is_not_looked_for(client: RestClient, lists: Lists) -> None:
    assert await find(client, NEWEST.upper()) == NEWEST
    assert lists.asked == 0


async def test_the_oldest_is_found(client: RestClient) -> None:
    assert await find(client, IDS[-1][:18]) == IDS[-1]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("mon-019a0b1c", "mon-019a0b1c: 1000 ids begin so", id="several"),
        pytest.param("mon-019a0b1d", "no id begins so", id="none"),
        pytest.param("news", "is not a valid monitor id", id="no id"),
        pytest.param("../monitors", "is not a valid monitor id", id="a path"),
    ],
)
async def test_what_fits_none_or_several_is_refused(
    client: RestClient, text: str, reason: str
) -> None:
    with pytest.raises(UnclearId, match=reason):
        await find(client, text)
