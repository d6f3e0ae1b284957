"""The wall, `/`."""

from typing import Annotated

from fastapi import Response

from api.injection import injected
from api.page.rendering import Page, page_router
from api.page.wall import WallService

router = page_router()


@router.get("/")
async def wall(page: Page, service: Annotated[WallService, injected(WallService)]) -> Response:
    """Show all that is watched, what needs attention first."""
    return page.render(
        "wall.html",
        title="wall.title",
        scripts=["wall.js"],
        script_texts=["wall.script."],
        data=await service.begin(),
    )
