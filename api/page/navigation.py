"""The pages that the navigation shows, in its order."""

from typing import Final

NAVIGATION: Final = (
    # path, key of the text
    ("/", "nav.wall"),
    ("/incidents", "incidents.title"),
    ("/destinations", "destinations.title"),
    ("/silences", "silences.title"),
    ("/availability", "availability.title"),
    ("/status-pages", "status_pages.title"),
)
