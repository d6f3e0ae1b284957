"""What measures a segment, as a process of its own: `python -m media.decoder`.

It is started by `media.probe.decoders`, and everything in it lives with what strangers send. It
imports little: a new one must be there in a moment.
"""
