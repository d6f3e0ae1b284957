"""A whole origin as JSON: channels with their scenes, encodings, faults and changes.

{"channels": [{"name": "demo", "scenes": [{"kind": "normal", "duration_sec": 10}],
               "changes": [{"kind": "stall", "at_sec": 50, "for_sec": 15}],
               "faults": [{"kind": "status", "status": 503, "from_sec": 70, "to_sec": 90}]}]}
"""

import asyncio
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field

from simulator.origin.channel import Channel
from simulator.origin.encoding import LOWEST, Encoding, Tracks
from simulator.origin.faults import Fault
from simulator.origin.origin import LiveOrigin
from simulator.origin.programme import Programme
from simulator.origin.publication import Change, ChannelOptions
from simulator.origin.render import RenderedProgramme, render
from simulator.origin.scenes import Scene


class ChannelScript(BaseModel, frozen=True, extra="forbid"):
    """One channel."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    scenes: Annotated[tuple[Scene, ...], Field(min_length=1)]
    # one variant each, the lowest first
    encodings: Annotated[tuple[Encoding, ...], Field(min_length=1)] = (LOWEST,)
    split_audio: bool = False  # the sound as a rendition of its own
    options: ChannelOptions = ChannelOptions()
    faults: tuple[Fault, ...] = ()
    changes: tuple[Change, ...] = ()


class OriginScript(BaseModel, frozen=True, extra="forbid"):
    channels: Annotated[tuple[ChannelScript, ...], Field(min_length=1)]


async def put_on_air(
    origin: LiveOrigin, script: OriginScript, cache_dir: Path | None = None
) -> list[Channel]:
    """Render what the script names, then start all its channels at the same moment."""
    rendered = [
        await asyncio.to_thread(_rendered, channel, cache_dir) for channel in script.channels
    ]
    return [
        origin.add(
            channel.name,
            *variants,
            audio=audio,
            options=channel.options,
            faults=channel.faults,
            changes=channel.changes,
        )
        for channel, (variants, audio) in zip(script.channels, rendered, strict=True)
    ]


def _rendered(
    channel: ChannelScript, cache_dir: Path | None
) -> tuple[list[RenderedProgramme], RenderedProgramme | None]:
    if not channel.split_audio:
        return [_variant(channel, encoding, cache_dir) for encoding in channel.encodings], None
    pictures, sound = (
        [each.model_copy(update={"tracks": tracks}) for each in channel.encodings]
        for tracks in (Tracks.VIDEO, Tracks.AUDIO)
    )
    variants = [_variant(channel, encoding, cache_dir) for encoding in pictures]
    return variants, _variant(channel, sound[0], cache_dir)


def _variant(
    channel: ChannelScript, encoding: Encoding, cache_dir: Path | None
) -> RenderedProgramme:
    return render(Programme(channel.scenes, encoding), cache_dir)
