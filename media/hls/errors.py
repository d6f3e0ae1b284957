"""Why a playlist is refused. `media.hls.parser` draws the tree."""


class PlaylistError(ValueError):
    """What was fetched cannot be followed; the message says why in plain words."""


class NotAPlaylist(PlaylistError):
    """Something else was served: a web page, an XML or JSON document, nothing at all."""


class ChannelList(NotAPlaylist):
    """It names channels, each with a stream of its own."""


class MalformedPlaylist(PlaylistError):
    """A tag without which wrong bytes would be fetched cannot be read."""


class PlaylistTooLarge(PlaylistError):
    """More text, lines, segments or variants than a live stream needs."""


class UnsupportedPlaylist(PlaylistError):
    """A correct playlist of a kind that was never asked for."""


class NoVariant(PlaylistError):
    """A master playlist that names nothing to play."""
