"""A live HLS origin with scripted faults, on real HTTP, for tests and for the demo.

A programme is a list of scenes. The real ffmpeg renders it once, as one encode, into a cache on
disk. A channel puts it on air: its playlists grow in time as a live packager's do. Faults befall
what the origin answers; changes befall the schedule.

    programme = Programme.of([("normal", 10), ("black", 35.5), ("normal", 20)])
    rendered = render(programme)

    async with LiveOrigin() as origin:
        stall = Change(kind="stall", at_sec=50, for_sec=15)
        channel = origin.add("demo", rendered, changes=[stall])
        ...  # watch channel.url or channel.master_url
        channel.fault(Fault(kind="status", status=503, for_sec=20))  # segments fail for 20 s
        channel.end()

        (black,) = channel.scenes_on_air("black")
        black.started_at  # the wall clock of its first frame, what alerts should name
        channel.available_at(black.start_sec + 30)  # nobody could know of 30 s of black earlier

With a `ManualClock` nothing happens until the test says so: `clock.advance(2.0)`.
`python -m simulator.origin --help` runs the same origin by itself.
"""

from simulator.origin.channel import Channel, SceneOnAir
from simulator.origin.clock import Clock, ManualClock, WallClock
from simulator.origin.encoding import LOW, LOW_LONG, LOWEST, TINY, Container, Encoding, Tracks
from simulator.origin.faults import Fault, FaultKind, Target, disappear, drop
from simulator.origin.origin import LiveOrigin, Served
from simulator.origin.programme import Programme, ProgrammeError, SceneSpan
from simulator.origin.publication import AtEnd, Change, ChangeKind, ChannelOptions, Published
from simulator.origin.render import RenderedProgramme, RenderError, render
from simulator.origin.scenes import Scene, SceneKind

__all__ = [
    "LOW",
    "LOWEST",
    "LOW_LONG",
    "TINY",
    "AtEnd",
    "Change",
    "ChangeKind",
    "Channel",
    "ChannelOptions",
    "Clock",
    "Container",
    "Encoding",
    "Fault",
    "FaultKind",
    "LiveOrigin",
    "ManualClock",
    "Programme",
    "ProgrammeError",
    "Published",
    "RenderError",
    "RenderedProgramme",
    "Scene",
    "SceneKind",
    "SceneOnAir",
    "SceneSpan",
    "Served",
    "Target",
    "Tracks",
    "WallClock",
    "disappear",
    "drop",
    "render",
]
