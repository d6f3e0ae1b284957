"""The cookies of the page."""

from urllib.parse import urlsplit

from fastapi import Request, Response

from api.auth import SESSION_COOKIE
from api.sessions import SESSION_TIME
from runtime.settings import GatewaySettings


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
