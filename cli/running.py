"""How all commands run: their settings and keys, exit codes, and errors as one line.

Exit codes: 0 done; 1 it failed, or the service refused it; 2 wrong usage or a bad setting; 3 the
service does not answer; 130 interrupted.
"""

import asyncio
import errno
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, NoReturn

import typer

from runtime.errors import StartError
from runtime.settings import SettingsError, SettingsT, load_settings

FAILED, MISUSED, UNREACHABLE, INTERRUPTED = 1, 2, 3, 130


def fail(message: str, code: int) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)


def settings(kind: type[SettingsT], *, embedded: bool = False) -> SettingsT:
    try:
        return load_settings(kind, embedded=embedded)
    except SettingsError as error:
        fail(str(error), MISUSED)


def run(
    work: Coroutine[Any, Any, Any],
    new_event_loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> None:
    """Run `work` to its end; what keeps it from starting is one line, not a trace."""
    is_read = True
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            try:
                runner.run(work)
            except* BrokenPipeError:  # of any task of the work
                is_read = False
    except StartError as error:
        fail(str(error), MISUSED if isinstance(error, SettingsError) else FAILED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    if not is_read:
        raise BrokenPipeError(errno.EPIPE, "nobody reads standard output")  # typer ends quietly


def key(name: str, data_dir: Path) -> str:
    """Return the key `name` of the environment, else that of `stream-tracker up` in `data_dir`."""
    from cli.generated_keys import FILE_NAME, read_keys

    found = os.environ.get(name) or read_keys(data_dir / FILE_NAME).get(name)
    if not found:
        fail(f"{name}: is required (not in the environment, none kept in {data_dir})", MISUSED)
    return found
