"""The settings of each process, one class a process, read from the environment.

Temporal's own variables (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`,
`TEMPORAL_TLS*`, profiles) are read by the SDK: see `runtime.temporal`.
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
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from runtime.errors import StartError
from runtime.pod_settings import PodSettings
from runtime.setting_types import (
    BaseUrl,
    Executable,
    HeaderKey,
    HostPort,
    PemFile,
    Port,
    ProxyUrl,
    ReadableFile,
)

MANY = 1_000_000
KEY_LENGTH = 32
"""A key of a deployment has at least so many characters: as `openssl rand -hex 16` makes them."""

MEBIBYTE = 1024 * 1024
SettingsT = TypeVar("SettingsT", bound=BaseSettings)


class SettingsError(StartError):
    """A variable is missing or bad; the message is one line that names it."""


class WorkerRole(StrEnum):
    """What a worker process takes on."""

    ALL = "all"
    ORCHESTRATOR = "orchestrator"
    PROBE = "probe"


def _split_list(value: Any) -> Any:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


LEAST_SECRET_CHARS = 32
SecretList = Annotated[list[SecretStr], NoDecode]
"""Comma separated secrets."""


def _long_enough(keys: list[SecretStr]) -> list[SecretStr]:
    if any(len(key.get_secret_value()) < LEAST_SECRET_CHARS for key in keys):
        raise ValueError(f"a key must have at least {LEAST_SECRET_CHARS} characters")
    return keys


class _Settings(BaseSettings):
    model_config = SettingsConfigDict(
        extra="ignore", env_ignore_empty=True, populate_by_name=True, hide_input_in_errors=True
    )


class SharedSettings(_Settings):
    """What every process reads."""

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level that is logged."
    )
    log_format: Literal["json", "console"] = Field(
        default="json", description="json for machines, console for people."
    )
    allow_private_networks: bool = Field(
        default=False,
        description="Let user-given URLs point to private, loopback and other special addresses.",
    )
    http_proxy: ProxyUrl | None = Field(
        default=None, description="Proxy for http:// streams; webhooks never use it."
    )
    https_proxy: ProxyUrl | None = Field(
        default=None, description="Proxy for https:// streams; webhooks never use it."
    )
    ca_bundle: PemFile | None = Field(
        default=None, description="PEM file of CA certificates to trust for streams, besides ours."
    )

    payload_keys: SecretList = Field(
        default=[],
        validate_default=False,
        max_length=4,
        description=(
            "Encrypts what Temporal stores: texts of at least 32 characters, comma separated; the "
            "first encrypts, all decrypt. The same for the gateway and all workers. Unset: plain."
        ),
    )
    _payload_keys = field_validator("payload_keys", mode="before")(_split_list)

    @field_validator("payload_keys")
    @classmethod
    def _long_payload_keys(cls, value: SecretList) -> SecretList:
        return _long_enough(value)

    @field_validator("log_level", "log_format", mode="before")
    @classmethod
    def _lower(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value

    webhook_private_hosts: Annotated[list[HostPort], NoDecode] = Field(
        default=[],
        validate_default=False,
        description=(
            "Where webhooks may go although the address is private: receivers of your own as "
            "HOST:PORT, comma separated, written as in their URLs. No stream may come from there."
        ),
    )
    _private_hosts = field_validator("webhook_private_hosts", mode="before")(_split_list)


class GatewaySettings(SharedSettings):
    """What the gateway reads."""

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: Port = Field(default=8080, description="Port to listen on.")
    data_dir: Path = Field(
        default=Path("data"), description="Folder of the embedded databases and keys."
    )
    database_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("DATABASE_URL", "DB_DSN"),
        description="PostgreSQL or SQLite URL; default: SQLite in DATA_DIR. DB_DSN works too.",
    )
    api_key: Annotated[list[HeaderKey], NoDecode] = Field(
        min_length=1, description="Keys that clients may use, comma separated."
    )
    internal_api_key: HeaderKey = Field(description="Key that workers use.")
    probe_api_key: HeaderKey | None = Field(
        default=None,
        description=(
            "Key that opens what a probe needs, reports of counters and request headers: give it "
            "to probe workers as their INTERNAL_API_KEY. Unset: they use that of all workers."
        ),
    )
    max_monitors: int = Field(default=50, ge=1, le=MANY, description="Active monitors at most.")
    secrets_key: SecretList = Field(
        default_factory=list,
        max_length=2,
        description=(
            "Encrypts secrets in the database (config.request_headers): any text of at least 32 "
            "characters; two, comma separated, during a rotation. Unset: such secrets are refused."
        ),
    )

    @field_validator("secrets_key")
    @classmethod
    def _long_secrets_keys(cls, value: SecretList) -> SecretList:
        return _long_enough(value)

    codec_keys: Annotated[list[HeaderKey], NoDecode] = Field(
        default=[],
        validate_default=False,
        description=(
            "Keys that open /codec, where Temporal's web UI reads encrypted payloads, comma "
            "separated. Unset: there is no /codec."
        ),
    )
    codec_origins: Annotated[list[BaseUrl], NoDecode] = Field(
        default=[],
        validate_default=False,
        description=(
            "Where that web UI is, as its address begins in a browser (http://HOST:PORT), comma "
            "separated."
        ),
    )

    rate_limit_create: int = Field(
        default=25, ge=1, le=MANY, description="Creations a minute and key."
    )
    rate_limit_read: int = Field(default=100, ge=1, le=MANY, description="Reads a minute and key.")
    rate_limit_storage: str = Field(
        default="memory://",
        description=(
            "Where requests are counted, as the limits library writes it; redis://HOST:PORT counts "
            "for all gateways together. While that is away, each gateway counts for itself."
        ),
    )
    internal_port: Port | None = Field(
        default=None,
        description="Port of the workers' API alone; unset: it is on PORT with the rest.",
    )
    retention_days: int = Field(
        default=90, ge=1, le=36_500, description="Events and ended monitors are kept so long."
    )

    _keys = field_validator("api_key", "secrets_key", "codec_keys", "codec_origins", mode="before")(
        _split_list
    )


class StreamSettings(SharedSettings):
    """What every process reads that looks at streams: workers, and `stream-tracker watch`."""

    ffmpeg_path: Executable | None = Field(
        default=None,
        description="ffmpeg binary (6 or newer) to run for each segment; default: the "
        "libraries that come with us, which cost less.",
    )
    require_confinement: bool | None = Field(
        default=None,
        description=(
            "Decode nothing where decoders cannot be locked in by the system call filter: the "
            "process does not start then. false lets them run without, with a warning. Default: "
            "true on Linux on x86-64 and AArch64, false elsewhere, where there is no filter. An "
            "ffmpeg of FFMPEG_PATH has none."
        ),
    )
    probes_at_once: int | None = Field(
        default=None,
        ge=0,
        le=1024,
        description=(
            "Segments that are measured at once; 1 counts as 2, so that no segment stops all other "
            "streams. Default, and 0: one for each core that the process may use, by its CPU set "
            "and its quota. A container without a quota sees all cores of its machine."
        ),
    )
    ytdlp_path: Executable | None = Field(
        default=None, description="yt-dlp executable; default: the installed library."
    )
    streamlink_path: Executable | None = Field(
        default=None, description="streamlink executable; default: the installed library."
    )
    ytdlp_cookies_file: ReadableFile | None = Field(
        default=None, description="Netscape cookie file for YouTube; only ever read."
    )
    ytdlp_extractor_args: SecretStr | None = Field(
        default=None, description="As yt-dlp's --extractor-args (youtube:name=value;name=value)."
    )
    segment_max_bytes: int = Field(
        default=64 * MEBIBYTE,
        ge=1024,
        le=1024 * MEBIBYTE,
        description="A segment larger than this is refused.",
    )
    segments_memory_bytes: int = Field(
        default=512 * MEBIBYTE,
        ge=2048,
        validate_default=True,
        description=(
            "Memory for the segments of all streams of a worker from before they are fetched until "
            "they are measured; a stream that finds none waits. At least twice SEGMENT_MAX_BYTES."
        ),
    )

    @field_validator("segments_memory_bytes")
    @classmethod
    def _room_for_the_largest(cls, value: int, info: ValidationInfo) -> int:
        if value < 2 * info.data.get("segment_max_bytes", 0):
            raise ValueError("must be at least twice SEGMENT_MAX_BYTES")
        return value

    egress_request_interval_sec: float = Field(
        default=2,
        ge=0.1,
        le=600,
        description=(
            "Time between two requests to YouTube, on average. Each worker process keeps it for "
            "itself: multiply it by the number of workers that share an outgoing address."
        ),
    )
    egress_burst_requests: int = Field(
        default=60,
        ge=0,
        le=1000,
        description=(
            "Requests to YouTube that may be made at once after a time without any, so that many "
            "streams that are registered together are seen soon; 0 is none. Divide it by the "
            "number of workers that share an outgoing address."
        ),
    )
    youtube_urls_dir: Path | None = Field(
        default=None,
        description=(
            "Folder that keeps the signed media URLs of YouTube streams, for this user alone, so "
            "that a restarted worker goes on without asking YouTube; unset: they are in memory "
            "only."
        ),
    )


class WorkerSettings(PodSettings, StreamSettings):
    """What a worker reads."""

    callback_url: BaseUrl = Field(description="The gateway's base URL, for reports.")
    internal_api_key: HeaderKey = Field(description="Key for the gateway's reports.")
    worker_role: WorkerRole = Field(
        default=WorkerRole.ALL, description="orchestrator, probe, or all of it."
    )
    webhook_signing_key: SecretList = Field(
        default_factory=list,
        max_length=2,
        validate_default=True,
        description=(
            "Signs webhooks; two keys, comma separated, during a rotation. Required, except for a "
            "worker with WORKER_ROLE=probe, which sends none."
        ),
    )
    webhook_max_attempts: int = Field(
        default=4, ge=1, le=20, description="Attempts to deliver a webhook, the first included."
    )
    webhook_backoff_base_sec: float = Field(
        default=1,
        ge=0.1,
        le=60,
        description="Wait after the first failed attempt; doubled each time, varied by 20 %.",
    )
    webhook_backoff_cap_sec: float = Field(
        default=10, ge=0.1, le=3600, description="Longest wait between two attempts."
    )
    webhook_retry_after_max: float = Field(
        default=60,
        ge=0,
        le=3600,
        description="Longest wait, in seconds, that a receiver may ask for with Retry-After.",
    )
    probe_slots: int = Field(
        default=50, ge=1, le=2000, description="Streams that this worker probes at once."
    )
    health_port: Port = Field(default=8081, description="Port of /healthz, /readyz, /metrics.")
    health_host: str = Field(default="127.0.0.1", description="Address of the health port.")
    heartbeat_interval_sec: float = Field(
        default=2,
        ge=0.2,
        le=240,  # 0.8 of the longest HEARTBEAT_TIMEOUT_SEC
        description=(
            "How often a probe tells Temporal that it lives, and so how soon it learns that it is "
            "stopped. Heartbeats are billed actions in Temporal Cloud: 43,200 a day and monitor "
            "at 2 s."
        ),
    )
    heartbeat_timeout_sec: float = Field(
        default=10,
        ge=2,
        le=300,
        description=(
            "A probe that Temporal does not hear for so long is started again elsewhere. Read by "
            "the orchestrator when a stream goes live; a probe tells that it lives after 0.8 of it "
            "at the latest, so a longer one with a longer HEARTBEAT_INTERVAL_SEC costs fewer "
            "actions."
        ),
    )
    report_interval_sec: float = Field(
        default=10,
        ge=10,
        le=60,
        description=(
            "How often a probe tells the gateway the counters of a stream. That is most of what a "
            "gateway does: with thousands of streams a longer interval saves whole processes, and "
            "what the API shows of a stream is older by it. No action of Temporal."
        ),
    )
    watch_retry_sec: float = Field(
        default=1,
        ge=0.1,
        le=60,
        description=(
            "Wait from there to the new start; each start is an action, at most so often for a "
            "stream whose probes keep dying. Read by the orchestrator."
        ),
    )
    probe_polls: int = Field(
        default=1,
        ge=1,
        le=20,
        description=(
            "Open polls of a probe worker for new streams: more take up many streams faster, but a "
            "frozen worker keeps so many from the others. A poll is no action."
        ),
    )
    drain_sec: float = Field(
        default=10, ge=1, le=600, description="Time that running activities get on SIGTERM."
    )
    monitor_id: str | None = Field(
        default=None,
        pattern=r"^mon-[0-9a-f-]{36}$",
        description=(
            "The one monitor whose stream this worker probes, in a Pod that was made for it; needs "
            "WORKER_ROLE=probe."
        ),
    )

    _keys = field_validator("webhook_signing_key", mode="before")(_split_list)

    @field_validator("webhook_signing_key")
    @classmethod
    def _there_where_webhooks_are_sent(cls, value: SecretList, info: ValidationInfo) -> SecretList:
        if not value and info.data.get("worker_role") is not WorkerRole.PROBE:
            raise ValueError("is required")
        return value


class EmbeddedSettings(SharedSettings):
    """What `stream-tracker up` reads: everything in one process group, keys made when missing."""

    log_format: Literal["json", "console"] = Field(
        default="console", description="json for machines, console for people."
    )
    host: str = Field(default="127.0.0.1", description="Address the gateway listens on.")
    port: Port = Field(default=8080, description="Port the gateway listens on.")
    data_dir: Path = Field(default=Path("data"), description="Folder of databases, logs and keys.")
    temporal_port: Port = Field(default=7233, description="Port of the embedded Temporal server.")
    temporal_ui_port: Port = Field(default=8233, description="Port of the Temporal web UI.")
    health_port: Port = Field(default=8081, description="Port of the worker's /healthz, /metrics.")
    receiver_port: Port = Field(
        default=8090, description="Port of a receiver on 127.0.0.1 that shows its webhooks."
    )


_MADE_WHEN_MISSING = ("api_key", "internal_api_key", "webhook_signing_key")
_KEYS = frozenset({*_MADE_WHEN_MISSING, "probe_api_key", "codec_keys"})


def load_settings(kind: type[SettingsT], *, embedded: bool = False) -> SettingsT:
    """Read the settings of one process from the environment.

    Those of the embedded mode include what its gateway and its worker will read.

    Args:
        kind: the process.
        embedded: whether it is part of the embedded mode, where keys may be short.

    Raises:
        SettingsError: the first variable that is missing or bad, and why.
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
        if any(len(key) < KEY_LENGTH for key in keys):
            raise SettingsError(f"{name.upper()}: must have at least {KEY_LENGTH} characters")


def _read(kind: type[SettingsT], given: Mapping[str, Any]) -> SettingsT:
    try:
        return kind(**given)
    except ValidationError as error:
        problem = error.errors(include_input=False)[0]
        name = _variable_name(kind, str(problem["loc"][0]) if problem["loc"] else "settings")
        raise SettingsError(f"{name}: {_reason(problem)}") from None


def _reason(problem: ErrorDetails) -> str:
    if problem["type"] == "missing":
        return "is required"
    return problem["msg"].removeprefix("Value error, ")


def _variable_name(kind: type[BaseSettings], location: str) -> str:
    return location.upper() if location in kind.model_fields else location
