"""Settings of each process: what they are without a word, and a bad one is named."""

from pathlib import Path

import pytest

from runtime.settings import (
    EmbeddedSettings,
    GatewaySettings,
    SettingsError,
    WorkerRole,
    WorkerSettings,
    load_settings,
)

ONE, TWO, THREE = "1" * 32, "2" * 32, "3" * 32
GATEWAY = {"API_KEY": ONE, "INTERNAL_API_KEY": TWO, "WEBHOOK_SIGNING_KEY": THREE}
WORKER = {
    "CALLBACK_URL": "http://127.0.0.1:8080",
    "INTERNAL_API_KEY": TWO,
    "WEBHOOK_SIGNING_KEY": THREE,
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that says nothing of our settings."""
    for kind in (GatewaySettings, WorkerSettings, EmbeddedSettings):
        for name in [*kind.model_fields, "db_dsn", "database_url"]:
            monkeypatch.delenv(name.upper(), raising=False)
            monkeypatch.delenv(name, raising=False)
    return monkeypatch


def say(environment: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        environment.setenv(name, value)


def test_the_defaults_are_those_of_the_contract(environment: pytest.MonkeyPatch) -> None:
    say(environment, **(GATEWAY | WORKER))
    gateway, worker = load_settings(GatewaySettings), load_settings(WorkerSettings)
    embedded = load_settings(EmbeddedSettings)
    assert (gateway.port, gateway.max_monitors) == (8080, 50)
    assert (gateway.rate_limit_create, gateway.rate_limit_read) == (25, 100)
    assert not gateway.allow_private_networks
    assert (worker.worker_role, worker.health_port) == (WorkerRole.ALL, 8081)
    assert (embedded.temporal_port, embedded.temporal_ui_port) == (7233, 8233)
    assert embedded.data_dir == Path("data")


def test_a_probe_needs_no_key_that_signs_webhooks(environment: pytest.MonkeyPatch) -> None:
    """It decodes what strangers send."""
    say(environment, **{**WORKER, "WORKER_ROLE": "probe"})
    environment.delenv("WEBHOOK_SIGNING_KEY")
    assert load_settings(WorkerSettings).webhook_signing_key == []


@pytest.mark.parametrize("variable", GATEWAY)
def test_a_gateway_says_which_setting_it_lacks(
    environment: pytest.MonkeyPatch, variable: str
) -> None:
    say(environment, **{name: value for name, value in GATEWAY.items() if name != variable})
    with pytest.raises(SettingsError, match=f"^{variable}: is required$"):
        load_settings(GatewaySettings)


@pytest.mark.parametrize("variable", WORKER)
def test_a_worker_says_which_setting_it_lacks(
    environment: pytest.MonkeyPatch, variable: str
) -> None:
    say(environment, **{name: value for name, value in WORKER.items() if name != variable})
    with pytest.raises(SettingsError, match=f"^{variable}: is required$"):
        load_settings(WorkerSettings)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "http"),
        ("API_KEY", " , "),
        ("MAX_MONITORS", "0"),
        ("RATE_LIMIT_CREATE", "-1"),
        ("RATE_LIMIT_READ", "many"),
        ("RATE_LIMIT_READ", "99999999999999999999"),
        ("API_KEY", "schlüssel"),
        ("WEBHOOK_PRIVATE_HOSTS", "10.0.0.7"),
        ("WEBHOOK_PRIVATE_HOSTS", "http://10.0.0.7:80"),
        ("WEBHOOK_PRIVATE_HOSTS", "10.0.0.7:0"),
        ("WEBHOOK_PRIVATE_HOSTS", "10.0.0.7:80/hook"),
        ("API_KEY", "one,two\nthree"),
        ("INTERNAL_API_KEY", " "),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
        ("ALLOW_PRIVATE_NETWORKS", "perhaps"),
        ("HTTP_PROXY", "proxy:3128"),
        ("HTTPS_PROXY", "socks5://proxy:1080"),
        ("HTTPS_PROXY", "http://proxy:99999"),
        ("CA_BUNDLE", "/nowhere/ca.pem"),
        ("CA_BUNDLE", "/"),
        ("CA_BUNDLE", __file__),
    ],
)
def test_a_gateway_names_its_bad_setting(
    environment: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    say(environment, **{**GATEWAY, variable: value})
    with pytest.raises(SettingsError, match=f"^{variable}: [^\n]+$"):
        load_settings(GatewaySettings)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("WORKER_ROLE", "boss"),
        ("PROBE_SLOTS", "0"),
        ("HEALTH_PORT", "70000"),
        ("WEBHOOK_SIGNING_KEY", "a,b,c"),
        ("WEBHOOK_SIGNING_KEY", ","),
        ("SEGMENT_MAX_BYTES", "1"),
        ("HEARTBEAT_INTERVAL_SEC", "241"),
        ("REPORT_INTERVAL_SEC", "5"),
        ("DRAIN_SEC", "0"),
        ("FFMPEG_PATH", "/nowhere/ffmpeg"),
        ("FFMPEG_PATH", __file__),
        ("YTDLP_PATH", "/nowhere/yt-dlp"),
        ("STREAMLINK_PATH", "/"),
        ("YTDLP_COOKIES_FILE", "/nowhere/cookies"),
        ("SEGMENT_MAX_BYTES", "99999999999999999999"),
        ("SEGMENTS_MEMORY_BYTES", "67108864"),
        ("INTERNAL_API_KEY", "schlüssel"),
        ("CALLBACK_URL", "nonsense"),
        ("CALLBACK_URL", "gateway:8080"),
        ("CALLBACK_URL", "ftp://gateway"),
        ("CALLBACK_URL", "http://"),
        ("CALLBACK_URL", "http://gateway:0"),
        ("CALLBACK_URL", "http://gateway:99999"),
        ("CALLBACK_URL", "http://[::1"),
        ("CALLBACK_URL", " http://gateway"),
        ("CALLBACK_URL", "http://gateway/?query"),
        ("CALLBACK_URL", "http://user:secret@gateway"),
    ],
)
def test_a_worker_names_its_bad_setting(
    environment: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    say(environment, **{**WORKER, variable: value})
    with pytest.raises(SettingsError, match=f"^{variable}: [^\n]+$"):
        load_settings(WorkerSettings)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        pytest.param("TEMPORAL_PORT", "x", id="its-own"),
        pytest.param("MAX_MONITORS", "none", id="of-its-gateway"),
        pytest.param("PROBE_SLOTS", "none", id="of-its-worker"),
        pytest.param("WEBHOOK_SIGNING_KEY", "a,b,c", id="a-key-that-is-given"),
    ],
)
def test_the_embedded_mode_names_a_bad_setting_of_any_part(
    environment: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    say(environment, **{variable: value})
    with pytest.raises(SettingsError, match=f"^{variable}: "):
        load_settings(EmbeddedSettings)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "https://gateway.example/base/"])
def test_the_gateways_url_may_have_a_path(environment: pytest.MonkeyPatch, url: str) -> None:
    say(environment, **{**WORKER, "CALLBACK_URL": url})
    assert load_settings(WorkerSettings).callback_url == url


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param({"WEBHOOK_SIGNING_KEY": "hush-1,hush-2,hush-3"}, id="signing key"),
        pytest.param({"INTERNAL_API_KEY": "hush\n"}, id="internal key"),
        pytest.param({"CALLBACK_URL": "http://u:hush@gateway"}, id="password in a URL"),
        pytest.param({"HTTPS_PROXY": "http://u:hush/x@proxy"}, id="password that breaks a URL"),
    ],
)
def test_an_error_shows_no_secret(environment: pytest.MonkeyPatch, secret: dict[str, str]) -> None:
    say(environment, **{**WORKER, **secret})
    with pytest.raises(SettingsError) as raised:
        load_settings(WorkerSettings)
    assert "hush" not in str(raised.value)


def test_keys_are_a_comma_separated_list(environment: pytest.MonkeyPatch) -> None:
    say(environment, **{**GATEWAY, "API_KEY": f"{ONE}, {TWO} ,"})
    keys = load_settings(GatewaySettings).api_key
    assert [key.get_secret_value() for key in keys] == [ONE, TWO]
    assert ONE not in repr(keys)


@pytest.mark.parametrize(
    ("kind", "variable", "value"),
    [
        (GatewaySettings, "API_KEY", "x" * 31),
        (GatewaySettings, "API_KEY", f"{ONE}, x"),
        (GatewaySettings, "INTERNAL_API_KEY", "x"),
        (GatewaySettings, "PROBE_API_KEY", "x"),
        (WorkerSettings, "INTERNAL_API_KEY", "x"),
        (WorkerSettings, "WEBHOOK_SIGNING_KEY", f"{ONE},x"),
    ],
)
def test_a_short_key_is_refused_outside_of_the_embedded_mode(
    environment: pytest.MonkeyPatch,
    kind: type[GatewaySettings | WorkerSettings],
    variable: str,
    value: str,
) -> None:
    say(environment, **{**GATEWAY, **WORKER, variable: value})
    with pytest.raises(SettingsError, match=f"^{variable}: must have at least 32 characters$"):
        load_settings(kind)
    load_settings(kind, embedded=True)


@pytest.mark.parametrize("variable", ["DATABASE_URL", "DB_DSN"])
def test_the_database_has_two_names(environment: pytest.MonkeyPatch, variable: str) -> None:
    say(environment, **GATEWAY, **{variable: "postgresql://db/name"})
    assert load_settings(GatewaySettings).database_url == "postgresql://db/name"


def test_private_hosts_are_a_list_of_host_and_port(environment: pytest.MonkeyPatch) -> None:
    say(environment, **GATEWAY, WEBHOOK_PRIVATE_HOSTS="hooks.local:80, 10.0.0.7:8080,[::1]:81")
    assert load_settings(GatewaySettings).webhook_private_hosts == [
        ("hooks.local", 80),
        ("10.0.0.7", 8080),
        ("::1", 81),
    ]


def test_an_empty_variable_is_as_good_as_none(environment: pytest.MonkeyPatch) -> None:
    say(environment, **GATEWAY, PORT="", MAX_MONITORS="")
    settings = load_settings(GatewaySettings)
    assert (settings.port, settings.max_monitors) == (8080, 50)


def test_words_are_read_in_any_case(environment: pytest.MonkeyPatch) -> None:
    say(environment, **GATEWAY, LOG_LEVEL="WARNING", LOG_FORMAT="Console")
    settings = load_settings(GatewaySettings)
    assert (settings.log_level, settings.log_format) == ("warning", "console")


def test_a_large_segment_needs_a_large_memory(environment: pytest.MonkeyPatch) -> None:
    say(environment, **WORKER, SEGMENT_MAX_BYTES=str(400 * 2**20))
    with pytest.raises(SettingsError, match=r"^SEGMENTS_MEMORY_BYTES: .* twice "):
        load_settings(WorkerSettings)
    say(environment, SEGMENTS_MEMORY_BYTES=str(800 * 2**20))
    assert load_settings(WorkerSettings).segments_memory_bytes == 800 * 2**20


def test_heartbeats_may_be_as_rare_as_the_longest_timeout_lets_them(
    environment: pytest.MonkeyPatch,
) -> None:
    say(environment, **WORKER, HEARTBEAT_TIMEOUT_SEC="300", HEARTBEAT_INTERVAL_SEC="240")
    assert load_settings(WorkerSettings).heartbeat_interval_sec == 240
