#!/bin/bash
# bytecode.sh: compiles what our processes import, of Python's library and of all packages. A
# read-only root keeps no bytecode: what is missing here is compiled anew at each start. All of it
# would be twice as much. It is checked by nothing when it is loaded, and so the same in every
# build, whenever its sources were written.
set -euo pipefail

python - <<'PYTHON' | python -m compileall -q --invalidation-mode unchecked-hash -i -
import pkgutil
import sys
from importlib import import_module

OURS = "monitors media kube workflows activities api worker runtime cli simulator"
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
        if not found.name.endswith(".__main__"):
            import_module(found.name)
for name in LATE.split():
    import_module(name)
for module in list(sys.modules.values()):
    if (getattr(module, "__file__", None) or "").endswith(".py"):
        print(module.__file__)
for name in WHOLE.split():
    print(*import_module(name).__path__)
PYTHON
