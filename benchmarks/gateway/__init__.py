"""How fast the gateway reads among many monitors, and how fast it creates new ones."""
