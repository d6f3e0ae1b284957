"""The probe: measuring a segment in one pass.

Warm decoder processes measure with ffmpeg's libraries (`decoder_probe`). If the user names an
ffmpeg, one process of it measures each segment (`ffmpeg_probe`). Both find the same.

Import from the modules: this file is loaded by each decoder process, which should stay small.
"""
