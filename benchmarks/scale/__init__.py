"""What thousands of monitors cost around their probes.

`python -m benchmarks.scale`: a real Temporal dev server as `make up` starts it, a real PostgreSQL,
the real gateway and the real orchestrator with the real workflows. Monitors are created through the
API, their playlists are looked at, their events are delivered to a receiver. Only the probes have
no media: they hold `watch_stream` activities that heartbeat a state of the usual size, tell
counters every 10 s and return what happened, but fetch and measure nothing. What measuring costs
comes on top: see `benchmarks.density`.

All of it runs on this machine, and what it uses is told process by process, so that it can be
reckoned up for other numbers. What limits: a gateway and an orchestrator are a core each at most,
and there may be several of them; Temporal and PostgreSQL take what the machine has.
"""
