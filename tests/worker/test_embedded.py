"""What the processes of the embedded mode are told."""

from pathlib import Path

import pytest

from runtime.settings import EmbeddedSettings
from worker.embedded.up import services_of


def test_the_worker_calls_the_port_that_the_gateway_has(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("INTERNAL_PORT", "9")
    settings = EmbeddedSettings(port=8123, data_dir=tmp_path)
    services = {service.name: service.environment for service in services_of(settings, {})}
    assert services["worker"]["CALLBACK_URL"] == "http://127.0.0.1:8123"
    assert services["gateway"]["PORT"] == "8123"
    assert services["gateway"]["INTERNAL_PORT"] == ""
