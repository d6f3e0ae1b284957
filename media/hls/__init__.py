"""HLS playlists (RFC 8216): read, choose, follow. Values to values; nothing here does I/O.

`parser` reads text into the models of `playlist`; `renditions` chooses what to fetch of a master
playlist; `cursor` knows where a follower is in a media playlist; `reload` says when to look again.
"""
