"""Process entry points: the gateway, workers and their roles, the embedded mode."""
