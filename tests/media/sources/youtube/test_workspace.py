"""The private folder of the resolvers: nobody else's, and gone after its owner."""

import subprocess
import sys
from pathlib import Path

import pytest

from media.sources.youtube.workspace import PREFIX, Workspace, remove_abandoned

OWNER = (
    "import time\n"
    "from media.sources.youtube.workspace import Workspace\n"
    "workspace = Workspace()\n"
    "print(workspace.path, flush=True)\n"
    "time.sleep(600)\n"
)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where folders are made, here and in child processes."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path


def test_the_folder_of_a_killed_owner_is_removed_by_the_next_one() -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True)
    assert owner.stdout
    folder = Path(owner.stdout.readline().strip())
    (folder / "deno").mkdir()
    (folder / "deno" / "file").touch()
    ours = Workspace()
    assert folder.is_dir(), "its owner lives"
    owner.kill()
    owner.wait()
    owner.stdout.close()
    assert folder.is_dir()
    others = Workspace()
    assert not folder.exists()
    assert ours.path.is_dir()
    ours.close()
    others.close()


def test_a_closed_folder_is_gone(temporary: Path) -> None:
    workspace = Workspace()
    assert workspace.path.stat().st_mode & 0o777 == 0o700
    workspace.close()
    workspace.close()
    assert list(temporary.iterdir()) == []


def test_only_our_folders_are_removed_and_no_link_is_followed(temporary: Path) -> None:
    kept = temporary / "kept"
    kept.mkdir()
    (kept / "file").touch()
    (temporary / f"{PREFIX}link").symlink_to(kept)
    (temporary / f"{PREFIX}file").touch()
    (temporary / f"{PREFIX}dead").mkdir()
    remove_abandoned(temporary)
    left = sorted(path.name for path in temporary.iterdir())
    assert left == ["kept", f"{PREFIX}file", f"{PREFIX}link"]
    assert (kept / "file").exists()
