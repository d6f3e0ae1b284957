"""The routes of status pages, `/api/v1/status-pages`."""

from fastapi import APIRouter, Request, Response

from api.body import parse_model, read_body
from api.errors import StatusPageNotFound
from api.parameters import PathId, client_route
from api.request_limits import Counted
from api.status_pages.publication import Publication
from api.status_pages.service import PutStatusPage, StatusPage, StatusPageList, StatusPages

router = APIRouter(prefix="/api/v1", tags=["status pages"])


@router.put("/status-pages/{slug}", **client_route(Counted.CHANGES, body=PutStatusPage))
async def put_status_page(
    request: Request, pages: StatusPages, publication: Publication, slug: PathId
) -> StatusPage:
    """Publish a page at `/status/{slug}` that anybody may see, or replace it."""
    wanted = parse_model(PutStatusPage, await read_body(request))
    changed = await pages.put(slug, wanted)
    publication.forget(slug)
    return changed


@router.get("/status-pages", **client_route(Counted.READS))
async def list_status_pages(pages: StatusPages) -> StatusPageList:
    """List the status pages by slug."""
    return await pages.list_all()


@router.get("/status-pages/{slug}", **client_route(Counted.READS, StatusPageNotFound))
async def show_status_page(pages: StatusPages, slug: PathId) -> StatusPage:
    """Return what a status page is made of."""
    return await pages.show(slug)


@router.delete(
    "/status-pages/{slug}", status_code=204, **client_route(Counted.CHANGES, StatusPageNotFound)
)
async def delete_status_page(
    pages: StatusPages, publication: Publication, slug: PathId
) -> Response:
    """Take a status page down; other gateways may show it for another minute."""
    await pages.delete(slug)
    publication.forget(slug)
    return Response(status_code=204)
