"""YouTube: from a video id to the truth about its state and to its media.

How one poll goes:

    YouTubeSource                  the interface of `media.sources.source`, with a `MediaCache`
     └── YouTubeSite               asks the resolvers in turn, within the budget of an `Egress`
          ├── ResolverPool         yt-dlp and streamlink as libraries in warm child processes
          │    └── resolver_process     the child
          └── ExternalResolvers    yt-dlp and streamlink as executables of the user

A resolver returns a `ResolvedVideo`; `classifier` judges it and ranks its renditions.
`confirmation` says when to believe bad news.
"""
