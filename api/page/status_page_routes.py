"""The pages that make status pages, and the status pages themselves, `/status/SLUG`."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from fastapi import Request, Response

from api.auth import peer_address
from api.errors import StatusPageNotFound
from api.monitors.schemas import ListedMonitor
from api.monitors.service import Monitors
from api.page.compression import as_accepted, compressed
from api.page.figures import Bars, bars, beginnings, percent
from api.page.rendering import HEADERS, Document, Page, PublicPage, page_router
from api.page.silence_pages import active_monitors
from api.page.texts import Words
from api.parameters import PathId
from api.request_limits import Counted, Limits
from api.status_pages.public import PublicMonitor, PublicState
from api.status_pages.public import PublicPage as PublishedPage
from api.status_pages.publication import DAYS, FRESH_SEC, MOST_INCIDENTS, Publication
from api.status_pages.service import StatusPage, StatusPages
from monitors.availability import TimeResolution

PUBLIC_HEADERS: Final = {
    **HEADERS,
    "Cache-Control": f"public, max-age={FRESH_SEC}",
    "Vary": "Accept-Language, Cookie",
}

router = page_router()


@dataclass(frozen=True)
class ShownStream:
    monitor: PublicMonitor
    percent: str
    bars: Bars


@router.get("/status-pages")
async def status_pages(page: Page, service: StatusPages) -> Response:
    found = await service.list_all()
    return page.render("status_pages.html", title="status_pages.title", pages=found.status_pages)


@router.get("/status-pages/new")
async def new_status_page(page: Page, monitors: Monitors) -> Response:
    return _form(page, None, await active_monitors(monitors))


@router.get("/status-pages/{slug}")
async def edit_status_page(
    page: Page, service: StatusPages, monitors: Monitors, slug: PathId
) -> Response:
    known = await service.show(slug)
    shown = [each.monitor_id for each in known.monitors]
    chosen = {each.monitor_id: each for each in await monitors.by_ids(shown)}
    others = [each for each in await active_monitors(monitors) if each.monitor_id not in chosen]
    return _form(page, known, [*(chosen[each] for each in shown if each in chosen), *others])


@router.get("/status/{slug}")
async def public_status(
    request: Request, page: PublicPage, publication: Publication, limits: Limits, slug: PathId
) -> Response:
    await limits.count(Counted.STATUS_VIEWS, peer_address(request))
    try:
        edition = await publication.edition(slug)
    except StatusPageNotFound:
        return page.render("public_missing.html", title="public.missing", status=404)
    language = page.words.language
    if language not in edition.drawn:
        edition.drawn[language] = await asyncio.to_thread(_drawn, page, edition.page)
    return as_accepted(request, edition.drawn[language], PUBLIC_HEADERS)


def _drawn(page: Document, published: PublishedPage) -> bytes:
    document = page.render(
        "public_status.html",
        title="status_pages.title",
        published=published,
        headline=_headline(page.words, published),
        streams=_streams(page.words, published),
        most=MOST_INCIDENTS,
    )
    return compressed(bytes(document.body))


def _form(page: Document, known: StatusPage | None, monitors: Sequence[ListedMonitor]) -> Response:
    return page.render(
        "status_page_form.html",
        title="status_pages.new" if known is None else "status_pages.title",
        scripts=["status_page_form.js"],
        known=known,
        names={each.monitor_id: each.name or "" for each in known.monitors} if known else {},
        monitors=monitors,
    )


def _headline(words: Words, published: PublishedPage) -> str:
    if published.state is not PublicState.FAULTY:
        return words(f"public.all.{published.state}")
    faulty = [each.name for each in published.monitors if each.state is PublicState.FAULTY]
    if len(faulty) == 1:
        return words("public.all.faulty.one", name=faulty[0])
    return words("public.all.faulty", n=len(faulty), total=len(published.monitors))


def _streams(words: Words, published: PublishedPage) -> list[ShownStream]:
    since = published.as_of - timedelta(days=DAYS - 1)
    begins = beginnings(since, published.as_of, TimeResolution.DAY)
    return [
        ShownStream(
            each,
            percent(words, each.totals),
            bars(words, each.name, each.days, each.totals, begins, TimeResolution.DAY),
        )
        for each in published.monitors
    ]
