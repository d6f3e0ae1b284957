"""The monitors as clients see them: create, list, show, change, stop."""
