"""The connection to Temporal: what is badly set is told apart from a server that is away."""

import os
from pathlib import Path

import pytest

from runtime.errors import StartError
from runtime.temporal import connect_temporal
from tests.runtime.test_serving import free_port


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that says nothing of Temporal."""
    for name in [each for each in os.environ if each.startswith("TEMPORAL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", os.devnull)
    return monkeypatch


@pytest.mark.parametrize("lazy", [True, False])
async def test_a_profile_that_is_not_there_is_named(
    environment: pytest.MonkeyPatch, lazy: bool
) -> None:
    environment.setenv("TEMPORAL_PROFILE", "nowhere")
    with pytest.raises(StartError, match=r"^TEMPORAL_PROFILE, .*nowhere"):
        await connect_temporal(lazy=lazy)


async def test_a_certificate_that_is_not_there_is_named(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TEMPORAL_TLS_CLIENT_CERT_PATH", "/nowhere/cert.pem")
    with pytest.raises(StartError, match=r"TEMPORAL_TLS_.*/nowhere/cert.pem"):
        await connect_temporal(lazy=True)


@pytest.mark.parametrize("lazy", [True, False])
@pytest.mark.parametrize(
    "address", [":::", "temporal", "temporal:x", "h:0", "h:99999", "http://h:1"]
)
async def test_an_address_that_is_none_is_named(
    environment: pytest.MonkeyPatch, address: str, lazy: bool
) -> None:
    environment.setenv("TEMPORAL_ADDRESS", address)
    with pytest.raises(StartError, match=r"^TEMPORAL_ADDRESS: "):
        await connect_temporal(lazy=lazy)


@pytest.mark.parametrize("address", ["127.0.0.1:7233", "[::1]:7233", "temporal-frontend:7233"])
async def test_an_address_may_have_any_usual_form(
    environment: pytest.MonkeyPatch, address: str
) -> None:
    environment.setenv("TEMPORAL_ADDRESS", address)
    await connect_temporal(lazy=True)


async def test_a_file_that_cannot_be_used_is_told_in_one_line(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "temporal.toml"
    broken.write_text("no toml")
    for path in (broken, tmp_path / "missing.toml"):
        environment.setenv("TEMPORAL_CONFIG_FILE", str(path))
        with pytest.raises(StartError, match=r"^TEMPORAL_[^\n]+$"):
            await connect_temporal(lazy=True)


async def test_certificates_that_are_none_are_named(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    environment.setenv("TEMPORAL_TLS_SERVER_CA_CERT_PATH", str(tmp_path / "ca.pem"))
    with pytest.raises(StartError, match=r"^TEMPORAL_TLS_SERVER_CA_CERT_"):
        await connect_temporal(lazy=True)


async def test_a_server_that_is_away_is_no_bad_setting(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{free_port()}")
    with pytest.raises(RuntimeError):
        await connect_temporal(lazy=False)
    await connect_temporal(lazy=True)
