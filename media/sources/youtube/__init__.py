"""YouTube: from a video id to the truth about its state and to its media.

How one look goes:

    YouTubeSource (source)         the interface of `media.sources.source`
     └── YouTubeSite (site)        one egress: asks the resolvers in turn, keeps its budget (egress)
          ├── ResolverPool (pool)    yt-dlp and streamlink as libraries in warm child processes
          │    └── helper          the child: ytdlp, streamlinks
          └── ExternalResolvers    yt-dlp and streamlink as executables of the user (external)

A resolver brings back a `Resolution` (findings), which `classifier` judges and from whose formats
`renditions` chooses. `schedule` says when to look next, `confirmation` when to believe bad news.
"""
