"""The container image: what is written down of it, and where a Docker engine is, the image."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.deploy.docker_engine import LIMIT_SEC, ROOT, docker, has_engine

DOCKERFILE = ROOT / "deploy" / "Dockerfile"
IGNORED = ROOT / ".dockerignore"
TAG = "stream-tracker:test-image"

USES_WHAT_IS_LEFT = """
import asyncio
import worker.pod_setup
from kubernetes.aio.client import ApiClient, CoreV1Api
from streamlink.utils.l10n import Localization

async def main():
    async with ApiClient() as client:
        assert CoreV1Api(client).list_namespaced_pod
        pod = '{"spec": {"containers": [{"name": "probe", "tty": true}]}}'
        print(client.deserialize(pod, "V1Pod", "application/json").spec.containers[0].tty)

print(Localization("de_AT").country.name)
asyncio.run(main())
"""

needs_engine = [
    pytest.mark.docker,
    pytest.mark.skipif(not has_engine(), reason="no Docker engine answers"),
    pytest.mark.timeout(LIMIT_SEC),
]


def project() -> dict[str, object]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]  # type: ignore[no-any-return]


def argument(name: str) -> str:
    found = re.search(rf"^ARG {name}=(\S+)$", DOCKERFILE.read_text(), re.MULTILINE)
    assert found
    return found[1]


def test_the_linter_has_nothing_to_say() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([hadolint, DOCKERFILE], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_image_is_of_this_version() -> None:
    assert argument("VERSION") == project()["version"]


def test_uv_is_installed_by_hash_in_the_image_and_by_make() -> None:
    lines = (ROOT / "deploy" / "uv.txt").read_text().replace("\\\n", "").splitlines()
    (wanted,) = [line.split() for line in lines if line and line[0] != "#"]
    assert re.fullmatch(r"uv==\d+\.\d+\.\d+", wanted[0])
    assert wanted[1:]
    assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", each) for each in wanted[1:])
    for text in ((ROOT / "Makefile").read_text(), DOCKERFILE.read_text()):
        (install,) = [line for line in text.splitlines() if "pip install" in line]
        assert "--require-hashes --requirement" in install
        assert install.endswith("uv.txt")


def test_the_base_image_has_a_python_that_the_project_supports_and_a_full_version() -> None:
    assert re.fullmatch(r"python:3\.1\d\.\d+-slim-\w+", argument("PYTHON_IMAGE"))


def test_only_what_is_listed_goes_into_the_build() -> None:
    rules = [line for line in IGNORED.read_text().splitlines() if line and line[0] != "#"]
    allowed = {rule[1:] for rule in rules if rule.startswith("!")}
    packaged = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = set(packaged["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"])
    assert rules[0] == "*"
    assert wheel <= allowed
    for secret in (".env", "data", ".git"):
        assert not any(fnmatch(secret, rule) for rule in allowed)


def test_what_is_compiled_can_be_imported_without_the_extra_of_the_demo() -> None:
    script = (ROOT / "deploy" / "bytecode.sh").read_text()
    program = script.partition("<<'PYTHON'")[2].partition("\n")[2].partition("\nPYTHON\n")[0]
    without = "import sys\nsys.modules['imageio_ffmpeg'] = None\n"
    done = subprocess.run(
        [sys.executable, "-c", without + program], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "worker/main.py" in done.stdout


def test_a_newer_yt_dlp_in_a_mounted_folder_reaches_the_resolver_processes(tmp_path: Path) -> None:
    plugins, work = tmp_path / "plugins", tmp_path / "work"
    (plugins / "yt_dlp").mkdir(parents=True)
    (plugins / "yt_dlp" / "__init__.py").write_text("origin = 'plugins'\n")
    work.mkdir()
    # A worker that was started with PYTHONPATH as the image sets it, and a resolver process of it.
    program = (
        "import subprocess, sys\n"
        "from media.sources.youtube.resolver_pool import resolver_program, resolver_setup\n"
        "from media.sources.youtube.resolver_options import YouTubeOptions\n"
        "from pathlib import Path\n"
        f"setup = resolver_setup(YouTubeOptions(), Path({str(work)!r}))\n"
        "program = resolver_program(setup)\n"
        "command = [sys.executable, '-P', '-c', 'import yt_dlp; print(yt_dlp.origin)']\n"
        "subprocess.run(command, env=program.environment(), cwd=program.cwd, check=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(plugins)},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "plugins", done.stderr


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    docker("build", "--file", str(DOCKERFILE), "--tag", TAG, ".")
    yield TAG
    docker("rmi", TAG)


class TestBuilt:
    pytestmark = needs_engine

    def run(self, image: str, *options: str, command: str) -> str:
        folder = "/work:uid=10001,gid=10001,mode=0750"
        restricted = ("--read-only", "--cap-drop=ALL", "--network=none", "--tmpfs", folder)
        start = ("--entrypoint", "bash", image, "-c", command)
        return docker("run", "--rm", *restricted, *options, *start)

    def test_a_missing_setting_ends_it_with_one_line(self, image: str) -> None:
        done = subprocess.run(
            ["docker", "run", "--rm", "--network=none", image, "gateway"],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 2
        assert done.stderr.strip() == "API_KEY: is required"

    def test_it_runs_as_nobody_in_particular_on_a_read_only_root(self, image: str) -> None:
        found = self.run(image, command="id -u; touch /x 2>/dev/null || echo cannot; touch $HOME/x")
        assert found.split() == ["10001", "cannot"]

    def test_all_programs_are_there_and_the_embedded_server_is_not(self, image: str) -> None:
        found = self.run(image, command="deno --version; yt-dlp --version; streamlink --version")
        assert "deno 2" in found
        assert "streamlink" in found
        assert "temporal" not in self.run(image, command="ls /opt/stream-tracker/bin").split()

    def test_only_the_image_of_the_demo_has_an_ffmpeg_to_encode_with(self, image: str) -> None:
        say = "python -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())'"
        assert self.run(image, command=f"{say} 2>/dev/null || echo none").strip() == "none"
        docker("build", "--file", str(DOCKERFILE), "--target", "demo", "--tag", f"{TAG}-demo", ".")
        try:
            assert "ffmpeg version" in self.run(f"{TAG}-demo", command=f"$({say}) -version")
        finally:
            docker("rmi", f"{TAG}-demo")

    @pytest.mark.parametrize(
        ("role", "line"), [("gateway", "gateway serves"), ("worker", "Temporal does not answer")]
    )
    def test_nothing_is_compiled_when_a_process_starts(
        self, image: str, role: str, line: str
    ) -> None:
        settings = dict.fromkeys(("API_KEY", "INTERNAL_API_KEY", "WEBHOOK_SIGNING_KEY"), "k" * 32)
        settings |= {"CALLBACK_URL": "http://127.0.0.1", "PYTHONVERBOSE": "1"}
        given = [f"--env={name}={value}" for name, value in settings.items()]
        start = (
            f"stream-tracker {role} >log 2>&1 & "
            f"until grep -q '{line}' log; do kill -0 $! || exit 1; sleep 0.2; done; "
            "grep '^# code object from /opt/[^ ]*[.]py$' log || echo none"
        )
        assert self.run(image, *given, command=start).strip() == "none"

    def test_what_was_taken_out_of_packages_is_not_missed(self, image: str) -> None:
        found = self.run(image, command=f"python - <<'PROGRAM'\n{USES_WHAT_IS_LEFT}PROGRAM")
        assert found.split() == ["Austria", "True"]

    def test_its_labels_name_version_and_licence(self, image: str) -> None:
        labels = json.loads(docker("inspect", "--format", "{{json .Config.Labels}}", image))
        assert labels["org.opencontainers.image.version"] == project()["version"]
        assert labels["org.opencontainers.image.licenses"] == "MIT"

    def test_a_newer_yt_dlp_is_taken_from_the_plugins_folder(
        self, image: str, tmp_path: Path
    ) -> None:
        (tmp_path / "yt_dlp").mkdir()
        (tmp_path / "yt_dlp" / "__init__.py").write_text("")
        tmp_path.chmod(0o755)
        mount = ("--volume", f"{tmp_path}:/plugins:ro")
        found = self.run(image, *mount, command='python -c "import yt_dlp; print(yt_dlp.__file__)"')
        assert found.strip() == "/plugins/yt_dlp/__init__.py"
