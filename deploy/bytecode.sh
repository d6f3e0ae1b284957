#!/bin/bash
# bytecode.sh: compiles the modules that our processes import, from Python's library and all
# packages. A read-only root keeps no bytecode: a module that is missing here is compiled at each
# start. All modules together would take twice the space. Python loads this bytecode unchecked, so
# it is the same in every build, however old its sources are.
set -euo pipefail

python - <<'PYTHON' | python -m compileall -q --invalidation-mode unchecked-hash -i -
import pkgutil
import sys
from importlib import import_module

NEEDS_EXTRA = "cli.demo"  # its encoder is not in this image
OURS = "monitors media kube workflows activities api worker runtime cli"
# Imported by large libraries when they need it.
LATE = """
    h2.connection sqlalchemy.dialects.postgresql.asyncpg sqlalchemy.dialects.sqlite.aiosqlite
    streamlink.plugins.youtube temporalio.worker.workflow_sandbox._in_sandbox
    yt_dlp.extractor.youtube yt_dlp.networking
"""
# Small ones that load more of themselves by name, or by path as the database's migrations.
WHOLE = "api fastapi httpcore structlog typer uvicorn uvloop websockets"

for name in OURS.split():
    path = getattr(import_module(name), "__path__", [])
    for found in pkgutil.walk_packages(path, f"{name}."):
        if not found.name.startswith(NEEDS_EXTRA) and not found.name.endswith(".__main__"):
            import_module(found.name)
for name in LATE.split():
    import_module(name)
for module in list(sys.modules.values()):
    if (getattr(module, "__file__", None) or "").endswith(".py"):
        print(module.__file__)
for name in WHOLE.split():
    print(*import_module(name).__path__)
PYTHON
