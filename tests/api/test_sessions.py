"""Logging in to the page, and what a session may do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
import pytest

from api.changes import feed
from api.changes import routes as changes
from api.request_limits import LOGINS_PER_MINUTE, WindowMemory
from api.sessions import LINK_TIME, SESSION_TIME, Sessions, csrf_token
from api.store import open_store
from tests.testkit.gateway import KEY, Running, running_gateway

VIEWER_KEY = "viewer-key-one"
COOKIE = "stream_tracker_session"
SAME_SITE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
async def gateway(sqlite_url: str) -> AsyncIterator[Running]:
    async with running_gateway(sqlite_url, viewer_keys=[VIEWER_KEY]) as running:
        yield running


def stranger(gateway: Running, **headers: str) -> httpx.AsyncClient:
    """Return a client without a key."""
    return httpx.AsyncClient(base_url=gateway.client.base_url, headers=headers, trust_env=False)


@asynccontextmanager
async def logged_in(gateway: Running, key: str = KEY) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client with the cookie of a session, and what its page sends with changes."""
    async with stranger(gateway) as client:
        answer = await client.post("/session", json={"key": key})
        assert answer.status_code == 204
        token = csrf_token(client.cookies[COOKIE])
        client.headers.update({**SAME_SITE, "X-CSRF-Token": token})
        yield client


async def test_nothing_is_shown_without_a_session(gateway: Running) -> None:
    async with stranger(gateway) as client:
        answer = await client.get("/?label=team:news")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/login?next=%2F%3Flabel%3Dteam%3Anews"
        client.cookies.set(COOKIE, "made-up")
        assert (await client.get("/")).status_code == 303
        assert (await client.get("/session")).status_code == 401
        assert (await client.get("/api/v1/monitors")).status_code == 401


async def test_a_form_with_a_key_leads_to_where_one_wanted_to_go(gateway: Running) -> None:
    async with stranger(gateway, **SAME_SITE) as client:
        answer = await client.post("/session", data={"key": f" {KEY} ", "next": "/?q=news"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/?q=news")
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "Secure" not in cookie
        page = await client.get("/")
        assert page.status_code == 200
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert page.headers["cache-control"] == "no-store"
        assert (await client.get("/session")).status_code == 204


@pytest.mark.parametrize("next", ["//evil.example", "https://evil.example", "/\\evil.example", ""])
async def test_a_log_in_leads_to_no_other_site(gateway: Running, next: str) -> None:
    async with stranger(gateway, **SAME_SITE) as client:
        answer = await client.post("/session", data={"key": KEY, "next": next})
        assert answer.headers["location"] == "/"


async def test_the_cookie_is_for_tls_alone_where_there_is_tls(sqlite_url: str) -> None:
    async with running_gateway(sqlite_url, public_url="https://watch.example") as gateway:
        for headers in ({"Host": "watch.example"}, {"X-Forwarded-Proto": "https"}):
            async with stranger(gateway, **headers) as client:
                answer = await client.post("/session", json={"key": KEY})
                assert "Secure" in answer.headers["set-cookie"]


async def test_a_wrong_key_is_refused_in_words(gateway: Running) -> None:
    async with stranger(gateway, **SAME_SITE) as client:
        wrong = await client.post("/session", data={"key": "wrong"})
        assert wrong.status_code == 401
        assert "not a key of this Stream Tracker" in wrong.text
        assert COOKIE not in client.cookies
        program = await client.post("/session", json={"key": "wrong"})
        assert program.json()["error"]["code"] == "UNAUTHORIZED"
        broken = await client.post("/session", content=b"{")
        assert broken.json()["error"]["code"] == "VALIDATION_ERROR"
        crowded = await client.post("/session", data={f"field{number}": "" for number in range(9)})
        assert crowded.status_code == 400
        assert "more than 8 fields" in crowded.text


async def test_guessing_is_limited_for_an_address_or_a_network_of_one(gateway: Running) -> None:
    """The gateway is behind a proxy that it trusts, on this machine."""
    async with stranger(gateway) as client:
        for number in range(LOGINS_PER_MINUTE):
            guess = client.build_request("POST", "/session", json={"key": "guess"})
            guess.headers["X-Forwarded-For"] = f"192.0.2.1, 2001:db8:1:2::{number:x}"
            assert (await client.send(guess)).status_code == 401
        right = client.build_request("POST", "/session", json={"key": KEY})
        right.headers["X-Forwarded-For"] = "2001:db8:1:2:ffff::1"
        refused = await client.send(right)
        assert refused.status_code == 429
        assert refused.headers["retry-after"]
        right.headers["X-Forwarded-For"] = "2001:db8:1:3::1"
        assert (await client.send(right)).status_code == 204


async def test_a_form_of_another_site_logs_nobody_in(gateway: Running) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        async with stranger(gateway, **headers) as client:
            assert (await client.post("/session", data={"key": KEY})).status_code == 403


async def test_a_session_ends_with_the_log_out(gateway: Running) -> None:
    async with logged_in(gateway) as client, stranger(gateway) as thief:
        thief.cookies.set(COOKIE, client.cookies[COOKIE])
        assert (await thief.get("/api/v1/monitors")).status_code == 200
        assert (await client.delete("/session")).status_code == 204
        assert (await thief.get("/api/v1/monitors")).status_code == 401


async def test_a_log_in_ends_the_session_before(gateway: Running) -> None:
    async with logged_in(gateway) as client, stranger(gateway) as other:
        other.cookies.set(COOKIE, client.cookies[COOKIE])
        assert (await other.get("/session")).status_code == 204
        assert (await client.post("/session", json={"key": KEY})).status_code == 204
        assert (await client.get("/session")).status_code == 204
        assert (await other.get("/session")).status_code == 401


async def test_no_cache_keeps_what_says_nothing_of_caches(gateway: Running) -> None:
    answer = await gateway.client.get("/api/v1/monitors")
    assert answer.headers["cache-control"] == "no-store"


async def test_a_session_changes_things_from_our_own_pages_alone(gateway: Running) -> None:
    order = {
        "stream_url": "https://media.example/a.m3u8",
        "callback_url": "https://receiver.example/",
    }
    async with logged_in(gateway) as client:
        for headers in (
            {"X-CSRF-Token": ""},
            {"X-CSRF-Token": csrf_token("another session")},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ):
            answer = await client.post("/api/v1/monitors", json=order, headers=headers)
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")
        assert (await client.post("/api/v1/monitors", json=order)).status_code == 201
        del client.headers["Sec-Fetch-Site"]
        monitors = (await client.get("/api/v1/monitors")).json()["monitors"]
        path = f"/api/v1/monitors/{monitors[0]['monitor_id']}"
        foreign = {"Origin": "https://evil.example"}
        assert (await client.delete(path, headers=foreign)).status_code == 403
        ours = {"Origin": str(gateway.client.base_url).rstrip("/")}
        assert (await client.delete(path, headers=ours)).status_code == 200


async def test_a_viewer_reads_and_changes_nothing(gateway: Running) -> None:
    monitor_id = await gateway.created_id()
    path = f"/api/v1/monitors/{monitor_id}"
    async with (
        logged_in(gateway, VIEWER_KEY) as page,
        stranger(gateway, **{"X-API-Key": VIEWER_KEY}) as program,
    ):
        for client in (page, program):
            assert (await client.get(path)).status_code == 200
            refused = await client.delete(path)
            assert (refused.status_code, refused.json()["error"]["code"]) == (403, "FORBIDDEN")
            assert (await client.post("/api/v1/login-links")).status_code == 403


async def test_a_page_reads_more_often_than_a_program(sqlite_url: str) -> None:
    async with running_gateway(sqlite_url, rate_limit_read=2) as gateway:
        async with logged_in(gateway) as client:
            answers = [await client.get("/api/v1/monitors") for _ in range(5)]
        assert {answer.status_code for answer in answers} == {200}
        assert [(await gateway.client.get("/api/v1/monitors")).status_code for _ in range(3)] == [
            *(200, 200, 429)
        ]


async def test_a_link_logs_in_once(gateway: Running) -> None:
    answer = await gateway.client.post("/api/v1/login-links")
    assert answer.status_code == 201
    path = answer.json()["path"]
    async with stranger(gateway) as first, stranger(gateway) as second:
        assert (await first.get(path)).status_code == 200
        assert (await first.get("/")).status_code == 200
        used = await second.get(path)
        assert used.status_code == 401
        assert "was used already" in used.text
        assert (await second.get("/")).status_code == 303


async def test_sessions_and_links_expire(database_url: str) -> None:
    moment = datetime.now(UTC)
    async with open_store(database_url) as store:
        sessions = Sessions(store.sessions, lambda: moment)
        token = await sessions.begin("client")
        late, _ = await sessions.make_link("client")
        moment += LINK_TIME
        assert await sessions.begin_by_link(late) is None
        again, _ = await sessions.make_link("client")
        taken = await asyncio.gather(*(sessions.begin_by_link(again) for _ in range(5)))
        assert sum(one is not None for one in taken) == 1
        moment += SESSION_TIME
        elsewhere = Sessions(store.sessions, lambda: moment)
        assert await elsewhere.client(token) is None


async def test_a_session_ends_with_its_key(sqlite_url: str) -> None:
    async with running_gateway(sqlite_url) as gateway, logged_in(gateway) as client:
        token = client.cookies[COOKIE]
    async with (
        running_gateway(sqlite_url, api_key=["another-key"]) as gateway,
        stranger(gateway) as client,
    ):
        client.cookies.set(COOKIE, token)
        assert (await client.get("/")).status_code == 303


async def test_limits_are_counted_without_the_token_of_a_session(gateway: Running) -> None:
    async with logged_in(gateway) as client:
        assert (await client.get("/api/v1/monitors")).status_code == 200
        storage = gateway.gateway.limits._shared.storage
        assert isinstance(storage, WindowMemory)
        counted = " ".join(storage.windows)
        assert "reads of a page" in counted
        assert client.cookies[COOKIE] not in counted


async def test_the_stream_of_changes_ends_with_the_session(
    gateway: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "SESSION_CHECK_SEC", 0.0)
    monkeypatch.setattr(feed, "KEEP_ALIVE_SEC", 0.05)
    async with logged_in(gateway) as client, client.stream("GET", "/api/v1/changes") as stream:
        lines = stream.aiter_lines()
        async with asyncio.timeout(10):
            await anext(line async for line in lines if line == "event: alive")
            assert (await client.delete("/session")).status_code == 204
            assert [line async for line in lines][-1:] in ([], [""])


async def test_a_session_leaves_others_room_to_listen(
    gateway: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "MAX_OF_ONE", 1)
    path = "/api/v1/changes"
    async with (
        logged_in(gateway) as client,
        logged_in(gateway) as other,
        client.stream("GET", path) as first,
    ):
        assert first.status_code == 200
        assert (await client.get(path)).status_code == 429
        async with other.stream("GET", path) as second:
            assert second.status_code == 200
