"""Child processes: one that runs once within limits, and pools of warm ones."""
