"""Process entry points: the gateway, and workers in their roles with health and metrics."""
