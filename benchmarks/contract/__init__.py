"""Whether the running service does what its description says, however it is asked."""
