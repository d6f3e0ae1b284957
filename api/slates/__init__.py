"""Slates: pictures that are not to be on air, which the user uploads."""
