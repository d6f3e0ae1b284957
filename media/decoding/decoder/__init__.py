"""What measures a segment, as a process of its own: `python -m media.decoding.decoder`.

`media.decoding.decoder_probe` starts it, and everything in it lives with what strangers send. It
imports little: a new one must be there in a moment.
"""
