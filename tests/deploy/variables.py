"""Which variables the processes read, to hold deployments against."""

import os
from collections.abc import Mapping
from unittest import mock

from pydantic import AliasChoices
from pydantic_settings import BaseSettings

from runtime.settings import SettingsT, load_settings

TEMPORAL = frozenset(
    {
        "TEMPORAL_ADDRESS",
        "TEMPORAL_NAMESPACE",
        "TEMPORAL_API_KEY",
        "TEMPORAL_TLS",
        "TEMPORAL_TLS_CLIENT_CERT_PATH",
        "TEMPORAL_TLS_CLIENT_KEY_PATH",
        "TEMPORAL_TLS_SERVER_CA_CERT_PATH",
        "TEMPORAL_TLS_SERVER_NAME",
    }
)
"""Read by the SDK's environment configuration."""


def known(kind: type[BaseSettings]) -> frozenset[str]:
    """Return the variables that a process with settings of `kind` reads."""
    names = set(TEMPORAL)
    for name, field in kind.model_fields.items():
        alias = field.validation_alias
        others = alias.choices if isinstance(alias, AliasChoices) else [name.upper()]
        names |= {str(other) for other in others}
    return frozenset(names)


def read(kind: type[SettingsT], environment: Mapping[str, str]) -> SettingsT:
    """Return the settings as a process with nothing but `environment` reads them.

    Raises:
        SettingsError: one is missing or bad.
    """
    with mock.patch.dict(os.environ, environment, clear=True):
        return load_settings(kind)
