"""What happens to a monitor, in which order, with which retry policies. Deterministic."""
