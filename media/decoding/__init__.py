"""The probe: measuring each segment once, in one pass.

Segments are decoded by ffmpeg's libraries in a few processes that stay (`decoder_pool`), or, where
the user names an ffmpeg, by one process a segment (`ffmpeg`). Both find the same.

Import from the modules: this file is loaded by each decoder process, which should stay small.
"""
