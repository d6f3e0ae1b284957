"""The certificate authority that vouches for the stand-in."""

import ssl
from pathlib import Path

import trustme

SITE_HOSTS = (
    "youtube.com",
    "*.youtube.com",
    "youtu.be",
    "googlevideo.com",
    "*.googlevideo.com",
    "*.ytimg.com",
)


def is_site_host(host: str) -> bool:
    return any(
        host == name or (name.startswith("*.") and host.endswith(name[1:])) for name in SITE_HOSTS
    )


def make_certificates(ca_path: Path) -> ssl.SSLContext:
    """Make an authority, write its certificate to `ca_path` (PEM), return the site's TLS side."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(ca_path))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*SITE_HOSTS).configure_cert(context)
    return context
