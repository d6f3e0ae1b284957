"""Loading playlists and manifests, whatever their format, without keeping other streams waiting."""
