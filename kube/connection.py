"""The connection to the Kubernetes API."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.config import ConfigException
from yaml import YAMLError

CONNECTIONS = 20


class NoCluster(Exception):
    """It is not known where the Kubernetes API is; the message says why."""


@asynccontextmanager
async def connected() -> AsyncIterator[ApiClient]:
    """Yield a client: of the service account inside a cluster, else as kubeconfig says.

    Raises:
        NoCluster: there is neither.
    """
    client = ApiClient(await _configuration())
    try:
        yield client
    finally:
        await client.close()


async def _configuration() -> Configuration:
    configuration = Configuration()
    try:
        if os.environ.get("KUBERNETES_SERVICE_HOST"):
            config.load_incluster_config(client_configuration=configuration)
        else:
            await config.load_kube_config(
                config_file=_kubeconfig(), client_configuration=configuration, persist_config=False
            )
    except (ConfigException, OSError, YAMLError, TypeError) as error:  # the last: an empty file
        why = " ".join(str(error).split())
        raise NoCluster(f"the Kubernetes API is not configured: {why}") from None
    configuration.connection_pool_maxsize = CONNECTIONS
    # HTTP_PROXY and HTTPS_PROXY are for streams; the API is our own house.
    configuration.client_session_kwargs = {"trust_env": False}
    return configuration


def _kubeconfig() -> str:
    where = os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    if not any(Path(path).is_file() for path in where.split(os.pathsep)):
        raise ConfigException(f"this is no Pod of a cluster, and KUBECONFIG is no file: {where}")
    return where
