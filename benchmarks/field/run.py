"""Watches the sources of the gallery with the whole service."""

import asyncio
import contextlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.field.programme import CONFIG, base_file, length_sec
from benchmarks.field.recipes import Recipe
from benchmarks.field.server import FileServer
from benchmarks.field.sources import running
from benchmarks.field.verdict import Verdict, expected_events, judge
from tests.testkit.receiver import Receiver
from tests.testkit.rest import Rest
from tests.testkit.waiting import ConditionTimeout, until_true

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


def _nothing(_verdict: Verdict) -> None:
    pass


async def watch_all(
    gallery: Gallery, recipes: Sequence[Recipe], say: Callable[[Verdict], None] = _nothing
) -> list[Verdict]:
    """Watch all sources, several at a time."""
    for codecs in dict.fromkeys(each.codecs for each in recipes):
        await asyncio.to_thread(base_file, gallery.cache, codecs)
    free = asyncio.Semaphore(AT_ONCE)

    async def watched(recipe: Recipe) -> Verdict:
        async with free:
            try:
                verdict = await watch(gallery, recipe)
            except (ConditionTimeout, TimeoutError) as error:
                verdict = Verdict(recipe.name, [str(error) or "no end"], 0.0, 0, 0)
        say(verdict)
        return verdict

    return await asyncio.gather(*map(watched, recipes))


async def watch(gallery: Gallery, recipe: Recipe) -> Verdict:
    """Play one source and have it watched to its end."""
    name = re.sub(r"\W+", "-", recipe.name)
    folder = await asyncio.to_thread(_made, gallery.folder / name)
    command = recipe.command(base_file(gallery.cache, recipe.codecs))
    async with running(command, folder) as process:
        manifest = folder / recipe.manifest
        await until_true(manifest.exists, recipe.name, within_sec=MANIFEST_SEC)
        url = gallery.server.url(f"{name}/{recipe.manifest}")
        monitor_id = await gallery.rest.create(url, gallery.receiver.url(name), CONFIG)
        await asyncio.wait_for(process.wait(), length_sec() + MANIFEST_SEC)
        await _until_told(gallery, name, recipe)
        shown = await gallery.rest.show(monitor_id)
        await gallery.rest.http.delete(f"/monitors/{monitor_id}")  # most have ended by themselves
    events = gallery.receiver.events(name)
    return judge(recipe, events, shown, gallery.server.sent_again(name))


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


async def _until_told(gallery: Gallery, name: str, recipe: Recipe) -> None:
    expected = expected_events(recipe)
    last, count = expected[-1], expected.count(expected[-1])
    with contextlib.suppress(ConditionTimeout):  # the verdict says what came instead
        await gallery.receiver.until(name, last, count=count, within_sec=END_SEC)
