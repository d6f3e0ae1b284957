"""What Pod placement costs: starts, calls of the Kubernetes API, and what a crash leaves."""
