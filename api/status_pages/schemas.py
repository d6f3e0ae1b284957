"""The bodies of requests and answers about status pages."""

from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from api.error_docs import EXAMPLE_ID

MOST_MONITORS: Final = 50
EXAMPLE_STATUS_PAGE: Final[dict[str, JsonValue]] = {
    "title": "Example TV",
    "note": "Questions: status@example.com",
    "monitors": [{"monitor_id": EXAMPLE_ID, "name": "Channel 1"}],
}

_SHOWN_NAME: Final = "What the page calls it; null: the monitor's name."


class StatusPageMonitor(BaseModel):
    """A monitor on the page."""

    model_config = ConfigDict(extra="forbid")

    monitor_id: Annotated[str, Field(max_length=64)] = Field(examples=[EXAMPLE_ID])
    name: Annotated[str, Field(min_length=1, max_length=120)] | None = Field(
        default=None, description=_SHOWN_NAME
    )


class PutStatusPage(BaseModel):
    """What the page shows; anybody may read all of it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE_STATUS_PAGE]})

    title: Annotated[str, Field(min_length=1, max_length=120)]
    note: Annotated[str, Field(max_length=500)] | None = Field(
        default=None, description="A sentence under the title."
    )
    monitors: Annotated[list[StatusPageMonitor], Field(min_length=1, max_length=MOST_MONITORS)] = (
        Field(description="In the order of the page.")
    )


class StatusPage(BaseModel):
    """A page that anybody may see, without a key."""

    slug: str = Field(examples=["example-tv"])
    path: str = Field(description="Where it is.", examples=["/status/example-tv"])
    title: str
    note: str | None
    monitors: list[StatusPageMonitor]
    updated_at: AwareDatetime


class StatusPageList(BaseModel):
    """All status pages, by slug."""

    status_pages: list[StatusPage]
