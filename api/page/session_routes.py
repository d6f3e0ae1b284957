"""Logging in and out: `/login`, `/session`, and links that log in once."""

from typing import Annotated, Any, Final
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import AwareDatetime, BaseModel, Field

from api.auth import SESSION_COOKIE, AuthenticationDep, CallerDep, is_from_this_site, peer_address
from api.body import parse_json_object, read_body
from api.errors import ApiError, Forbidden, RateLimitExceeded, Unauthorized, ValidationFailed
from api.injection import injected
from api.page.rendering import HEADERS, Document, PublicPage, page_router
from api.page.texts import LANGUAGE_COOKIE
from api.parameters import client_route
from api.request_limits import Counted, Limits
from api.sessions import SESSION_TIME, Sessions
from notifications.notification import Language
from runtime.settings import GatewaySettings

MOST_FORM_BYTES: Final = 8 * 1024
MOST_FIELDS: Final = 8
FORM_TYPE: Final = "application/x-www-form-urlencoded"
LANGUAGE_SEC: Final = 365 * 24 * 3600


class SessionCookie:
    """Sets and removes the cookie of a session, which no script and no other site can use."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._public = urlsplit(settings.public_url or "")

    def set(self, request: Request, response: Response, token: str) -> None:
        response.set_cookie(
            SESSION_COOKIE,
            token,
            max_age=round(SESSION_TIME.total_seconds()),
            httponly=True,
            samesite="strict",
            secure=self._is_behind_tls(request),
        )

    def remove(self, response: Response) -> None:
        response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict")

    def _is_behind_tls(self, request: Request) -> bool:
        # A proxy that ends TLS need not say so, but then PUBLIC_URL does.
        is_public = request.headers.get("Host", "") == self._public.netloc
        return request.url.scheme == "https" or (is_public and self._public.scheme == "https")


SessionsDep = Annotated[Sessions, injected(Sessions)]
Cookie = Annotated[SessionCookie, injected(SessionCookie)]

router = page_router()
link_router = APIRouter(prefix="/api/v1", tags=["page"])


class LoginLink(BaseModel):
    """A link that logs in once."""

    path: str = Field(description="Below the gateway's address.", examples=["/login?token=…"])
    expires_at: AwareDatetime


@link_router.post("/login-links", status_code=201, **client_route(Counted.CREATIONS))
async def make_login_link(sessions: SessionsDep, caller: CallerDep) -> LoginLink:
    """Make a link that logs a browser in as the holder of this key, once, within 15 minutes."""
    token, expires_at = await sessions.make_link(caller.name)
    return LoginLink(path=f"/login?token={token}", expires_at=expires_at)


@router.get("/login")
async def show_login(
    request: Request,
    page: PublicPage,
    sessions: SessionsDep,
    limits: Limits,
    cookie: Cookie,
    token: str | None = None,
    next: str = "/",
) -> Response:
    """Show the form; with a token, log in."""
    if token is None:
        return _form(page, next)
    await limits.count(Counted.LOGINS, peer_address(request))
    session = await sessions.begin_by_link(token)
    if session is None:
        return _form(page, next, problem="login.link_used", status=401)
    await _end(request, sessions)
    # Shown, not redirected: after a click in a mail the browser keeps a strict cookie back until
    # a page of ours leads on.
    answer = page.render("welcome.html", title="login.welcome", next=_local(next))
    cookie.set(request, answer, session)
    return answer


@router.post("/session")
async def log_in(
    request: Request,
    page: PublicPage,
    authentication: AuthenticationDep,
    sessions: SessionsDep,
    limits: Limits,
    cookie: Cookie,
) -> Response:
    """Exchange a key for a session: a form leads on to the page, JSON is answered with 204."""
    is_form = request.headers.get("Content-Type", "").partition(";")[0].strip() == FORM_TYPE
    given = {"key": "", "next": "/"}
    try:
        given = await _given(request, is_form=is_form)
        await limits.count(Counted.LOGINS, peer_address(request))
        token = await _begin(request, given["key"], authentication, sessions)
        await _end(request, sessions)
    except ApiError as error:
        if not is_form:
            return error.response()
        if not isinstance(error, Forbidden | Unauthorized | RateLimitExceeded):
            raise
        return _form(
            page, given["next"], problem=_problem(error, given["key"]), status=error.status
        )
    answer = (
        RedirectResponse(_local(given["next"]), 303, headers=HEADERS)
        if is_form
        else Response(status_code=204)
    )
    cookie.set(request, answer, token)
    return answer


@router.get("/session")
async def check_session(request: Request, authentication: AuthenticationDep) -> Response:
    """Say whether the session of the cookie goes on: 204, else 401."""
    caller = await authentication.session(request)
    return Response(status_code=204 if caller else 401)


@router.delete("/session")
async def log_out(request: Request, sessions: SessionsDep, cookie: Cookie) -> Response:
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        return Forbidden("The request comes from another site").response()
    await _end(request, sessions)
    answer = Response(status_code=204)
    cookie.remove(answer)
    return answer


@router.get("/language/{language}")
async def choose_language(language: Language, next: str = "/") -> Response:
    answer = RedirectResponse(_local(next), 303, headers=HEADERS)
    answer.set_cookie(LANGUAGE_COOKIE, language, max_age=LANGUAGE_SEC, samesite="lax")
    return answer


async def _begin(
    request: Request, key: str, authentication: AuthenticationDep, sessions: SessionsDep
) -> str:
    # Programs send neither header; a browser that sends them must be on our own form.
    is_from_browser = "Sec-Fetch-Site" in request.headers or "Origin" in request.headers
    if is_from_browser and not is_from_this_site(request):
        raise Forbidden("The request comes from another site")
    client = authentication.holder(key)
    if client is None:
        raise Unauthorized("key: is not a valid key" if key else "key: is required")
    return await sessions.begin(client)


async def _end(request: Request, sessions: Sessions) -> None:
    await sessions.end(request.cookies.get(SESSION_COOKIE, ""))


async def _given(request: Request, *, is_form: bool) -> dict[str, str]:
    body = await read_body(request, most_bytes=MOST_FORM_BYTES)
    found: dict[str, Any] = _fields(body) if is_form else parse_json_object(body)
    text = {name: value if isinstance(value, str) else "" for name, value in found.items()}
    return {"key": text.get("key", "").strip(), "next": text.get("next", "/")}


def _fields(body: bytes) -> dict[str, str]:
    """Return the fields of a form; raises ValidationFailed."""
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=MOST_FIELDS)
    except ValueError:
        raise ValidationFailed(f"body: has more than {MOST_FIELDS} fields") from None
    return {name: values[0] for name, values in fields.items()}


def _form(page: Document, next: str, *, problem: str = "", status: int = 200) -> Response:
    return page.render(
        "login.html", title="login.title", next=_local(next), problem=problem, status=status
    )


def _problem(error: Exception, key: str) -> str:
    if isinstance(error, RateLimitExceeded):
        return "login.too_many"
    if isinstance(error, Forbidden):
        return "login.elsewhere"
    return "login.wrong" if key else "login.missing"


def _local(path: str) -> str:
    r"""Return a path of ours; browsers take //host and /\host for another site."""
    is_ours = path.startswith("/") and path[1:2] not in ("/", "\\") and path.isprintable()
    return path if is_ours else "/"
