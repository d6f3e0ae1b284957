"""`python -m simulator.origin`: the live origin as a process of its own."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from pydantic import ValidationError

from simulator.origin.clock import WallClock
from simulator.origin.encoding import LOW, LOW_LONG, LOWEST, TINY
from simulator.origin.origin import LiveOrigin
from simulator.origin.programme import ProgrammeError
from simulator.origin.publication import AtEnd, ChannelOptions
from simulator.origin.render import RenderError
from simulator.origin.scenes import Scene, SceneKind
from simulator.origin.script import ChannelScript, OriginScript, put_on_air

SIZES = {"tiny": TINY, "lowest": LOWEST, "low": LOW, "low-long": LOW_LONG}
DEFAULT_SCENES = (
    Scene(kind=SceneKind.NORMAL, duration_sec=20),
    Scene(kind=SceneKind.BLACK, duration_sec=45),
    Scene(kind=SceneKind.NORMAL, duration_sec=20),
    Scene(kind=SceneKind.SILENT, duration_sec=45),
    Scene(kind=SceneKind.NORMAL, duration_sec=20),
    Scene(kind=SceneKind.FROZEN, duration_sec=75),
)


def main() -> int:
    """Serve until SIGINT or SIGTERM; 2 when the script is bad, 1 when it cannot be served."""
    options = _parser().parse_args()
    try:
        return asyncio.run(_serve(options))
    except ProgrammeError as error:
        print(f"bad script: {error}", file=sys.stderr)
        return 2
    except (RenderError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


async def _serve(options: argparse.Namespace) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stop.set)
    clock = WallClock(options.speed)
    async with LiveOrigin(host=options.host, port=options.port, clock=clock) as origin:
        for channel in await put_on_air(origin, _script(options), options.cache):
            print(f"{channel.name}: {channel.master_url} {channel.url}", flush=True)
        await stop.wait()
    return 0


def _script(options: argparse.Namespace) -> OriginScript:
    if options.script is not None:
        script: OriginScript = options.script
        return script
    channel = ChannelScript(
        name=options.name,
        scenes=tuple(options.scene or DEFAULT_SCENES),
        encodings=(SIZES[options.size],),
        options=ChannelOptions(window_segments=options.window, at_end=options.at_end),
    )
    return OriginScript(channels=(channel,))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulator.origin",
        description="A live HLS origin with scripted faults.",
        epilog="Faults can be switched while it runs: see simulator/origin/control.py.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port; 0 takes a free one")
    parser.add_argument(
        "--script", type=_script_file, help="JSON file: see simulator/origin/script.py"
    )
    parser.add_argument("--name", default="live", help="name of the channel without a script")
    parser.add_argument(
        "--scene",
        type=_scene,
        action="append",
        metavar="KIND:SECONDS",
        help=f"repeatable; kinds: {', '.join(SceneKind)}",
    )
    parser.add_argument("--size", choices=SIZES, default="lowest", help="encoding")
    parser.add_argument("--window", type=int, default=6, help="segments in the playlist")
    parser.add_argument("--at-end", type=AtEnd, choices=list(AtEnd), default=AtEnd.LOOP)
    parser.add_argument("--speed", type=float, default=1.0, help="how fast the clock runs")
    parser.add_argument("--cache", type=Path, help="folder of rendered programmes")
    return parser


def _scene(text: str) -> Scene:
    kind, _, seconds = text.partition(":")
    try:
        return Scene(kind=SceneKind(kind), duration_sec=float(seconds))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no KIND:SECONDS: {error}") from None


def _script_file(name: str) -> OriginScript:
    try:
        return OriginScript.model_validate_json(Path(name).read_bytes())
    except (OSError, ValidationError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    sys.exit(main())
