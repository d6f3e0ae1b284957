"""How far sound may be from the pictures that it belongs to.

A multiplexer sends pictures up to a second ahead of sound, and who cuts a stream at its pictures
cuts the sound elsewhere. Timestamps further apart belong to no common clock.
"""

LONGEST_LEAD_SEC = 3.0
"""Sound may come this much earlier in a segment than its first picture."""

LONGEST_AHEAD_SEC = 60.0
"""So much sound of later segments may come in one that has few pictures."""
