"""`docker-compose.yaml`: what is written in it, and where a Docker engine is, the whole service."""

import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.request import Request, urlopen

import pytest
import yaml
from compose_spec import PyCompose
from pydantic_settings import BaseSettings

from api.store.database import Database
from runtime.pod_settings import PodSettings
from runtime.settings import GatewaySettings, SettingsError, WorkerSettings
from runtime.version import VERSION
from tests.deploy import variables
from tests.deploy.docker_engine import LIMIT_SEC, ROOT, docker, has_compose, has_engine

FILE = ROOT / "docker-compose.yaml"
EXAMPLE = ROOT / ".env.example"
MAKE_ENV = ROOT / "deploy" / "compose" / "make-env.sh"
TAG = "test-compose"
SECRET = "5ec4e7" * 10 + "5ec4"
PROCESSES = [
    pytest.param("gateway", GatewaySettings, id="gateway"),
    pytest.param("orchestrator", WorkerSettings, id="orchestrator"),
    pytest.param("probe", WorkerSettings, id="probe"),
]
INTERPOLATED = re.compile(r"\$\{(\w+)(?:(:-|:\?)((?:\$\{[^}]*\}|[^}])*))?\}")


def keys() -> dict[str, str]:
    """Return the keys that `.env.example` asks for."""
    lines = [line.partition("=") for line in EXAMPLE.read_text().splitlines()]
    return {name: value for name, sign, value in lines if sign and name[0] != "#"}


def composition_of(given: Mapping[str, str]) -> dict[str, Any]:
    """Return what Compose makes of the file and the variables that are `given`."""

    def value(found: re.Match[str]) -> str:
        default = INTERPOLATED.sub(value, found[3]) if found[2] == ":-" else ""
        return given.get(found[1]) or default

    composed: dict[str, Any] = yaml.safe_load(INTERPOLATED.sub(value, FILE.read_text()))
    return composed


def services(given: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
    found: dict[str, Any] = composition_of(given)["services"]
    return found


def environment_of(service: str, given: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a service; those without a value come from `given`."""
    found = services(given)[service]["environment"]
    values = {name: given.get(name) if value is None else value for name, value in found.items()}
    return {name: str(value) for name, value in values.items() if value is not None}


def passed_on(service: str) -> set[str]:
    """Return the variables that a service gets from `.env`."""
    environment = services()[service]["environment"]
    lines = re.findall(r"^ +(\w+): .*\$\{\1\W.*$", FILE.read_text(), re.MULTILINE)
    return {name for name, value in environment.items() if value is None or name in lines}


def test_it_is_what_the_compose_specification_says() -> None:
    # Docker's word for the machine's address is not the specification's.
    composition = json.dumps(composition_of({})).replace("host-gateway", "172.17.0.1")
    PyCompose.from_json(composition).validate()


def test_every_key_must_be_given_and_the_example_has_none() -> None:
    required = {name for name, kind, _ in INTERPOLATED.findall(FILE.read_text()) if kind == ":?"}
    assert required == set(keys())
    assert set(keys().values()) == {""}


def test_what_has_no_default_is_required() -> None:
    assert all(kind for _, kind, _ in INTERPOLATED.findall(FILE.read_text()))


@pytest.mark.parametrize(("service", "kind"), PROCESSES)
def test_every_variable_is_one_that_the_process_reads(
    service: str, kind: type[BaseSettings]
) -> None:
    assert set(services()[service]["environment"]) <= variables.known(kind)


def test_every_setting_can_be_given_in_the_one_file_or_is_listed_as_without_effect() -> None:
    read = variables.known(GatewaySettings) | variables.known(WorkerSettings)
    read -= (
        variables.TEMPORAL | {name.upper() for name in PodSettings.model_fields} | {"MONITOR_ID"}
    )
    taken = passed_on("gateway") | passed_on("orchestrator") | passed_on("probe") | {"PORT"}
    text = EXAMPLE.read_text().replace("\n#", "")
    without_effect = set(re.findall(r"\b[A-Z_]{4,}\b", text.partition("Without effect")[2]))
    assert read - taken == without_effect - {"TEMPORAL_ADDRESS", "TEMPORAL_"}
    assert not taken & without_effect


@pytest.mark.parametrize(("service", "kind"), PROCESSES)
def test_every_setting_reaches_all_processes_that_read_it(
    service: str, kind: type[BaseSettings]
) -> None:
    of_orchestrators = {"API_KEY", "WEBHOOK_SIGNING_KEY", "PUBLIC_URL", "EVIDENCE_URL_TTL_SEC"} | {
        name
        for name in variables.known(WorkerSettings)
        if re.match("WEBHOOK_(MAX|BACK|RETRY)", name)
    }
    of_probes = {"PROBE_SLOTS", "PROBE_POLLS"}
    elsewhere = {"orchestrator": of_probes, "probe": of_orchestrators}.get(service, set())
    taken = passed_on("gateway") | passed_on("orchestrator") | passed_on("probe")
    assert taken & variables.known(kind) - elsewhere <= set(services()[service]["environment"])


def test_a_probe_gets_no_key_but_its_own() -> None:
    given = dict.fromkeys(keys(), "theirs") | {"PROBE_API_KEY": "its own", "LOG_LEVEL": "debug"}
    environment = environment_of("probe", given)
    assert environment["LOG_LEVEL"] == "debug"
    assert environment["INTERNAL_API_KEY"] == "its own"
    assert "theirs" not in environment.values()


def test_keys_are_made_once(tmp_path: Path) -> None:
    (tmp_path / "deploy" / "compose").mkdir(parents=True)
    script = tmp_path / "deploy" / "compose" / MAKE_ENV.name
    shutil.copy(MAKE_ENV, script)
    shutil.copy(EXAMPLE, tmp_path)
    subprocess.run([script], check=True)
    written = tmp_path / ".env"
    text = written.read_text()
    found = {
        name: re.findall(rf"^{name}=([0-9a-f]{{64}})$", text, re.MULTILINE)[0] for name in keys()
    }
    assert len(set(found.values())) == len(keys())
    assert re.sub(r"[0-9a-f]{64}", "", text) == EXAMPLE.read_text()
    assert written.stat().st_mode & 0o777 == 0o600
    again = subprocess.run([script], capture_output=True, text=True)
    assert again.returncode != 0
    assert ".env exists" in again.stderr
    assert written.read_text() == text


@pytest.mark.parametrize(("service", "kind"), PROCESSES)
def test_with_the_keys_of_the_example_each_process_has_its_settings(
    service: str, kind: type[BaseSettings]
) -> None:
    given = dict.fromkeys(keys(), SECRET)
    variables.read(kind, environment_of(service, given))
    with pytest.raises(SettingsError):
        variables.read(kind, environment_of(service, {}))


def test_the_database_url_is_one() -> None:
    url = environment_of("gateway", {"POSTGRES_PASSWORD": "secret"})["DATABASE_URL"]
    assert Database(url).is_postgres


def test_workers_find_the_port_of_the_gateway_that_nobody_else_does() -> None:
    gateway = environment_of("gateway", {})
    callback = environment_of("probe", {})["CALLBACK_URL"]
    assert callback == f"http://gateway:{gateway['INTERNAL_PORT']}"
    published = services()["gateway"]["ports"]
    assert [port.rpartition(":")[2] for port in published] == ["8080"]


def test_links_to_temporals_web_ui_have_the_port_it_is_given() -> None:
    gateway = environment_of("gateway", {"TEMPORAL_UI_PORT": "9233"})
    assert gateway["TEMPORAL_UI_URL"] == "http://127.0.0.1:9233"
    assert gateway["CODEC_ORIGINS"] == "http://127.0.0.1:9233,http://localhost:9233"


def test_ports_are_published_on_this_machine_alone() -> None:
    ports = [port for service in services().values() for port in service.get("ports", [])]
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_our_processes_are_of_this_version_and_may_do_little() -> None:
    ours = ["gateway", "orchestrator", "probe", "origin", "receiver"]
    for service in (services()[name] for name in ours):
        demo = "-demo" if service.get("build", {}).get("target") == "demo" else ""
        assert service["image"] == f"stream-tracker{demo}:{VERSION}"
        assert service["pull_policy"] == "never", "it is built here; a registry's is not ours"
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_nothing_takes_the_memory_of_the_machine() -> None:
    for name, service in services().items():
        assert re.fullmatch(r"\d+[mg]", service["mem_limit"]), name


def test_only_who_needs_the_database_reaches_it() -> None:
    networks = {name: set(service["networks"]) for name, service in services().items()}
    reaching = {name for name, found in networks.items() if found & networks["postgres"]}
    assert reaching == {"postgres", "temporal-schema", "temporal", "gateway"}
    assert composition_of({})["networks"]["data"] == {"internal": True}


def test_what_is_outside_reaches_no_more_than_who_has_to_do_with_streams_and_webhooks() -> None:
    networks = {name: set(service["networks"]) for name, service in services().items()}
    for stranger in ("origin", "receiver"):
        reaching = {name for name, found in networks.items() if found & networks[stranger]}
        assert reaching == {"origin", "receiver", "gateway", "orchestrator", "probe"}


def test_a_stop_gives_workers_more_time_than_they_take_to_drain() -> None:
    for name in ("orchestrator", "probe"):
        drain_sec = float(environment_of(name, {})["DRAIN_SEC"])
        assert float(services()[name]["stop_grace_period"].removesuffix("s")) > drain_sec


@pytest.mark.skipif(not has_compose(), reason="docker compose is not installed")
def test_docker_compose_takes_it(tmp_path: Path) -> None:
    values = tmp_path / "env"
    values.write_text("".join(f"{name}=secret\n" for name in keys()))
    docker("compose", "--env-file", str(values), "--profile", "demo", "config", "--quiet")


@pytest.mark.skipif(not has_compose(), reason="docker compose is not installed")
def test_docker_compose_refuses_to_start_without_keys() -> None:
    command = ["docker", "compose", "--env-file", "/dev/null", "config", "--quiet"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode != 0
    assert "see .env.example" in done.stderr


class Composition:
    """The whole service in containers, with its demo profile."""

    def __init__(self, project: str, values: Path, port: int) -> None:
        self._command = ("compose", "--project-name", project, "--env-file", str(values))
        self._api = f"http://127.0.0.1:{port}/api/v1"

    def compose(self, *arguments: str) -> str:
        return docker(*self._command, "--profile", "demo", *arguments)

    def call(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"X-API-Key": SECRET, "Content-Type": "application/json"}
        request = Request(f"{self._api}{path}", data, headers, method=method)
        with urlopen(request, timeout=15) as answer:
            return json.load(answer)

    def probes(self) -> list[str]:
        return self.compose("ps", "--quiet", "probe").split()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_until(holds: Callable[[], bool], what: str, limit_sec: float = 180) -> None:
    until = time.monotonic() + limit_sec
    while not holds():
        assert time.monotonic() < until, f"never: {what}"
        time.sleep(0.5)


@pytest.fixture
def composition(tmp_path: Path) -> Iterator[Composition]:
    ports = {name: free_port() for name in ("PORT", "TEMPORAL_PORT", "TEMPORAL_UI_PORT")}
    given = dict.fromkeys(keys(), SECRET) | {name: str(port) for name, port in ports.items()}
    given |= {"ALLOW_PRIVATE_NETWORKS": "true", "IMAGE_TAG": TAG}
    values = tmp_path / "env"
    values.write_text("".join(f"{name}={value}\n" for name, value in given.items()))
    service = Composition("stream-tracker-test", values, ports["PORT"])
    try:
        service.compose("up", "--build", "--detach", "--wait")
        yield service
    finally:
        service.compose("down", "--volumes", "--timeout", "20")
        docker("image", "rm", "--force", f"stream-tracker:{TAG}", f"stream-tracker-demo:{TAG}")


@pytest.mark.docker
@pytest.mark.skipif(not has_engine(), reason="no Docker engine answers")
@pytest.mark.timeout(LIMIT_SEC)
def test_a_monitor_tells_of_a_fault_and_outlives_the_probe_that_watched_it(
    composition: Composition,
) -> None:
    body = {
        "stream_url": "http://origin:9000/live/live/index.m3u8",
        "callback_url": "http://receiver:9000/",
        "config": {"blackout_threshold_sec": 5, "on_delivery_failure": "continue"},
    }
    monitor = composition.call("POST", "/monitors", body)["monitor_id"]

    def received() -> str:
        return composition.compose("logs", "--no-log-prefix", "receiver")

    def analyzed() -> int:
        shown = composition.call("GET", f"/monitors/{monitor}")
        segments: int = shown["statistics"]["total_segments_analyzed"]
        return segments

    wait_until(lambda: "signature valid · #1 stream.started" in received(), "stream.started")
    wait_until(lambda: "alert.blackout" in received(), "alert.blackout")
    for probe in composition.probes():
        seen = analyzed()
        docker("kill", "--signal", "KILL", probe)
        wait_until(lambda seen=seen: analyzed() > seen + 3, "monitoring goes on")  # type: ignore[misc]
        docker("start", probe)
    shown = composition.call("GET", f"/monitors/{monitor}")
    assert (shown["status"], shown["statistics"]["segments_missed"]) == ("monitoring", 0)
    assert composition.call("DELETE", f"/monitors/{monitor}")["status"] == "stopped"
