"""`stream-tracker apply`: monitors, destinations and silences as a file says."""
