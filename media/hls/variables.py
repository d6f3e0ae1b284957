"""Variables in playlists (EXT-X-DEFINE, 8216bis 4.3 and 4.4.2.3).

A value may hold references itself, so that a few lines could stand for gigabytes: what all
references of a playlist become is bounded together.
"""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

from media.hls.errors import MalformedPlaylist, PlaylistTooLarge
from media.hls.tags import attribute_list

MAX_VARIABLES = 100
MAX_CARRIED_CHARS = 4 * 1024  # names and values of all that a media playlist imports
MAX_EXPANDED_CHARS = 4 * 1024 * 1024  # all lines with a reference, after substitution
_REFERENCE = re.compile(r"\{\$([A-Za-z0-9_-]+)\}")
_UNQUOTABLE = re.compile(r'["\r\n]')

_IMPORTED = "variables="


def carrying(url: str, values: Mapping[str, str]) -> str:
    """Return the URL of a media playlist with the variables of its master as the fragment.

    The later load of it finds them there; the server never sees a fragment.
    """
    fragment = urlencode(values)
    if not values or len(fragment) > MAX_CARRIED_CHARS:
        return url
    return f"{url.partition('#')[0]}#{_IMPORTED}{fragment}"


def imported_by(url: str) -> dict[str, str]:
    """Return the variables that `carrying` added to a URL."""
    fragment = url.partition("#")[2]
    if not fragment.startswith(_IMPORTED):
        return {}
    return dict(parse_qsl(fragment.removeprefix(_IMPORTED), keep_blank_values=True))


class Variables:
    """The variables of one playlist, as far as it has been read."""

    def __init__(self, base_url: str, imported: Mapping[str, str]) -> None:
        self._base_url = base_url
        self._imported = imported
        self._room_chars = MAX_EXPANDED_CHARS
        self.values: dict[str, str] = {}

    def define(self, attributes: Mapping[str, str]) -> None:
        """Take in one EXT-X-DEFINE. One without a value counts only when it is referred to."""
        name, value = self._definition(attributes)
        if name is None or value is None:
            return
        self.values.setdefault(name, value)
        if len(self.values) > MAX_VARIABLES:
            raise PlaylistTooLarge(f"the playlist defines more than {MAX_VARIABLES} variables")

    def _definition(self, attributes: Mapping[str, str]) -> tuple[str | None, str | None]:
        if name := attributes.get("IMPORT"):
            return name, self._imported.get(name)
        if name := attributes.get("QUERYPARAM"):
            return name, _query_parameter(self._base_url, name)
        value = attributes.get("VALUE")
        return attributes.get("NAME"), None if value is None else self.expand(value)

    def attributes(self, text: str) -> dict[str, str]:
        return {name: self.expand(value) for name, value in attribute_list(text).items()}

    def expand(self, text: str) -> str:
        """Fill in variables; 8216bis 4.3 has clients refuse one that is not defined."""
        if "{$" not in text:
            return text
        values = [self._value(name) for name in _REFERENCE.findall(text)]
        self._room_chars -= len(text) + sum(map(len, values))
        if self._room_chars < 0:
            raise PlaylistTooLarge(f"its variables become over {MAX_EXPANDED_CHARS} characters")
        return _REFERENCE.sub(lambda reference: self.values[reference[1]], text)

    def _value(self, name: str) -> str:
        value = self.values.get(name)
        if value is None:
            raise MalformedPlaylist(f"the variable {name[:40]!r} has no value (EXT-X-DEFINE)")
        return value


def _query_parameter(url: str, name: str) -> str | None:
    """Return the decoded value; None where there is none, or it could not stand in a playlist."""
    try:
        query = parse_qsl(urlsplit(url).query, keep_blank_values=True, max_num_fields=1_000)
    except ValueError:
        return None
    value = next((value for key, value in query if key == name), None)
    return None if value is None or _UNQUOTABLE.search(value) else value
