"""The routes of silences, `/api/v1/silences`."""

from fastapi import APIRouter, Request, Response

from api.body import parse_model, read_body
from api.errors import SilenceNotFound
from api.parameters import Limit, Offset, PathId, client_route
from api.request_limits import Counted
from api.silences.service import CreateSilence, Silence, SilenceList, Silences

router = APIRouter(prefix="/api/v1", tags=["silences"])


@router.post("/silences", status_code=201, **client_route(Counted.CREATIONS, body=CreateSilence))
async def create_silence(request: Request, response: Response, silences: Silences) -> Silence:
    """Announce a time in which incidents of some monitors notify nobody."""
    wanted = parse_model(CreateSilence, await read_body(request))
    created = await silences.create(wanted)
    response.headers["Location"] = f"/api/v1/silences/{created.silence_id}"
    return created


@router.get("/silences", **client_route(Counted.READS, query=("limit", "offset")))
async def list_silences(silences: Silences, limit: Limit = 50, offset: Offset = 0) -> SilenceList:
    """List silences that have not ended, the first to end first."""
    return await silences.list_current(limit=limit, offset=offset)


@router.get("/silences/{silence_id}", **client_route(Counted.READS, SilenceNotFound))
async def show_silence(silences: Silences, silence_id: PathId) -> Silence:
    """Show a silence, also one that has ended."""
    return await silences.show(silence_id)


@router.delete(
    "/silences/{silence_id}", status_code=204, **client_route(Counted.STOPS, SilenceNotFound)
)
async def end_silence(silences: Silences, silence_id: PathId) -> Response:
    """End a silence now; incidents that are still open are told."""
    await silences.end(silence_id)
    return Response(status_code=204)
