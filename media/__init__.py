"""How a URL becomes measurements: playlists, segments, the probe, the guarded HTTP client."""
