"""Settings of evidence: how it is linked, and where the gateway keeps it."""

from typing import Final

from pydantic import Field

from runtime.setting_types import BaseUrl, SecretList, SeedList
from runtime.shared_settings import SharedSettings

GIBIBYTE: Final = 1024**3
MEBIBYTE: Final = 1024**2
DAY_SEC: Final = 86_400


class EvidenceLinkSettings(SharedSettings):
    """What the gateway and the orchestrators read, so that both write the same links."""

    public_url: BaseUrl | None = None
    """The gateway's address as people reach it, for links in notifications and events; unset: no
    links, and those of evidence begin with their path. The same for the gateway and all
    orchestrators."""

    evidence_url_ttl_sec: int = Field(default=7 * DAY_SEC, ge=60, le=365 * DAY_SEC)
    """How long the link to evidence that an event carries opens without a key; the same for the
    gateway and all orchestrators."""


class EvidenceSettings(EvidenceLinkSettings):
    """What the gateway reads besides."""

    webhook_signing_key: SecretList = Field(min_length=1, max_length=2)
    """Signs links to evidence: the workers' WEBHOOK_SIGNING_KEY."""

    evidence_store: str | None = None
    """Where evidence lies: a folder that all gateways share, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX,
    az://CONTAINER/PREFIX, or none. Credentials are those of the machine, or in the variables of the
    bucket's client: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (AWS_REGION, AWS_ENDPOINT_URL);
    GOOGLE_SERVICE_ACCOUNT, a key file; AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY.
    Default: evidence in DATA_DIR."""

    evidence_signing_key: SeedList = Field(default=[], max_length=2)
    """Signs capsules (Ed25519): 64 hexadecimal digits, as openssl rand -hex 32 makes them; two,
    comma separated, during a rotation. Unset: capsules are refused."""

    evidence_retention_days: int = Field(default=14, ge=1, le=36_500)
    """How long evidence is kept, at most RETENTION_DAYS."""

    evidence_max_bytes: int = Field(default=10 * GIBIBYTE, ge=MEBIBYTE)
    """Evidence of all monitors together; beyond, the oldest goes."""

    evidence_monitor_max_bytes: int = Field(default=GIBIBYTE, ge=MEBIBYTE)
    """Evidence of one monitor; beyond, its oldest goes."""

    picture_interval_sec: float = Field(default=10, ge=1, le=60)
    """How often a stream that somebody looks at gets a new picture; others do once a minute."""
