"""Process entry points: the gateway and workers in their roles, their health and metrics."""
