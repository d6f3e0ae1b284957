"""Watches the sources of the gallery with the whole service."""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.field.programme import CONFIG, base_file, length_sec
from benchmarks.field.recipes import Recipe
from benchmarks.field.server import FileServer
from benchmarks.field.sources import ffmpeg_command, running
from benchmarks.field.verdict import Verdict, judge
from tests.service.receiver import Receiver
from tests.service.rest import Rest
from tests.service.waiting import NeverCame, until_true

AT_ONCE = 16
MANIFEST_SEC = 30.0
END_SEC = 120.0


@dataclass(frozen=True)
class Gallery:
    """Where sources are made and watched.

    Attributes:
        folder: served over HTTP, a folder for each source.
        cache: of encoded programmes.
    """

    folder: Path
    cache: Path
    server: FileServer
    receiver: Receiver
    rest: Rest


@dataclass(frozen=True)
class Source:
    """A live source: `command` writes it into a folder of its own, `url` is what is watched."""

    name: str
    command: Sequence[str]
    manifest: Path
    url: str


async def watch_all(
    gallery: Gallery, recipes: Sequence[Recipe], say: Callable[[Verdict], None]
) -> list[Verdict]:
    """Watch sources made by ffmpeg, several at a time."""
    for codecs in dict.fromkeys(each.codecs for each in recipes):
        await asyncio.to_thread(base_file, gallery.cache, codecs)
    free = asyncio.Semaphore(AT_ONCE)

    async def watched(recipe: Recipe) -> Verdict:
        async with free:
            verdict = await watch(gallery, _source(gallery, recipe))
        say(verdict)
        return verdict

    return await asyncio.gather(*map(watched, recipes))


def _source(gallery: Gallery, recipe: Recipe) -> Source:
    folder = re.sub(r"\W+", "-", recipe.name)
    (gallery.folder / folder).mkdir()
    return Source(
        name=recipe.name,
        command=ffmpeg_command(recipe, gallery.cache),
        manifest=gallery.folder / folder / recipe.manifest,
        url=gallery.server.url(f"{folder}/{recipe.manifest}"),
    )


async def watch(gallery: Gallery, source: Source) -> Verdict:
    """Play one source and have it watched to its end."""
    folder = source.manifest.parent
    async with running(source.command, folder) as process:
        await until_true(source.manifest.exists, source.name, within_sec=MANIFEST_SEC)
        hook = gallery.receiver.url(folder.name)
        monitor_id = await gallery.rest.create(source.url, hook, CONFIG)
        await asyncio.wait_for(process.wait(), length_sec() + MANIFEST_SEC)
        await _until_ended(gallery, folder.name)
        shown = await gallery.rest.show(monitor_id)
        events = gallery.receiver.events(folder.name)
        if shown["status"] == "monitoring":
            await gallery.rest.stop(monitor_id)
    return judge(source.name, events, shown, gallery.server.sent_again(folder.name))


async def _until_ended(gallery: Gallery, name: str) -> None:
    try:
        await gallery.receiver.until(name, "stream.ended", within_sec=END_SEC)
    except NeverCame:
        return  # the verdict says what came instead
