"""The URLs of destinations: their forms, and what of them may be shown. Pure."""

import re
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit, urlunsplit

from notifications.notification import DestinationType

MAX_URL_CHARS: Final = 2048

_SCHEMA: Final = re.compile(r"([a-z][a-z0-9+.-]{0,31})://", re.IGNORECASE)
_ROUTING_KEY: Final = re.compile(r"[A-Za-z0-9]{32}")
_ALERTS_PATH: Final = "/api/v2/alerts"

# These notify the machine that runs them, or drive what is plugged into it.
LOCAL_SCHEMAS: Final = frozenset(
    {"blink1", "dbus", "glib", "gnome", "kde", "macosx", "qt", "syslog", "windows"}
)


class BadDestinationUrl(ValueError):
    """A destination's URL cannot be used; the message says why, without a part of the URL."""


def check_destination_url(type: DestinationType, url: str) -> None:
    """Judge the form of a URL; the guard judges its address, and Apprise its own schemas.

    Raises BadDestinationUrl where it has another form than its type needs.
    """
    if len(url) > MAX_URL_CHARS:
        raise BadDestinationUrl(f"must have at most {MAX_URL_CHARS} characters")
    if type is DestinationType.PAGERDUTY:
        pagerduty_target(url)
    elif type is DestinationType.ALERTMANAGER:
        alertmanager_target(url)
    elif type is DestinationType.APPRISE:
        apprise_schema(url)
    elif _http_parts(url).username is not None:
        raise BadDestinationUrl("must have no user or password in it")


def requested_url(type: DestinationType, url: str) -> str | None:
    """Return the http(s) URL that the guard judges beforehand; None where Apprise knows it."""
    if type is DestinationType.APPRISE:
        return None
    if type is DestinationType.ALERTMANAGER:
        return alertmanager_target(url)[0]
    return url


def masked_url(url: str) -> str:
    """Return what may be shown: the schema, and of http(s) URLs the host."""
    found = _SCHEMA.match(url)
    if found is None:
        return "***"
    schema = found[1].lower()
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2] if schema in ("http", "https") else ""
    except ValueError:
        host = ""
    return f"{schema}://{host}/***" if host else f"{schema}://***"


def pagerduty_target(url: str) -> tuple[str, str]:
    """Return where to post, and the routing key; raises BadDestinationUrl."""
    parts = _http_parts(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.username is not None or set(query) != {"routing_key"}:
        raise BadDestinationUrl(
            "must be https://events.pagerduty.com/v2/enqueue?routing_key=KEY, or the same with "
            "events.eu.pagerduty.com"
        )
    if not _ROUTING_KEY.fullmatch(query["routing_key"]):
        raise BadDestinationUrl("routing_key must be the 32 letters and digits of an integration")
    return urlunsplit((parts.scheme, parts.netloc, parts.path, "", "")), query["routing_key"]


def alertmanager_target(url: str) -> tuple[str, str | None]:
    """Return where to post, and `user:password` if the URL has them; raises BadDestinationUrl."""
    parts = _http_parts(url)
    if parts.query or parts.fragment:
        raise BadDestinationUrl("must be Alertmanager's base URL, without a query")
    userinfo, _, host = parts.netloc.rpartition("@")
    path = parts.path.rstrip("/").removesuffix(_ALERTS_PATH) + _ALERTS_PATH
    return urlunsplit((parts.scheme, host, path, "", "")), unquote(userinfo) or None


def apprise_schema(url: str) -> str:
    """Return the schema of an Apprise URL; raises BadDestinationUrl where it cannot be guarded."""
    found = _SCHEMA.match(url)
    if found is None:
        raise BadDestinationUrl("must be an Apprise URL, such as slack://… or mailto://…")
    schema = found[1].lower()
    if schema in LOCAL_SCHEMAS:
        raise BadDestinationUrl(
            f"{schema}:// is not allowed: it notifies the machine that sends it"
        )
    return schema


def _http_parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        is_http = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        is_http = False
    if not is_http:
        raise BadDestinationUrl("must be an http:// or https:// URL")
    return parts
