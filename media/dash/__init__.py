"""DASH manifests (ISO/IEC 23009-1), read as the HLS playlists that would say the same.

What follows a stream knows one kind of playlist. A manifest is shown to it as a master playlist,
whose variants and renditions are the representations, each named by the manifest's own URL and a
fragment; and loaded under such a URL it is the media playlist of that representation.
"""
