"""How far sound may be from the pictures that it belongs to.

A multiplexer sends pictures up to a second ahead of sound, and who cuts a stream at its pictures
cuts the sound elsewhere. Timestamps further apart belong to no common clock.
"""

LONGEST_LEAD_SEC = 3.0
"""Sound may come this much earlier in a segment than its first picture."""

SHORT_GAP_SEC = 0.25
"""Time without samples up to this long is an artefact of cutting and decoding, if no silence is
beside it: an encoder's priming, a frame that is cut off, frames that need the one before."""

LONGEST_HOLE_SEC = 60.0
"""A longer jump in the timestamps of separate audio is another clock. Audio that stops for longer
is missing by wall-clock time; see `monitors.detectors.absence`."""

LONGEST_AHEAD_SEC = 60.0
"""So much sound of later segments may come in one that has few pictures."""
