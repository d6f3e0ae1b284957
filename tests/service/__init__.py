"""The whole service as a stranger meets it: its own processes, real HTTP, real media.

A `ScenarioRunner` plays what the test modules script; `ServiceHarness` runs Temporal, a gateway and
workers.
"""
