"""What workers tell the gateway."""
