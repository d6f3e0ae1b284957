"""The routes of all pages."""

from typing import Final

from api.page import (
    availability_page,
    destination_pages,
    incidents_page,
    monitor_routes,
    session_routes,
    silence_pages,
    static_files,
    status_page_routes,
    wall_routes,
)

PAGE_ROUTERS: Final = (
    static_files.router,
    session_routes.router,
    wall_routes.router,
    monitor_routes.router,
    incidents_page.router,
    destination_pages.router,
    silence_pages.router,
    availability_page.router,
    status_page_routes.router,
)
