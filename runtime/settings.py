"""The settings of each process, one class a process, read from the environment.

A field's docstring is its row in the reference. Temporal's own variables (`TEMPORAL_ADDRESS`,
`TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, `TEMPORAL_TLS*`, profiles) are read by the SDK: see
`runtime.temporal`.
"""

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AliasChoices,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings

from runtime.errors import StartError
from runtime.pod_settings import PodSettings
from runtime.setting_types import (
    LEAST_KEY_CHARS,
    BaseUrl,
    BaseUrlList,
    EncryptionKeys,
    Executable,
    HeaderKey,
    HeaderKeyList,
    Port,
    ReadableFile,
    SecretList,
    SecretUrl,
    SeedList,
    lower,
)
from runtime.shared_settings import EvidenceLinkSettings, SharedSettings

MANY = 1_000_000
MEBIBYTE = 1024 * 1024
GIBIBYTE = 1024 * MEBIBYTE
SettingsT = TypeVar("SettingsT", bound=BaseSettings)


class SettingsError(StartError):
    """A variable is missing or bad; the message is one line that names it."""


class WorkerRole(StrEnum):
    ALL = "all"
    ORCHESTRATOR = "orchestrator"
    PROBE = "probe"


class GatewaySettings(EvidenceLinkSettings):
    host: str = "127.0.0.1"
    """Address to listen on."""

    port: Port = 8080
    """Port to listen on."""

    data_dir: Path = Path("data")
    """Folder of the embedded databases and keys."""

    database_url: str | None = Field(
        default=None, validation_alias=AliasChoices("DATABASE_URL", "DB_DSN")
    )
    """PostgreSQL or SQLite URL; default: SQLite in DATA_DIR. DB_DSN works too."""

    api_key: HeaderKeyList = Field(min_length=1)
    """Accepted API keys, comma separated."""

    viewer_keys: HeaderKeyList = []
    """Keys that may only read, comma separated: for people who look at the page."""

    forwarded_allow_ips: str = Field(default="127.0.0.1,::1", max_length=1000)
    """Addresses of proxies, comma separated, that say whose requests they pass on
    (X-Forwarded-For): clients behind any other proxy share one address, and its limits."""

    internal_api_key: HeaderKey
    """Key that workers use."""

    probe_api_key: HeaderKey | None = None
    """Key for probe workers alone, as their INTERNAL_API_KEY: it permits reports of counters and
    reading request headers. Unset: they use that of all workers."""

    webhook_signing_key: SecretList = Field(min_length=1, max_length=2)
    """Signs links to evidence: the workers' WEBHOOK_SIGNING_KEY."""

    max_monitors: int = Field(default=50, ge=1, le=MANY)
    """Active monitors at most."""

    secrets_key: EncryptionKeys = Field(default=[], max_length=2)
    """Encrypts secrets in the database (config.request_headers, destinations): any text of at least
    32 characters; two, comma separated, during a rotation. Unset: such secrets are refused."""

    codec_keys: HeaderKeyList = []
    """Keys for /codec, where Temporal's web UI reads encrypted payloads, comma separated. Unset:
    there is no /codec."""

    codec_origins: BaseUrlList = []
    """Where that web UI is, as its address begins in a browser (http://HOST:PORT), comma
    separated."""

    rate_limit_create: int = Field(default=25, ge=1, le=MANY)
    """Creations a minute and key."""

    rate_limit_read: int = Field(default=100, ge=1, le=MANY)
    """Reads a minute and key."""

    rate_limit_storage: str = "memory://"
    """Where requests are counted, as the limits library writes it; redis://HOST:PORT counts for all
    gateways together. While that is away, each gateway counts for itself."""

    temporal_ui_url: BaseUrl | None = None
    """Where Temporal's web UI is, as people reach it, for links on the page; unset: no links."""

    internal_port: Port | None = None
    """Port of the workers' API alone; unset: it is on PORT with the rest."""

    stream_metrics: bool = False
    """Have /metrics also tell of each stream, by its monitor's name and labels; of the newest 1,000
    active monitors."""

    heartbeat_ping_url: SecretUrl | None = None
    """Called (GET) every minute while database and Temporal can be reached and every live stream is
    watched; another service raises the alarm when the calls stop."""

    retention_days: int = Field(default=90, ge=1, le=36_500)
    """How long events, incidents, coverage and ended monitors are kept."""

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

    @field_validator("viewer_keys")
    @classmethod
    def _may_not_also_change(cls, value: HeaderKeyList, info: ValidationInfo) -> HeaderKeyList:
        if any(key in info.data.get("api_key", []) for key in value):
            raise ValueError("must not have a key of API_KEY")
        return value


class StreamSettings(SharedSettings):
    """What every process reads that reaches streams: workers, and `stream-tracker watch`."""

    ffmpeg_path: Executable | None = None
    """ffmpeg binary (6 or newer) to run for each segment; default: the bundled libraries, which
    cost less."""

    require_confinement: bool | None = None
    """Refuse to start where decoders cannot be confined by the system call filter; false lets them
    run without, with a warning. Default: true on Linux on x86-64 and AArch64, false elsewhere,
    where there is no filter. An ffmpeg of FFMPEG_PATH has none."""

    probes_at_once: int | None = Field(default=None, ge=0, le=1024)
    """Segments that are measured at once; 1 counts as 2, so that no segment stops all other
    streams. Default, and 0: one for each core that the process may use, by its CPU set and its
    quota. A container without a quota sees all cores of its machine."""

    ytdlp_path: Executable | None = None
    """yt-dlp executable; default: the installed library."""

    streamlink_path: Executable | None = None
    """streamlink executable; default: the installed library."""

    ytdlp_cookies_file: ReadableFile | None = None
    """Netscape cookie file for YouTube; only ever read."""

    ytdlp_extractor_args: SecretStr | None = None
    """As yt-dlp's --extractor-args (youtube:name=value;name=value)."""

    segment_max_bytes: int = Field(default=64 * MEBIBYTE, ge=1024, le=1024 * MEBIBYTE)
    """A segment larger than this is refused."""

    segments_memory_bytes: int = Field(default=512 * MEBIBYTE, ge=2048)
    """Memory for the segments of all streams of a worker from before they are fetched until they
    are measured; a stream that finds none waits. A quarter, at least 16 MiB, keeps segments for
    evidence. At least twice SEGMENT_MAX_BYTES."""

    egress_request_interval_sec: float = Field(default=2, ge=0.1, le=600)
    """Time between two requests to YouTube, on average. Each worker process keeps it for itself:
    multiply it by the number of workers that share an outgoing address."""

    egress_burst_requests: int = Field(default=60, ge=0, le=1000)
    """Requests to YouTube that may be made at once after a time without any, so that many streams
    that are registered together are seen soon; 0 is none. Divide it by the number of workers that
    share an outgoing address."""

    youtube_urls_dir: Path | None = None
    """Folder that keeps the signed media URLs of YouTube streams, for this user alone, so that a
    restarted worker goes on without asking YouTube; unset: they are in memory only."""

    @field_validator("segments_memory_bytes")
    @classmethod
    def _room_for_the_largest(cls, value: int, info: ValidationInfo) -> int:
        if value < 2 * info.data.get("segment_max_bytes", 0):
            raise ValueError("must be at least twice SEGMENT_MAX_BYTES")
        return value


class WorkerSettings(EvidenceLinkSettings, PodSettings, StreamSettings):
    callback_url: BaseUrl
    """The gateway's base URL, for reports."""

    internal_api_key: HeaderKey
    """Key for the gateway's reports."""

    worker_role: WorkerRole = WorkerRole.ALL
    """orchestrator, probe, or all of it."""

    webhook_signing_key: SecretList = Field(default=[], max_length=2, validate_default=True)
    """Signs webhooks; two keys, comma separated, during a rotation. Required, except for a worker
    with WORKER_ROLE=probe, which sends none."""

    webhook_max_attempts: int = Field(default=4, ge=1, le=20)
    """Attempts to deliver a webhook, the first included."""

    webhook_backoff_base_sec: float = Field(default=1, ge=0.1, le=60)
    """Wait after the first failed attempt; doubled each time, varied by 20 %."""

    webhook_backoff_cap_sec: float = Field(default=10, ge=0.1, le=3600)
    """Longest wait between two attempts."""

    webhook_retry_after_max: float = Field(default=60, ge=0, le=3600)
    """Longest wait, in seconds, that a receiver may ask for with Retry-After."""

    probe_slots: int = Field(default=50, ge=1, le=2000)
    """Streams that this worker probes at once."""

    health_port: Port = 8081
    """Port of /healthz, /readyz, /metrics."""

    health_host: str = "127.0.0.1"
    """Address of the health port."""

    # At most 0.8 of the longest HEARTBEAT_TIMEOUT_SEC
    heartbeat_interval_sec: float = Field(default=2.5, ge=0.2, le=240)
    """How often a probe sends a heartbeat to Temporal, and so how soon it learns that it is
    stopped. Heartbeats are billed actions in Temporal Cloud: 34,560 a day and monitor at 2.5 s."""

    heartbeat_timeout_sec: float = Field(default=10, ge=2, le=300)
    """A probe without a heartbeat for this long is started again elsewhere. Read by the
    orchestrator when a stream goes live; a probe sends one after 0.8 of it at the latest, so a
    longer one with a longer HEARTBEAT_INTERVAL_SEC costs fewer actions."""

    report_interval_sec: float = Field(default=10, ge=10, le=60)
    """How often a probe reports a stream's counters to the gateway. That is most of what a gateway
    does: with thousands of streams a longer interval saves whole processes, and what the API shows
    of a stream is older by it. No action of Temporal."""

    watch_retry_sec: float = Field(default=1, ge=0.1, le=60)
    """Wait before a lost probe is started again; each start is an action, at most this often for a
    stream whose probes keep dying. Read by the orchestrator."""

    probe_polls: int = Field(default=1, ge=1, le=20)
    """Open polls of a probe worker for new streams: more take up many streams faster, but a frozen
    worker keeps as many from the others. A poll is no action."""

    drain_sec: float = Field(default=10, ge=1, le=600)
    """Time that running activities get on SIGTERM."""

    monitor_id: str | None = Field(default=None, pattern=r"^mon-[0-9a-f-]{36}$")
    """The one monitor whose stream this worker probes, in a Pod that was made for it; needs
    WORKER_ROLE=probe."""

    @field_validator("webhook_signing_key")
    @classmethod
    def _required_to_send_webhooks(cls, value: SecretList, info: ValidationInfo) -> SecretList:
        if not value and info.data.get("worker_role") is not WorkerRole.PROBE:
            raise ValueError("is required")
        return value


class EmbeddedSettings(SharedSettings):
    """What `stream-tracker up` reads: everything in one process group, keys made when missing."""

    log_format: Annotated[Literal["json", "console"], lower] = "console"
    """json for machines, console for people."""

    host: str = "127.0.0.1"
    """Address the gateway listens on."""

    port: Port = 8080
    """Port the gateway listens on."""

    data_dir: Path = Path("data")
    """Folder of databases, logs and keys."""

    temporal_port: Port = 7233
    """Port of the embedded Temporal server."""

    temporal_ui_port: Port = 8233
    """Port of the Temporal web UI."""

    health_port: Port = 8081
    """Port of the worker's /healthz, /metrics."""

    receiver_port: Port = 8090
    """Port of a receiver on 127.0.0.1 that shows its webhooks."""


_MADE_WHEN_MISSING = ("api_key", "internal_api_key", "webhook_signing_key")
_KEYS = frozenset({*_MADE_WHEN_MISSING, "viewer_keys", "probe_api_key", "codec_keys"})


def load_settings(kind: type[SettingsT], *, embedded: bool = False) -> SettingsT:
    """Read the settings of one process from the environment; SettingsError names the first bad one.

    Those of the embedded mode are checked together with what its gateway and its worker will read.
    A part of it is `embedded`: its keys may be short.
    """
    settings = _read(kind, {})
    if isinstance(settings, EmbeddedSettings):
        given = {name: "made" for name in _MADE_WHEN_MISSING if not os.environ.get(name.upper())}
        _read(GatewaySettings, given)
        _read(WorkerSettings, {**given, "callback_url": "http://made"})
    elif not embedded:
        _check_lengths(settings)
    return settings


def _check_lengths(settings: BaseSettings) -> None:
    for name in filter(_KEYS.__contains__, type(settings).model_fields):
        value: SecretStr | list[SecretStr] | None = getattr(settings, name)
        keys = value if isinstance(value, list) else [value] if value else []
        if any(len(key) < LEAST_KEY_CHARS for key in keys):
            raise SettingsError(f"{name.upper()}: must have at least {LEAST_KEY_CHARS} characters")


def _read(kind: type[SettingsT], given: Mapping[str, Any]) -> SettingsT:
    try:
        return kind(**given)
    except ValidationError as error:
        problem = error.errors(include_input=False)[0]
        name = str(problem["loc"][0]) if problem["loc"] else "settings"
        is_missing = problem["type"] == "missing"
        reason = "is required" if is_missing else problem["msg"].removeprefix("Value error, ")
        variable = name.upper() if name in kind.model_fields else name
        raise SettingsError(f"{variable}: {reason}") from None
