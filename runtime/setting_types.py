"""Types of settings: each says what is wrong with a value and never repeats it."""

import os
import re
import ssl
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, FilePath, SecretStr
from pydantic_settings import NoDecode

LEAST_KEY_CHARS = 32
"""The shortest key of a deployment, as `openssl rand -hex 16` makes it."""


def _base_url(value: str) -> str:
    parts = _http_url(value)
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not carry a user name or password")
    if parts.query or parts.fragment:
        raise ValueError("must end before any ? or #")
    return value


def _proxy_url(value: str) -> str:
    _http_url(value)
    return value


def _secret_url(value: SecretStr) -> SecretStr:
    _http_url(value.get_secret_value())
    return value


def _http_url(value: str) -> SplitResult:
    if not (value.isascii() and value.isprintable() and " " not in value):
        raise ValueError("must be a URL without spaces and control characters")
    try:
        parts = urlsplit(value)
        is_whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # whose text may repeat a password
        is_whole = False
    if not is_whole:
        raise ValueError("must be an http:// or https:// URL with a host")
    return parts


def _host_port(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        parts = urlsplit(f"//{value}")
        pair = parts.hostname, parts.port
    except ValueError:
        pair = None, None
    if not all(pair) or parts.netloc != value or parts.username is not None:
        raise ValueError("must be a list of HOST:PORT, comma separated")
    return pair


def _split(value: object) -> object:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _long_enough(keys: list[SecretStr]) -> list[SecretStr]:
    if any(len(key) < LEAST_KEY_CHARS for key in keys):
        raise ValueError(f"a key must have at least {LEAST_KEY_CHARS} characters")
    return keys


def _seeds(values: list[SecretStr]) -> list[SecretStr]:
    if any(not re.fullmatch(r"[0-9a-fA-F]{64}", value.get_secret_value()) for value in values):
        raise ValueError("must be 64 hexadecimal digits, as `openssl rand -hex 32` makes them")
    return values


def _header_text(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not (text.isascii() and text.isprintable() and text.strip() == text):
        raise ValueError("must be printable ASCII: it travels in a header")
    return value


def _certificates(path: Path) -> Path:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except ssl.SSLError:
        raise ValueError(f"{path} holds no certificates in PEM form") from None
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    return path


def _executable(path: Path) -> Path:
    if not os.access(path, os.X_OK):
        raise ValueError(f"{path} is not executable")
    return path


def _readable(path: Path) -> Path:
    if not os.access(path, os.R_OK):
        raise ValueError(f"{path} cannot be read")
    return path


Port = Annotated[int, Field(ge=1, le=65_535)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
"""Where paths are added: http(s), a host, no credentials, no query."""

ProxyUrl = Annotated[str, AfterValidator(_proxy_url)]
HeaderKey = Annotated[SecretStr, Field(min_length=1), AfterValidator(_header_text)]
SecretUrl = Annotated[SecretStr, AfterValidator(_secret_url)]
PemFile = Annotated[FilePath, AfterValidator(_certificates)]
Executable = Annotated[FilePath, AfterValidator(_executable)]
ReadableFile = Annotated[FilePath, AfterValidator(_readable)]

# Lists are comma separated
SecretList = Annotated[list[SecretStr], NoDecode, BeforeValidator(_split)]
EncryptionKeys = Annotated[SecretList, AfterValidator(_long_enough)]
SeedList = Annotated[SecretList, AfterValidator(_seeds)]
HeaderKeyList = Annotated[list[HeaderKey], NoDecode, BeforeValidator(_split)]
BaseUrlList = Annotated[list[BaseUrl], NoDecode, BeforeValidator(_split)]
HostPort = Annotated[tuple[str, int], BeforeValidator(_host_port)]
HostPortList = Annotated[list[HostPort], NoDecode, BeforeValidator(_split)]

lower = BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)
