"""Checks of the stand-in: the unmodified yt-dlp and streamlink see what the site would show."""
