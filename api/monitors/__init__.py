"""The monitors as clients see them: create, list, show, stop, audit."""
