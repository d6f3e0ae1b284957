"""The domain: what a monitor is, what can go wrong with a stream, and how that is judged.

Everything here is pure. No I/O, no Temporal, no clock of its own: times come in as arguments.
"""
