"""`stream-tracker demo`: a stream with scripted faults, the whole service, and what it reports."""

from cli.demo.runner import run_demo

__all__ = ["run_demo"]
