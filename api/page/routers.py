"""The routes of all pages."""

from typing import Final

from api.page import (
    availability,
    destinations,
    incidents,
    monitor_routes,
    session_routes,
    silences,
    static_files,
    status_pages,
    wall_routes,
)

PAGE_ROUTERS: Final = (
    static_files.router,
    session_routes.router,
    wall_routes.router,
    monitor_routes.router,
    incidents.router,
    destinations.router,
    silences.router,
    availability.router,
    status_pages.router,
)
