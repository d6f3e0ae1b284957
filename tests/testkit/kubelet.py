"""A kubelet that runs Pods of the fake API as processes of this machine.

It takes the command and the environment from the Pod's spec, as a node does: variables that refer
to a Secret, a folder for each `emptyDir`, an address for each Pod, its readiness probe.
"""

import asyncio
import contextlib
import signal
import sysconfig
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from tests.testkit.fake_kube_api import FakeApi, Pod
from tests.testkit.pod_states import RUNNING, container, terminated
from tests.testkit.waiting import answers

TICK_SEC = 0.05
SCRIPTS = sysconfig.get_path("scripts")

IMAGE_ENTRYPOINT = ["stream-tracker"]
"""What the image starts where the Pod names no command; an init process is not needed here."""


@dataclass
class Running:
    """A Pod whose process was started.

    Attributes:
        started_at, ready_at: unix-like times of the loop's clock.
        killed_for: reason that its container's status will give.
    """

    pod: Pod
    process: asyncio.subprocess.Process
    address: str
    started_at: float
    ready_at: float | None = None
    killed_for: str | None = None
    asked_to_go: bool = False


@dataclass
class Kubelet:
    """Runs what the API has; `at_work` does so while its context is open.

    Attributes:
        secrets: variables by the name of their Secret.
        start_sec: what a node takes before a Pod's process starts.
        overrides: variables that a Pod gets instead, by monitor: to have its worker fail.
        running: by the Pod's uid.
        started: Pods in the order in which they were started.
    """

    api: FakeApi
    folder: Path
    secrets: Mapping[str, Mapping[str, str]]
    start_sec: float = 0.0
    overrides: dict[str, dict[str, str]] = field(default_factory=dict)
    running: dict[str, Running] = field(default_factory=dict)
    started: list[Running] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Run Pods; at the end whatever still runs is killed."""
        working = asyncio.create_task(self._work())
        try:
            yield
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            for each in self.running.values():
                with contextlib.suppress(ProcessLookupError):
                    each.process.kill()
                await each.process.wait()

    def of(self, monitor_id: str) -> list[Running]:
        """Return the Pods of a monitor that were started, in order."""
        return [each for each in self.started if _monitor(each.pod) == monitor_id]

    def kill(self, monitor_id: str, reason: str) -> None:
        """Kill the worker of a monitor's Pod, as the kernel does when memory runs out."""
        present = self.of(monitor_id)[-1]
        present.killed_for = reason
        present.process.kill()

    async def _work(self) -> None:
        while True:
            for pod in list(self.api.pods.values()):
                await self._attend(pod)
            await asyncio.sleep(TICK_SEC)

    async def _attend(self, pod: Pod) -> None:
        running = self.running.get(pod["metadata"]["uid"])
        if running is None:
            await self._begin(pod)
        elif running.process.returncode is not None:
            self._report_end(pod, running)
        elif pod["metadata"].get("deletionTimestamp"):
            self._ask_to_go(running)
        elif running.ready_at is None:
            await self._probe(running)

    async def _begin(self, pod: Pod) -> None:
        meta = pod["metadata"]
        if meta.get("deletionTimestamp"):
            self.api.remove(meta["name"])
            return
        if pod["spec"].get("nodeName"):  # of another node
            return
        age = datetime.now(UTC) - datetime.fromisoformat(meta["creationTimestamp"])
        if pod["status"]["phase"] != "Pending" or age.total_seconds() < self.start_sec:
            return
        number = next(self._numbers)
        address = f"127.0.{1 + number // 250}.{1 + number % 250}"
        process = await self._start(pod, address, number)
        clock = asyncio.get_running_loop().time
        running = Running(pod, process, address, clock())
        self.running[meta["uid"]] = running
        self.started.append(running)
        self.api.set_status(meta["name"], **RUNNING, **_ready("False"), podIP=address)

    async def _start(self, pod: Pod, address: str, number: int) -> asyncio.subprocess.Process:
        spec = pod["spec"]["containers"][0]
        folder = self.folder / f"pod-{number}"
        folder.mkdir(parents=True)
        variables = {each["name"]: self._value(each) for each in spec["env"]}
        for mount in spec["volumeMounts"]:
            variables = {
                name: value.replace(mount["mountPath"], str(folder), 1)
                if value.startswith(mount["mountPath"])
                else value
                for name, value in variables.items()
            }
        variables["HEALTH_HOST"] = address  # all addresses of a Pod are its own; here they are not
        variables |= self.overrides.get(_monitor(pod), {})
        with (self.folder / f"pod-{number}.log").open("wb") as log:
            return await asyncio.create_subprocess_exec(
                *spec.get("command", IMAGE_ENTRYPOINT),
                *spec["args"],
                env={"PATH": f"{SCRIPTS}:/usr/bin:/bin", **variables},
                cwd=folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _value(self, variable: dict[str, Any]) -> str:
        if "value" in variable:
            return str(variable["value"])
        reference = variable["valueFrom"]["secretKeyRef"]
        return self.secrets[reference["name"]][reference["key"]]

    def _report_end(self, pod: Pod, running: Running) -> None:
        meta = pod["metadata"]
        if meta.get("deletionTimestamp"):
            self.api.remove(meta["name"])
        elif pod["status"]["phase"] == "Running":
            code = running.process.returncode or 0
            exit_code = 128 - code if code < 0 else code
            reason = running.killed_for or ("Error" if exit_code else "Completed")
            self.api.set_status(meta["name"], **terminated(exit_code, reason))

    def _ask_to_go(self, running: Running) -> None:
        if not running.asked_to_go:
            running.asked_to_go = True
            running.process.send_signal(signal.SIGTERM)

    async def _probe(self, running: Running) -> None:
        spec = running.pod["spec"]["containers"][0]
        port = spec["ports"][0]["containerPort"]
        path = spec["readinessProbe"]["httpGet"]["path"]
        with contextlib.suppress(httpx.HTTPError):
            if await answers(f"http://{running.address}:{port}{path}"):
                running.ready_at = asyncio.get_running_loop().time()
                status = container({"running": {}}) | {"ready": True}
                name = running.pod["metadata"]["name"]
                self.api.set_status(name, containerStatuses=[status], **_ready("True"))


def _ready(status: str) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    return {"conditions": [{"type": "Ready", "status": status, "lastTransitionTime": now}]}


def _monitor(pod: Pod) -> str:
    return str(pod["metadata"]["labels"]["monitor-id"])
