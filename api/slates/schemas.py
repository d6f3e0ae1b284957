"""The bodies of answers about slates."""

from pydantic import AwareDatetime, BaseModel, Field


class Slate(BaseModel):
    """A picture that is not to be on air."""

    name: str = Field(examples=["technical-difficulties"])
    updated_at: AwareDatetime = Field(description="When its image was uploaded last.")


class SlateList(BaseModel):
    """All slates, by name."""

    slates: list[Slate]
