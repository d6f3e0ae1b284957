"""The routes of all pages."""

from typing import Final

from api.page import monitor_routes, session_routes, static_files, wall_routes

PAGE_ROUTERS: Final = (
    static_files.router,
    session_routes.router,
    wall_routes.router,
    monitor_routes.router,
)
