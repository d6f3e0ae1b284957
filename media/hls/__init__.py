"""HLS playlists (RFC 8216): read, choose, follow. Values to values; nothing here does I/O.

`parser` reads text into the models of `playlist`; of a large one, `window` leaves its end.
`selection` chooses what to fetch of a master playlist. `cursor` knows where a follower is in a
media playlist, and `pieces` what of an unfinished segment can be measured. `reload` says when to
load it again and what to ask its server for.
"""
