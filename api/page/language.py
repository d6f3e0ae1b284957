"""Which language a page is in: the one that was chosen, else the browser's."""

from typing import Final

from fastapi import Request

from notifications.notification import Language

LANGUAGE_COOKIE: Final = "stream_tracker_language"
MOST_RANGES: Final = 20


def language_of(request: Request) -> Language:
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in set(Language):
        return Language(chosen)
    return preferred(request.headers.get("Accept-Language", ""))


def preferred(accepted: str) -> Language:
    """Return the language that an `Accept-Language` header (RFC 9110, 12.5.4) likes best."""
    best, best_weight = Language.ENGLISH, 0.0
    for each in accepted.split(",")[:MOST_RANGES]:
        tag, _, parameters = each.partition(";")
        primary = tag.strip().lower().partition("-")[0]
        weight = _weight(parameters)
        if primary in set(Language) and weight > best_weight:
            best, best_weight = Language(primary), weight
    return best


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(1.0, max(0.0, float(value)))
    except ValueError:
        return 0.0
