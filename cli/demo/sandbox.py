"""The demo's own ports, settings and log: it needs nothing else and touches nothing else."""

import os
import random
import socket
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from pydantic import AliasChoices

from cli.embedded.service import LOCAL
from runtime.errors import StartError
from runtime.settings import EmbeddedSettings, GatewaySettings, WorkerSettings

PORTS = range(20_000, 32_000)
"""Below those that systems hand out by themselves (from 32768 or 49152 on).

A Temporal server takes a dozen of them, and as many connections, while it starts: one that was
free a moment ago is not when its turn comes to be listened on.
"""

LOG_NAME = "service.log"
TAIL_LINES = 25


def forget_settings(environment: MutableMapping[str, str]) -> None:
    """Remove what would lead the demo to somebody's real database or proxy."""
    ours = _setting_names()
    for name in list(environment):
        if name.upper() in ours or name.upper().startswith("TEMPORAL_"):
            del environment[name]


def demo_settings(folder: Path) -> EmbeddedSettings:
    gateway, temporal, temporal_ui, health, receiver = free_ports(5)
    return EmbeddedSettings(
        port=gateway,
        temporal_port=temporal,
        temporal_ui_port=temporal_ui,
        health_port=health,
        receiver_port=receiver,
        data_dir=folder / "data",
        allow_private_networks=True,
    )


def free_ports(count: int, among: Sequence[int] = PORTS) -> list[int]:
    """Return ports of 127.0.0.1 where nobody listens now; raises StartError if there are fewer."""
    free: list[int] = []
    with ExitStack() as stack:
        for port in random.sample(among, len(among)):
            listener = stack.enter_context(socket.socket())
            with suppress(OSError):
                listener.bind((LOCAL, port))
                free.append(port)
            if len(free) == count:
                return free
    raise StartError(f"only {len(free)} of the {count} ports that are needed are free")


@contextmanager
def errors_into(log: Path) -> Iterator[None]:
    """Send standard error to a file, that of children started meanwhile too.

    On the level of file descriptors: children inherit theirs from us.
    """
    before = os.dup(2)
    try:
        with log.open("ab") as file:
            os.dup2(file.fileno(), 2)
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)


def log_tail(folder: Path) -> str:
    return "\n".join(
        line
        for log in sorted(folder.rglob("*.log"))
        for line in [f"--- {log.name}", *_lines(log)[-TAIL_LINES:]]
    )


def _lines(log: Path) -> list[str]:
    # A Temporal server that is stopped warns of each of its parts that lost another one.
    lines = log.read_text(errors="replace").splitlines()
    return [line for line in lines if "level=WARN" not in line]


def _setting_names() -> set[str]:
    names: set[str] = set()
    for kind in (GatewaySettings, WorkerSettings, EmbeddedSettings):
        for name, field in kind.model_fields.items():
            names.add(name.upper())
            if isinstance(field.validation_alias, AliasChoices):
                names |= {str(alias).upper() for alias in field.validation_alias.choices}
    return names
