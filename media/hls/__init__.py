"""HLS playlists (RFC 8216): read, choose, follow. Values to values; nothing here does I/O.

`parser` reads text into the models of `playlist`, of a large one what `window` leaves; `renditions`
chooses what to fetch of a master playlist; `cursor` knows where a follower is in a media playlist,
and `pieces` what of an unfinished segment; `reload` says when to look again, `directives` what to
ask the server for then.
"""
