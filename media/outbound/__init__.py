"""Requests to addresses that users gave: judged, pinned, bounded.

Every connection that a client of `media.outbound.client` opens goes to an address that
`OutboundGuard` judged a moment before. Redirects and names that change their answer need no
special care, because no connection is opened any other way.

What can go wrong, every one with a stable `code`, the HTTP `status` where there is one, and a
message without any part of a URL:

    FetchError
     ├── AddressRefused          address_refused
     ├── ConnectionFailed        connection
     │    └── NameNotResolved    connection
     ├── FetchTimeout            timeout
     ├── TooManyRedirects        too_many_redirects
     ├── BadRedirect             bad_redirect
     ├── BadStatus               http_403, http_404, ... and http_5xx for all of 500-599
     └── BadBody
          ├── TooLarge           too_large
          ├── Truncated          truncated
          ├── BadEncoding        bad_encoding
          ├── ExcessiveOverhead  excessive_overhead
          └── BadRange           bad_range
"""
