"""Makes the documents of the page.

`page_router()` is what a page's routes belong to: its answers are documents, errors included, and
who is not logged in is asked to log in. A route takes `Page`, renders with it, and adds nothing to
the headers:

    router = page_router()

    @router.get("/silences")
    async def silences(page: Page) -> Response:
        return page.render("silences.html", title="silences.title", scripts=["silences.js"], …)
"""

from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlencode

import structlog
from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.auth import AuthenticationDep, Caller
from api.errors import ApiError
from api.page import static_files
from api.page.compression import compressed_answer
from api.page.texts import Words, language_of
from api.sessions import csrf_token
from api.store import StoreUnavailable

TEMPLATES: Final = Path(__file__).parent / "templates"
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
NAVIGATION: Final = (
    # path, key of the text
    ("/", "nav.wall"),
    ("/incidents", "incidents.title"),
    ("/destinations", "destinations.title"),
    ("/silences", "silences.title"),
    ("/availability", "availability.title"),
    ("/status-pages", "status_pages.title"),
)
SCRIPT_TEXTS: Final = ("script.", "kind.", "state.", "status.", "severity.")
REFUSALS: Final = ("refused.",)

_environment = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
# As short as it can be; what HTML minds is escaped in any case.
_environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":")}
_log = structlog.get_logger(__name__)


class NotLoggedIn(Exception):
    """The page is for people who are logged in."""


class Document:
    """What a route renders with; without a `caller` for everybody."""

    def __init__(self, request: Request, caller: Caller | None = None) -> None:
        self.caller = caller
        self.words = Words(language_of(request))
        self._path, self._address = request.url.path, _address(request)

    def render(
        self,
        template: str,
        *,
        title: str,
        scripts: Sequence[str] = (),
        script_texts: Sequence[str] = (),
        data: Any = None,
        status: int = 200,
        **context: Any,
    ) -> HTMLResponse:
        """Return a page.

        Args:
            template: a file in `templates/`, which extends `base.html`.
            title: key of its title.
            scripts: files in `static/`, loaded as modules.
            script_texts: beginnings of the keys of the texts that its scripts use.
            data: what its scripts begin with; in the document as JSON.
            status: of the answer.
            context: for the template, which also knows `t`, `may_change` and `static`.
        """
        modules = static_files.with_imports(["page.js", *scripts])
        document = _environment.get_template(template).render(
            t=self.words,
            language=self.words.language,
            title=title,
            path=self._path,
            address=self._address,
            static=static_files.PREFIX,
            scripts=["page.js", *scripts],
            modules=modules,
            texts=self.words.starting_with(
                *SCRIPT_TEXTS, *script_texts, *(REFUSALS if "forms.js" in modules else ())
            ),
            data=data,
            navigation=NAVIGATION,
            is_logged_in=self.caller is not None,
            may_change=bool(self.caller and self.caller.may_change),
            csrf=csrf_token(self.caller.session) if self.caller else "",
            **context,
        )
        return HTMLResponse(document, status, headers=HEADERS)

    def render_error(self, status: int, kind: str, message: str = "") -> HTMLResponse:
        """Return a page that says what failed and what to do."""
        return self.render(
            "error.html", title=f"error.{kind}", kind=kind, message=message, status=status
        )


class PageRoute(APIRoute):
    """Answers errors with documents, and compresses what it answers."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_for_people(request: Request) -> Response:
            try:
                return compressed_answer(request, await handle(request))
            except NotLoggedIn:
                return _ask_to_log_in(request)
            except (ApiError, StoreUnavailable, RequestValidationError) as error:
                return await _error_page(request, error)

        return handle_for_people


def page_router() -> APIRouter:
    return APIRouter(route_class=PageRoute, include_in_schema=False)


async def logged_in(request: Request, authentication: AuthenticationDep) -> Document:
    """Return what renders for who is logged in; raises NotLoggedIn."""
    caller = await authentication.session(request)
    if caller is None:
        raise NotLoggedIn
    request.state.page_caller = caller
    return Document(request, caller)


async def for_everybody(request: Request) -> Document:
    return Document(request)


Page = Annotated[Document, Depends(logged_in)]
PublicPage = Annotated[Document, Depends(for_everybody)]


def _ask_to_log_in(request: Request) -> Response:
    address = _address(request)
    query = "" if address == "/" else "?" + urlencode({"next": address})
    return RedirectResponse(f"/login{query}", 303, headers=HEADERS)


def _address(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


async def _error_page(
    request: Request, error: ApiError | StoreUnavailable | RequestValidationError
) -> Response:
    page = Document(request, getattr(request.state, "page_caller", None))
    if isinstance(error, StoreUnavailable):
        _log.error("database unavailable", error=str(error))
        return page.render_error(503, "unreachable")
    if isinstance(error, ApiError) and error.status != 404:
        answer = page.render_error(error.status, "refused", error.message)
        answer.headers.update(error.headers or {})
        return answer
    return page.render_error(404, "not_found")
