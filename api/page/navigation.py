"""The pages that the navigation shows, in its order."""

from typing import Final

NAVIGATION: Final = (
    # path, key of the text
    ("/", "nav.wall"),
)
