"""Why a playlist is refused.

PlaylistError (ValueError)
├── NotAPlaylist
│   └── ChannelList
├── MalformedPlaylist
├── PlaylistTooLarge
├── UnsupportedPlaylist
└── NoVariant
"""


class PlaylistError(ValueError):
    """What was fetched cannot be followed; the message says why in plain words."""


class NotAPlaylist(PlaylistError):
    """Something else was served: a web page, an XML or JSON document, nothing at all."""


class ChannelList(NotAPlaylist):
    """An M3U of channels, each with a stream of its own."""


class MalformedPlaylist(PlaylistError):
    """Without what cannot be read wrong bytes would be fetched, or it is master and media in one.

    That is a number, byte range or key, or a variable that has no value.
    """


class PlaylistTooLarge(PlaylistError):
    """More than a live stream needs.

    Over 8 Mi characters; of what is read of it (`media.hls.window`) 20,000 segments, 1,000
    variants, 200,000 lines, 16 Ki characters a line and 8 Mi in all URLs, once they are absolute.
    """


class UnsupportedPlaylist(PlaylistError):
    """A correct one that cannot be followed, such as a delta update of what is not known."""


class NoVariant(PlaylistError):
    """A master playlist that names nothing to play."""
