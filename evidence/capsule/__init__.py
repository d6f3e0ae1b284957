"""Capsules: what is needed to judge an incident again, signed."""
