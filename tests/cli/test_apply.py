"""`stream-tracker apply`: the service becomes what a file says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from structlog.testing import capture_logs
from typer.testing import CliRunner

from cli.apply.document import read_document
from cli.apply.yaml_file import FileRefused, read_yaml
from cli.client import RestClient
from cli.main import app
from runtime.http_limits import http_config
from runtime.serving import serve_in_background
from tests.testkit.gateway import KEY, Running, running_gateway
from tests.testkit.ports import free_port

FILE = """\
set: studio
monitors:
  - stream_url: https://media.example/1.m3u8
    callback_url: https://receiver.example/${HOOK}
    name: News
    labels: {team: news}
    config: {freeze_threshold_sec: 90}
  - stream_url: https://media.example/2.m3u8
    callback_url: https://receiver.example/hook
    config:
      request_headers: {Authorization: "Bearer ${TOKEN}"}
"""
ENVIRONMENT = {"API_KEY": KEY, "HOOK": "hidden-hook", "TOKEN": "hidden-token"}


@dataclass
class Applied:
    """A gateway and a file that is applied to it."""

    gateway: Running
    path: Path

    async def __call__(self, text: str, *options: str, exit_code: int = 0) -> list[str]:
        """Apply `text` and return the lines that were printed."""
        self.path.write_text(text)
        url = str(self.gateway.client.base_url)
        arguments = ["apply", "-f", str(self.path), "--url", url, *options]
        runner = CliRunner(env=ENVIRONMENT)
        with capture_logs():  # those of the gateway, which is in this process
            done = await asyncio.to_thread(lambda: runner.invoke(app, arguments))
        assert done.exit_code == exit_code, done.output
        assert "hidden" not in done.output
        return done.output.splitlines()

    async def monitors(self) -> dict[str, str]:
        """Return the status of each monitor by its stream and its order."""
        answer = (await self.gateway.client.get("/api/v1/monitors")).json()
        listed = reversed(answer["monitors"])
        return {f"{n} {each['stream_url'][-6]}": each["status"] for n, each in enumerate(listed)}


@pytest.fixture
async def apply(tmp_path: Path) -> AsyncIterator[Applied]:
    async with running_gateway(f"sqlite:///{tmp_path}/gateway.db") as gateway:
        yield Applied(gateway, tmp_path / "studio.yaml")


async def test_the_first_time_creates_and_the_second_does_nothing(apply: Applied) -> None:
    planned = await apply(FILE, "--dry-run")
    assert planned == [
        "+ monitor News",
        "+ monitor https://media.example/2.m3u8",
        "Would be: 2 created",
    ]
    assert await apply.monitors() == {}
    assert (await apply(FILE))[-1] == "2 created"
    first, second = apply.gateway.engine.started
    assert (first.name, first.callback_url) == ("News", "https://receiver.example/hidden-hook")
    assert second.config.request_headers == {"Authorization": "***"}
    assert await apply(FILE) == ["2 unchanged"]
    assert (len(apply.gateway.engine.started), apply.gateway.engine.changes) == (2, [])


async def test_what_differs_is_changed_and_what_the_file_leaves_out_is_the_default(
    apply: Applied,
) -> None:
    await apply(FILE)
    changed = FILE.replace("freeze_threshold_sec: 90", "blackout_threshold_sec: 5").replace(
        "name: News", "name: Evening"
    )
    line = (
        '~ monitor Evening: name "News" → "Evening", '
        "config.blackout_threshold_sec 30.0 → 5.0, config.freeze_threshold_sec 90.0 → 60.0"
    )
    assert await apply(changed, "--dry-run") == [line, "Would be: 1 changed, 1 unchanged"]
    assert apply.gateway.engine.changes == []
    assert (await apply(changed))[-1] == "1 changed, 1 unchanged"
    assert await apply(changed) == ["2 unchanged"]


async def test_secrets_are_sent_again_on_request(apply: Applied) -> None:
    await apply(FILE)
    (line, summary) = await apply(FILE, "--send-secrets")
    assert line.endswith("2.m3u8: config.request_headers sent again")
    assert summary == "1 changed, 1 unchanged"


async def test_what_cannot_change_makes_a_new_monitor(apply: Applied) -> None:
    await apply(FILE)
    lines = await apply(FILE.replace("example/hook", "example/other"))
    assert lines[0] == "± monitor https://media.example/2.m3u8: callback_url"
    assert await apply.monitors() == {
        "0 1": "initializing",
        "1 2": "stopped",
        "2 2": "initializing",
    }


async def test_only_what_a_file_of_the_set_made_is_pruned(apply: Applied) -> None:
    await apply.gateway.create(stream_url="https://media.example/3.m3u8")
    await apply(FILE)
    other = FILE.replace("studio", "other").replace("/1", "/4").replace("/2", "/5")
    await apply(other)
    shorter = FILE[: FILE.index("  - stream_url: https://media.example/2")]
    assert await apply(shorter) == ["1 unchanged"]
    lines = await apply(shorter, "--prune")
    assert lines == ["- monitor https://media.example/2.m3u8", "1 removed, 1 unchanged"]
    stopped = [name for name, status in (await apply.monitors()).items() if status == "stopped"]
    assert stopped == ["2 2"]


async def test_a_monitor_that_was_made_by_hand_is_adopted(apply: Applied) -> None:
    await apply.gateway.create(
        stream_url="https://media.example/2.m3u8", callback_url="https://receiver.example/hook"
    )
    lines = await apply(FILE)
    assert lines[-1] == "1 created, 1 changed"
    assert len(await apply.monitors()) == 2


async def test_what_the_gateway_refuses_is_told_and_the_rest_is_done(apply: Applied) -> None:
    refused = FILE.replace("receiver.example/${HOOK}", "forbidden.example/")
    lines = await apply(refused, exit_code=1)
    assert lines[1].startswith("  refused: INVALID_URL: callback_url: ")
    assert lines[-2:] == ["1 created", "1 refused"]


async def test_a_monitor_whose_replacement_is_refused_goes_on_as_it_was(apply: Applied) -> None:
    await apply(FILE)
    refused = FILE.replace("receiver.example/hook", "forbidden.example/")
    lines = await apply(refused, exit_code=1)
    assert lines[0] == "± monitor https://media.example/2.m3u8: callback_url"
    assert lines[-2:] == ["1 unchanged", "1 refused"]
    assert (await apply.monitors())["2 2"] == "initializing"
    assert await apply(FILE) == ["2 unchanged"]


async def test_nothing_is_pruned_when_what_is_new_is_refused(apply: Applied) -> None:
    await apply(FILE)
    moved = FILE.replace("2.m3u8", "3.m3u8").replace("receiver.example/hook", "forbidden.example/")
    lines = await apply(moved, "--prune", exit_code=1)
    assert "  left: something before it was refused" in lines
    assert list((await apply.monitors()).values()) == ["initializing"] * 2


async def test_a_replaced_destination_stays_while_a_monitor_may_name_it(apply: Applied) -> None:
    await apply(WITH_DESTINATIONS)
    changed = WITH_DESTINATIONS.replace("webhook\n", "webhook\n    ed25519: true\n")
    refused = "monitors:\n  - stream_url: https://media.example/9.m3u8\n"
    refused += "    callback_url: https://forbidden.example/"
    lines = await apply(changed.replace("monitors:", refused), exit_code=1)
    assert lines[-1] == "1 refused"
    listed = (await apply.gateway.client.get("/api/v1/destinations")).json()["destinations"]
    assert len(listed) == 2
    assert (await apply(changed, "--prune"))[0] == "- destination On-call"


async def test_the_rate_limit_is_waited_for() -> None:
    asked: list[float] = []

    async def answer(_request: Request) -> JSONResponse:
        asked.append(asyncio.get_running_loop().time())
        if len(asked) > 1:
            return JSONResponse({"monitor_id": "mon-1"}, 201)
        error = {"code": "RATE_LIMIT_EXCEEDED", "message": "too many"}
        return JSONResponse({"error": error}, 429, headers={"Retry-After": "1"})

    app, port = Starlette(routes=[Route("/api/v1/monitors", answer, methods=["POST"])]), free_port()
    async with serve_in_background(http_config(app, "127.0.0.1", port, lifespan="off")):
        with closing(RestClient(f"http://127.0.0.1:{port}", "key")) as client:
            created = await asyncio.to_thread(client.call_patiently, "POST", "/monitors", body={})
    assert created == {"monitor_id": "mon-1"}
    assert asked[1] - asked[0] >= 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("set: x\nmonitors: [1, }", "2: expected the node content", id="no YAML"),
        pytest.param("monitors: {}", "1: monitors: input should be a valid list", id="no list"),
        pytest.param("a: 1\nb: 2\na: 3", "3: a: occurs twice", id="twice"),
        pytest.param("- 1", "1: input should be a valid dictionary", id="a list"),
        pytest.param("\nsett: x", "2: sett: is not known", id="a misspelt field"),
        pytest.param("set: a b", "1: set: ", id="a bad set"),
        pytest.param(
            "monitors:\n  - callback_url: https://a.example/",
            "2: monitors.0.stream_url: is required",
            id="a missing field",
        ),
        pytest.param(
            FILE.replace("90", "-1"),
            "7: monitors.0.config.freeze_threshold_sec: input should be greater",
            id="a bad threshold",
        ),
        pytest.param(
            FILE.replace("team: news", "Team: news"), "6: monitors.0.labels.Team", id="a bad label"
        ),
        pytest.param(
            FILE.replace("2.m3u8", "1.m3u8"),
            "8: monitors.1.stream_url: is the stream of monitors.0",
            id="one stream twice",
        ),
        pytest.param(
            FILE.replace("https://media.example/2", "ftp://media.example/2"),
            "8: monitors.1.stream_url: must start with http",
            id="no stream",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line_and_field(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, problem: str
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "studio.yaml"
    path.write_text(text)
    with pytest.raises(FileRefused) as refused:
        read_document(path)
    assert str(refused.value).startswith(f"{path}:{problem}")


def test_variables_are_filled_in_and_a_missing_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "studio.yaml"
    path.write_text("a: [1, '${ONE} $${TWO} $$ ${TWO}', {b: x}]\nc: 2026-01-01T00:00:00Z")
    filled = read_yaml(path, {"ONE": "1", "TWO": "${ONE}"}).values
    assert filled == {"a": [1, "1 ${TWO} $ ${ONE}", {"b": "x"}], "c": "2026-01-01T00:00:00Z"}
    with pytest.raises(FileRefused, match=r"studio.yaml:1: a.1: \$\{TWO\} is not set$"):
        read_yaml(path, {"ONE": "1"})


def test_a_merged_mapping_may_be_overridden(tmp_path: Path) -> None:
    path = tmp_path / "studio.yaml"
    path.write_text("base: &base {a: 1, b: 2}\nmore: {<<: *base, b: 3}")
    assert read_yaml(path).values["more"] == {"a": 1, "b": 3}


def test_a_mapping_that_holds_itself_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "studio.yaml"
    path.write_text("a: &a [*a]")
    with pytest.raises(FileRefused, match="is not YAML"):
        read_yaml(path)


WITH_DESTINATIONS = """\
set: studio
destinations:
  - name: On-call
    type: webhook
    url: https://receiver.example/${HOOK}
    min_severity: critical
monitors:
  - stream_url: https://media.example/1.m3u8
    destinations: [On-call]
silences:
  - labels: {team: sport}
    starts_at: 2026-01-01T22:00:00+09:00
    ends_at: TOMORROW
    note: New encoders
""".replace("TOMORROW", (datetime.now(UTC) + timedelta(days=1)).isoformat())


async def test_destinations_monitors_that_name_them_and_silences_in_one_file(
    apply: Applied,
) -> None:
    lines = await apply(WITH_DESTINATIONS)
    assert lines[0] == "+ destination On-call"
    assert lines[1].startswith("  its secret, shown this once: whsec_")
    assert lines[2:] == [
        "+ monitor https://media.example/1.m3u8",
        "+ silence New encoders",
        "3 created",
    ]
    assert await apply(WITH_DESTINATIONS) == ["3 unchanged"]
    lines = await apply(WITH_DESTINATIONS.replace("critical", "warning"))
    assert lines == [
        '~ destination On-call: min_severity "critical" → "warning"',
        "1 changed, 2 unchanged",
    ]


async def test_a_destination_that_is_made_anew_is_named_again(apply: Applied) -> None:
    await apply(WITH_DESTINATIONS)
    lines = await apply(WITH_DESTINATIONS.replace("webhook\n", "webhook\n    ed25519: true\n"))
    assert lines[0] == "± destination On-call: ed25519 false → true"
    assert lines[2].startswith("~ monitor https://media.example/1.m3u8: destinations ")
    (monitor,) = (await apply.gateway.client.get("/api/v1/monitors?settings=true")).json()[
        "monitors"
    ]
    (destination,) = (await apply.gateway.client.get("/api/v1/destinations")).json()["destinations"]
    assert monitor["settings"]["destinations"] == [destination["destination_id"]]


async def test_what_is_pruned_goes_in_an_order_that_breaks_nothing(apply: Applied) -> None:
    await apply(WITH_DESTINATIONS)
    lines = await apply("set: studio", "--prune")
    assert lines == [
        "- monitor https://media.example/1.m3u8",
        "- silence New encoders",
        "- destination On-call",
        "3 removed",
    ]
    assert await apply("set: studio", "--prune") == ["nothing to do"]


async def test_a_destination_that_nobody_knows_is_named_with_its_line(apply: Applied) -> None:
    unknown = WITH_DESTINATIONS.replace("[On-call]", "[Of-call]")
    (line,) = await apply(unknown, exit_code=2)
    assert line.endswith("studio.yaml:9: monitors.0.destinations.0: there is no 'Of-call'")
    assert await apply.monitors() == {}
