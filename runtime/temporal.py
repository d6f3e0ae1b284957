"""The connection to Temporal.

The SDK's own environment configuration names it: `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`,
`TEMPORAL_API_KEY`, `TEMPORAL_TLS*`, or a profile in a file.
"""

from datetime import timedelta

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.runtime import Runtime

from runtime.errors import StartError

CONNECT_TIMEOUT = timedelta(seconds=10)


async def connect_temporal(*, lazy: bool, runtime: Runtime | None = None) -> Client:
    """Connect to Temporal as the environment says.

    Args:
        lazy: connect at the first call, so that a process starts while Temporal is away.
        runtime: carries metrics; the SDK's default without it.

    Raises:
        RuntimeError: Temporal does not answer (not with `lazy`).
        StartError: the environment configuration is bad.
    """
    config = _configuration()
    try:
        return await Client.connect(
            **config,
            data_converter=pydantic_data_converter,
            lazy=lazy,
            connect_timeout=CONNECT_TIMEOUT,
            runtime=runtime,
        )
    except ValueError as error:
        raise StartError(f"TEMPORAL_ADDRESS, TEMPORAL_TLS_*: {error}") from None


def _configuration() -> ClientConnectConfig:
    try:
        config = ClientConfig.load_client_connect_config()
    except OSError as error:
        raise StartError(f"TEMPORAL_TLS_*: {error.filename}: {error.strerror}") from None
    except RuntimeError as error:  # not to be taken for that of a server that does not answer
        raise StartError(f"TEMPORAL_PROFILE, TEMPORAL_CONFIG_FILE: {error}") from None
    config.setdefault("target_host", "localhost:7233")
    return config
