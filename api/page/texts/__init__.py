"""The words of the page: each with its English and its Japanese text, a file for each page.

A page is in the language that was chosen, else in the browser's.

`{name}` in a text is filled in. Kinds of incidents and reasons have the words of notifications.
"""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request

from api.page.texts import (
    availability,
    common,
    destinations,
    incidents,
    monitor,
    refusals,
    settings,
    silences,
    status_pages,
    wall,
)
from notifications.notification import Language
from notifications.texts import TEXTS as NOTIFICATION_TEXTS

LANGUAGE_COOKIE: Final = "stream_tracker_language"
MOST_RANGES: Final = 20

_SHARED_PREFIXES: Final = ("kind.", "reason.")
_OURS: Final[Mapping[str, tuple[str, str]]] = {
    **common.TEXTS,
    **wall.TEXTS,
    **monitor.TEXTS,
    **refusals.TEXTS,
    **settings.TEXTS,
    **incidents.TEXTS,
    **destinations.TEXTS,
    **silences.TEXTS,
    **availability.TEXTS,
    **status_pages.TEXTS,
}


def _table(language: Language, column: int) -> dict[str, str]:
    shared = NOTIFICATION_TEXTS[language].items()
    sentences = {
        key: text[:1].upper() + text[1:] for key, text in shared if key.startswith(_SHARED_PREFIXES)
    }
    return sentences | {key: texts[column] for key, texts in _OURS.items()}


TEXTS: Final[Mapping[Language, Mapping[str, str]]] = {
    Language.ENGLISH: _table(Language.ENGLISH, 0),
    Language.JAPANESE: _table(Language.JAPANESE, 1),
}


class Words:
    """The texts of one language; templates know it as `t`."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._texts = TEXTS[language]

    def __call__(self, key: str, **values: Any) -> str:
        text = self._texts[key]
        return text.format(**values) if values else text

    def of(self, prefix: str, name: str) -> str:
        """Return the text of one of a family, such as a kind; its name where there is none."""
        return self._texts.get(f"{prefix}.{name}", name)

    def starting_with(self, *prefixes: str) -> dict[str, str]:
        return {key: text for key, text in self._texts.items() if key.startswith(prefixes)}


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
