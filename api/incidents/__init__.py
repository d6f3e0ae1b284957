"""Incidents as clients see them."""
