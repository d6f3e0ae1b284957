"""The keys of the embedded mode: those that the environment does not give are made once."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

SEED_NAME = "EVIDENCE_SIGNING_KEY"
KEY_NAMES = ("API_KEY", "INTERNAL_API_KEY", "WEBHOOK_SIGNING_KEY", "SECRETS_KEY", SEED_NAME)
KEY_BYTES = 24
SEED_BYTES = 32
FILE_NAME = "keys.env"


def provide_keys(data_dir: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return all keys: from `environment`, else from `data_dir`, else new ones, kept there.

    The file can be read by its owner alone.
    """
    path = data_dir / FILE_NAME
    kept = read_keys(path)
    made = {name: _made(name) for name in KEY_NAMES if name not in kept}
    if made:
        _write(path, kept | made)
    given = {name: environment[name] for name in KEY_NAMES if environment.get(name)}
    return kept | made | given


def _made(name: str) -> str:
    if name == SEED_NAME:
        return secrets.token_hex(SEED_BYTES)
    return secrets.token_urlsafe(KEY_BYTES)


def read_keys(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    lines = (line.partition("=") for line in path.read_text().splitlines())
    return {name: value for name, _, value in lines if name in KEY_NAMES and value}


def _write(path: Path, keys: Mapping[str, str]) -> None:
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.writelines(f"{name}={value}\n" for name, value in keys.items())
    unfinished.replace(path)
