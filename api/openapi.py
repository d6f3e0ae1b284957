"""The public API and its description. `python -m api.openapi [FILE]` writes the latter."""

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi_offline import FastAPIOffline
from pydantic import BaseModel

from api import health
from api.changes import routes as change_routes
from api.coverage import routes as coverage_routes
from api.destinations import routes as destination_routes
from api.destinations.schemas import ChangeDestination, CreateDestination
from api.error_docs import FRAMEWORK_ERROR
from api.events import routes as event_routes
from api.evidence import latest_pictures
from api.evidence import routes as evidence_routes
from api.incidents import routes as incident_routes
from api.incidents.service import Acknowledgement
from api.monitors import routes as monitor_routes
from api.monitors.schemas import ChangeMonitor, CreateMonitor
from api.page import session_routes
from api.silences import routes as silence_routes
from api.silences.service import CreateSilence
from api.slates import routes as slate_routes
from api.status_pages import routes as status_page_routes
from api.status_pages.service import PutStatusPage
from runtime.version import VERSION

PUBLIC_ROUTERS: Final = (
    monitor_routes.router,
    event_routes.router,
    incident_routes.router,
    evidence_routes.router,
    latest_pictures.router,
    coverage_routes.router,
    change_routes.router,
    destination_routes.router,
    silence_routes.router,
    slate_routes.router,
    status_page_routes.router,
    session_routes.link_router,
    health.router,
)
DEFAULT_FILE: Final = Path("docs/openapi.json")
SUMMARY: Final = "Watches live streams and reports their faults by signed webhooks."
DESCRIPTION: Final = """\
**Keys.** Every call under `/api/v1` takes a key, as `X-API-Key: KEY` or as
`Authorization: Bearer KEY`; one of `VIEWER_KEYS` may only read. `/healthz`, `/readyz` and
`/metrics` take none.

**Rate limits.** Within any 60 seconds a key may make 25 creations and 100 reads; stops, changes and
redeliveries are counted apart, 100 of each (`RATE_LIMIT_CREATE`, `RATE_LIMIT_READ`). One request
more is answered with 429 `RATE_LIMIT_EXCEEDED` and `Retry-After`. An address may send 30 wrong keys
a minute.

**Errors.** All have the form `{"error": {"code", "message"}}`; programs branch on the code. Besides
those listed with each call: 404 `NOT_FOUND` and 405 `METHOD_NOT_ALLOWED` for what does not exist,
and 500 `INTERNAL_ERROR` for a defect.

**Request ids.** Each answer carries `X-Request-ID`: the one of the request, else a new one.
"""
BODIES: Final[tuple[type[BaseModel], ...]] = (
    CreateMonitor,
    ChangeMonitor,
    CreateDestination,
    ChangeDestination,
    CreateSilence,
    Acknowledgement,
    PutStatusPage,
)


def routed_app(*routers: APIRouter) -> FastAPI:
    """Return an application of `routers` without the services behind them.

    Its pages, `/docs` and `/redoc`, bring their scripts along: a network may be closed.
    """
    app = FastAPIOffline(
        title="Stream Tracker",
        version=VERSION,
        redirect_slashes=False,
        separate_input_output_schemas=False,
    )
    app.openapi = partial(describe, app)  # type: ignore[method-assign]
    for router in routers:
        app.include_router(router)
    return app


def describe(app: FastAPI) -> dict[str, Any]:
    """Return what `app` offers, as OpenAPI 3.1; made once."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title,
            version=app.version,
            summary=SUMMARY,
            description=DESCRIPTION,
            routes=app.routes,
            license_info={"name": "MIT", "identifier": "MIT"},
        )
        _add_bodies(schema["components"]["schemas"])
        for path in schema["paths"].values():
            for method, operation in path.items():
                operation["responses"].pop(FRAMEWORK_ERROR, None)
                if method == "get":  # a key that may only read may do that
                    operation["responses"].pop("403", None)
        app.openapi_schema = schema
    return app.openapi_schema


def _add_bodies(schemas: dict[str, Any]) -> None:
    """Add the bodies that we read ourselves, which the framework knows nothing of."""
    for model in BODIES:
        described = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(described.pop("$defs", {}))
        schemas[model.__name__] = described


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text(routed_app(*PUBLIC_ROUTERS)))


def text(app: FastAPI) -> str:
    """Return the description of `app` as it is kept in a file."""
    return json.dumps(describe(app), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()
