"""What the processes of the embedded mode are told."""

from pathlib import Path

import pytest

from cli.embedded.service import services_of
from runtime.settings import EmbeddedSettings


def test_the_worker_calls_the_port_that_the_gateway_has(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("INTERNAL_PORT", "9")
    settings = EmbeddedSettings(port=8123, data_dir=tmp_path)
    services = {service.name: service.environment for service in services_of(settings, {})}
    assert services["worker"]["CALLBACK_URL"] == "http://127.0.0.1:8123"
    assert services["gateway"]["PORT"] == "8123"
    assert services["gateway"]["INTERNAL_PORT"] == ""


@pytest.mark.parametrize("drain_sec", [None, "30"])
def test_the_worker_may_use_the_time_that_it_gives_to_activities(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, drain_sec: str | None
) -> None:
    if drain_sec:
        monkeypatch.setenv("DRAIN_SEC", drain_sec)
    worker = services_of(EmbeddedSettings(data_dir=tmp_path), {})[-1]
    assert float(worker.environment["DRAIN_SEC"]) + 3 <= worker.stop_sec


def test_webhooks_may_go_to_our_own_receiver_and_where_the_user_says(tmp_path: Path) -> None:
    hosts = [("10.0.0.7", 80), ("::1", 81)]
    settings = EmbeddedSettings(data_dir=tmp_path, receiver_port=8123, webhook_private_hosts=hosts)
    for service in services_of(settings, {})[1:]:
        told = service.environment["WEBHOOK_PRIVATE_HOSTS"]
        assert told == "10.0.0.7:80,[::1]:81,127.0.0.1:8123"
