"""What faults of the machinery do to monitors, measured: `python -m tests.chaos --help`.

Real processes on loopback (Temporal, gateway, workers, an origin, a receiver) are killed, frozen,
drained and cancelled while they watch streams, and what users would notice of it is compared with
the targets. Each run ends by itself, and only processes that it started are touched.
"""
