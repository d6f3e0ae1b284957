"""The latest picture of each monitor."""
