"""Stand-ins that speak real HTTP: a live HLS and DASH origin with scripted faults, and YouTube."""
