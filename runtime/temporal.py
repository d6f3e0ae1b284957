"""The connection to Temporal.

The SDK's own environment configuration names it: `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`,
`TEMPORAL_API_KEY`, `TEMPORAL_TLS*`, or a profile in a file.
"""

import os
import re
import ssl
from collections.abc import Sequence
from datetime import timedelta

from pydantic import SecretStr
from temporalio.client import Client
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.service import TLSConfig

from runtime.errors import StartError
from runtime.payloads import data_converter

_ADDRESS = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^\s:/@\[\]]+):(\d{1,5})")
MAX_PORT = 65_535
CONNECT_TIMEOUT = timedelta(seconds=10)


async def connect_temporal(*, lazy: bool, payload_keys: Sequence[SecretStr] = ()) -> Client:
    """Connect to Temporal as the environment says, `lazy` at the first call.

    Raises:
        RuntimeError: Temporal does not answer (not with `lazy`).
        StartError: the environment configuration is bad.
    """
    config = temporal_configuration()
    try:
        return await Client.connect(
            **config,
            data_converter=data_converter(payload_keys),
            lazy=lazy,
            connect_timeout=CONNECT_TIMEOUT,
        )
    except ValueError as error:
        raise StartError(f"TEMPORAL_ADDRESS, TEMPORAL_TLS_*: {error}") from None


def temporal_configuration() -> ClientConnectConfig:
    """Return what the environment says of Temporal; raises StartError where that is bad."""
    _check_config_file()
    try:
        config = ClientConfig.load_client_connect_config()
    except OSError as error:
        raise StartError(f"TEMPORAL_TLS_*: {error.filename}: {error.strerror}") from None
    except RuntimeError as error:  # not to be taken for that of a server that does not answer
        reason = " ".join(str(error).split())  # that of a broken file has several lines
        raise StartError(f"TEMPORAL_PROFILE, TEMPORAL_CONFIG_FILE: {reason}") from None
    address = config.setdefault("target_host", "localhost:7233")
    found = _ADDRESS.fullmatch(address)
    if not found or not 0 < int(found[1]) <= MAX_PORT:
        raise StartError("TEMPORAL_ADDRESS: must be HOST:PORT")
    _check_certificates(config.get("tls"))
    return config


def _check_config_file() -> None:
    """Refuse a file that is named but not there, which the SDK takes for an empty one."""
    path = os.environ.get("TEMPORAL_CONFIG_FILE")
    if path and not os.path.exists(path):
        raise StartError(f"TEMPORAL_CONFIG_FILE: {path}: No such file or directory")


def _check_certificates(tls: bool | TLSConfig | None) -> None:
    if not isinstance(tls, TLSConfig) or not tls.server_root_ca_cert:
        return
    try:
        certificates = tls.server_root_ca_cert.decode()
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=certificates)
    except (ssl.SSLError, ValueError):
        raise StartError("TEMPORAL_TLS_SERVER_CA_CERT_*: no certificates in PEM form") from None
