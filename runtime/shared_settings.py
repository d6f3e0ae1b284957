"""Settings that several processes read."""

from typing import Annotated, Final, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from runtime.setting_types import (
    BaseUrl,
    EncryptionKeys,
    HostPortList,
    PemFile,
    ProxyUrl,
    lower,
)

DAY_SEC: Final = 86_400


class SharedSettings(BaseSettings):
    """What every process reads."""

    model_config = SettingsConfigDict(
        extra="ignore",
        env_ignore_empty=True,
        populate_by_name=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    log_level: Annotated[Literal["debug", "info", "warning", "error"], lower] = "info"
    """Lowest level that is logged."""

    log_format: Annotated[Literal["json", "console"], lower] = "json"
    """json for machines, console for people."""

    allow_private_networks: bool = False
    """Let user-given URLs point to private, loopback and other special addresses."""

    http_proxy: ProxyUrl | None = None
    """Proxy for http:// streams; webhooks never use it."""

    https_proxy: ProxyUrl | None = None
    """Proxy for https:// streams; webhooks never use it."""

    ca_bundle: PemFile | None = None
    """PEM file of CA certificates to trust for streams, besides the bundled ones."""

    payload_keys: EncryptionKeys = Field(default=[], max_length=4)
    """Encrypts what Temporal stores: texts of at least 32 characters, comma separated; the first
    encrypts, all decrypt. The same for the gateway and all workers. Unset: plain."""

    webhook_private_hosts: HostPortList = []
    """Where webhooks may go although the address is private: receivers of your own as HOST:PORT,
    comma separated, written as in their URLs. No stream may come from there."""


class EvidenceLinkSettings(SharedSettings):
    """What the gateway and the orchestrators read: both write the same links."""

    public_url: BaseUrl | None = None
    """The gateway's address as people reach it, for links in notifications and events; unset: no
    links, and those of evidence begin with their path. The same for the gateway and all
    orchestrators."""

    evidence_url_ttl_sec: int = Field(default=7 * DAY_SEC, ge=60, le=365 * DAY_SEC)
    """How long the link to evidence that an event carries opens without a key; the same for the
    gateway and all orchestrators."""
