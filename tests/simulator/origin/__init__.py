"""Checks of the live origin itself: a test tool that lies makes every other test lie."""
