"""The page for people: templates, scripts and styles of our own, and the routes that serve them.

`rendering` makes documents, `texts/` has their words, `static/` what a browser loads besides.
See docs/internals/page.md.
"""
