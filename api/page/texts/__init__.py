"""The words of the page: each with its English and its Japanese text, a file for each page.

`{name}` in a text is filled in. Kinds of incidents and reasons have the words of notifications.
"""

from collections.abc import Mapping
from typing import Any, Final

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
    words = {key: _sentence(text) for key, text in shared if key.startswith(_SHARED_PREFIXES)}
    return words | {key: texts[column] for key, texts in _OURS.items()}


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


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
        """Return the texts that a script uses."""
        return {key: text for key, text in self._texts.items() if key.startswith(prefixes)}
