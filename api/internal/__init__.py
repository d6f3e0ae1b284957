"""What workers report to the gateway."""
