"""With PAYLOAD_KEYS a real Temporal server knows nothing of streams, receivers and metadata."""

import asyncio
import base64
from collections.abc import AsyncIterator
from functools import partial

import httpx
import pytest
from google.protobuf.json_format import MessageToJson, Parse
from google.protobuf.message import Message
from pydantic import SecretStr
from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    GetWorkflowExecutionHistoryRequest,
    ListWorkflowExecutionsRequest,
)
from temporalio.client import Client

from api.temporal_engine import TemporalEngine
from runtime.payloads import EncryptionCodec, data_converter, search_value
from tests.api.workers import ScriptedStreams, terminate_all, workers
from tests.testkit.gateway import Running, running_gateway
from tests.testkit.temporal import connected
from workflows.messages import STOP_SIGNAL

OLD, NEW = SecretStr("old-key-of-at-least-thirty-two-characters"), SecretStr("new-" * 8)
CODEC_KEY = "key-of-the-web-ui"
UI = "http://127.0.0.1:8233"
SECRETS = (b"media.example", b"receiver.example", b"night-shift", b"our-database")
ORDER = {
    "stream_url": "https://media.example/live/index.m3u8?token=1",
    "callback_url": "https://receiver.example/hook",
    "metadata": {"note": "night-shift"},
    "config": {"on_delivery_failure": "continue"},
}


async def connected_with(address: str, *keys: SecretStr) -> Client:
    await connected(address)
    return await Client.connect(address, data_converter=data_converter(keys))


def engine_of(client: Client, *keys: SecretStr) -> TemporalEngine:
    return TemporalEngine(client, "our-database", searchable=partial(search_value, keys=keys))


async def until(gateway: Running, monitor_id: str, status: str) -> None:
    while (await gateway.show(monitor_id))["status"] != status:
        await asyncio.sleep(0.05)


async def stored(client: Client, workflow_id: str) -> list[Message]:
    """Return all that the server keeps and shows of a workflow, as it is."""
    service, execution = client.workflow_service, WorkflowExecution(workflow_id=workflow_id)
    namespace = client.namespace
    return [
        await service.get_workflow_execution_history(
            GetWorkflowExecutionHistoryRequest(namespace=namespace, execution=execution)
        ),
        await service.describe_workflow_execution(
            DescribeWorkflowExecutionRequest(namespace=namespace, execution=execution)
        ),
        await service.list_workflow_executions(
            ListWorkflowExecutionsRequest(
                namespace=namespace, query=f"WorkflowId = '{workflow_id}'"
            )
        ),
    ]


async def test_neither_a_history_nor_a_description_shows_what_a_monitor_is_of(
    sqlite_url: str, temporal_address: str
) -> None:
    client, streams = await connected_with(temporal_address, NEW, OLD), ScriptedStreams(refusals=1)
    await terminate_all(client)
    async with (
        running_gateway(sqlite_url, engine=engine_of(client, NEW)) as gateway,
        workers(client, streams, str(gateway.client.base_url)),
    ):
        monitor_id = await gateway.created_id(**ORDER)
        await until(gateway, monitor_id, "monitoring")
        while not streams.watches:
            await asyncio.sleep(0.01)
        seen = await stored(client, monitor_id)
        await client.get_workflow_handle(monitor_id).signal(STOP_SIGNAL)
        await until(gateway, monitor_id, "stopped")
        seen += await stored(client, monitor_id)
        assert (await gateway.show(monitor_id))["metadata"] == {"note": "night-shift"}
    assert len(seen[0].SerializeToString()) > 1_000
    for secret in SECRETS:
        assert not [each for each in seen if secret in each.SerializeToString()], secret


async def test_a_monitor_outlives_a_rotation_of_the_keys(
    sqlite_url: str, temporal_address: str
) -> None:
    """The new key is known everywhere before it is the first one anywhere."""
    before, streams = await connected_with(temporal_address, OLD, NEW), ScriptedStreams()
    await terminate_all(before)
    async with running_gateway(sqlite_url, engine=engine_of(before, OLD)) as gateway:
        url = str(gateway.client.base_url)
        async with workers(before, streams, url):
            monitor_id = await gateway.created_id(**ORDER)
            await until(gateway, monitor_id, "monitoring")
        after = await connected_with(temporal_address, NEW, OLD)
        async with workers(after, streams, url):
            handle = after.get_workflow_handle(monitor_id)
            await handle.signal(STOP_SIGNAL)
            await handle.result()
            await until(gateway, monitor_id, "stopped")


async def test_workflows_of_others_with_another_key_are_none_of_ours(
    sqlite_url: str, temporal_address: str
) -> None:
    others = await connected_with(temporal_address, OLD)
    async with running_gateway(sqlite_url, engine=engine_of(others, OLD)) as gateway:
        monitor_id = await gateway.created_id(**ORDER)
        ours = engine_of(await connected_with(temporal_address, NEW), NEW)
        async with asyncio.timeout(20):
            while monitor_id not in await ours.running():
                await asyncio.sleep(0.1)
        assert monitor_id not in await ours.running_of_ours()
    await terminate_all(others)


@pytest.fixture
async def codec(sqlite_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with running_gateway(
        sqlite_url, payload_keys=[NEW, OLD], codec_keys=[CODEC_KEY], codec_origins=[UI]
    ) as gateway:
        base = str(gateway.client.base_url)
        async with httpx.AsyncClient(base_url=base, trust_env=False) as client:
            yield client


PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=b'"https://media.example"')
BEARER = {"Authorization": f"Bearer {CODEC_KEY}"}
BASIC = {"Authorization": "Basic " + base64.b64encode(f"anybody:{CODEC_KEY}".encode()).decode()}


@pytest.mark.parametrize("headers", [BEARER, BASIC], ids=["bearer", "basic"])
async def test_the_web_ui_reads_payloads_of_every_key(
    codec: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    sealed = [(await EncryptionCodec([key]).encode([PLAIN]))[0] for key in (NEW, OLD)]
    body = MessageToJson(Payloads(payloads=[*sealed, PLAIN]))
    answer = await codec.post("/codec/decode", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    assert list(Parse(answer.text, Payloads()).payloads) == [PLAIN] * 3


async def test_what_the_command_sends_is_encrypted(codec: httpx.AsyncClient) -> None:
    body = MessageToJson(Payloads(payloads=[PLAIN]))
    answer = await codec.post("/codec/encode", content=body, headers=BEARER)
    sealed = list(Parse(answer.text, Payloads()).payloads)
    assert sealed != [PLAIN]
    assert await EncryptionCodec([NEW]).decode(sealed) == [PLAIN]


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="no key"),
        pytest.param({"Authorization": "Bearer wrong"}, id="a wrong key"),
        pytest.param({"X-API-Key": "client-key-one"}, id="a key that creates monitors"),
        pytest.param({"Authorization": "Bearer client-key-one"}, id="the same as a token"),
        pytest.param({"Authorization": "Basic !"}, id="no base64"),
    ],
)
@pytest.mark.parametrize("path", ["/codec/decode", "/codec/encode"])
async def test_nobody_reads_payloads_without_a_key_of_the_endpoint(
    codec: httpx.AsyncClient, path: str, headers: dict[str, str]
) -> None:
    answer = await codec.post(path, content="{}", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "UNAUTHORIZED"
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


async def test_a_codec_key_opens_nothing_else(codec: httpx.AsyncClient) -> None:
    assert (await codec.get("/api/v1/monitors", headers=BEARER)).status_code == 401


async def test_only_the_web_ui_may_ask_from_another_origin(codec: httpx.AsyncClient) -> None:
    def asking(origin: str) -> dict[str, str]:
        wanted = {"Access-Control-Request-Headers": "authorization,x-namespace"}
        return {"Origin": origin, "Access-Control-Request-Method": "POST", **wanted}

    allowed = await codec.options("/codec/decode", headers=asking(UI))
    assert allowed.status_code == 200
    assert allowed.headers["Access-Control-Allow-Origin"] == UI
    assert allowed.headers["Access-Control-Allow-Credentials"] == "true"
    refused = await codec.options("/codec/decode", headers=asking("https://evil.example"))
    assert "Access-Control-Allow-Origin" not in refused.headers
    elsewhere = await codec.options("/api/v1/monitors", headers=asking(UI))
    assert "Access-Control-Allow-Origin" not in elsewhere.headers


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b"[", 400, id="no JSON"),
        pytest.param(b'{"payloads": 1}', 400, id="no payloads"),
        pytest.param(b"\xff", 400, id="no text"),
        pytest.param(b" " * (8 * 1024 * 1024 + 1), 413, id="too large"),
        pytest.param(
            MessageToJson(
                Payloads(payloads=[Payload(metadata={"encoding": b"binary/encrypted"})])
            ).encode(),
            400,
            id="a key that is not ours",
        ),
    ],
)
async def test_what_is_no_list_of_payloads_is_refused(
    codec: httpx.AsyncClient, body: bytes, status: int
) -> None:
    answer = await codec.post("/codec/decode", content=body, headers=BEARER)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


async def test_without_keys_there_is_no_codec(sqlite_url: str) -> None:
    async with running_gateway(sqlite_url, payload_keys=[NEW]) as gateway:
        assert (await gateway.client.post("/codec/decode", content="{}")).status_code == 404
