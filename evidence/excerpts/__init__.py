"""A confined process that makes pictures and clips of segments.

Import from the modules: this file is loaded by that process, which should stay small.
"""
