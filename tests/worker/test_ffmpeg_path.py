"""An ffmpeg that cannot be used keeps a worker from starting."""

from pathlib import Path

import imageio_ffmpeg
import pytest

from runtime.errors import StartError
from worker.probe_setup import check_ffmpeg


def program(folder: Path, text: str) -> Path:
    path = folder / "ffmpeg"
    path.write_text(text)
    path.chmod(0o755)
    return path


async def test_the_bundled_one_can_be_used() -> None:
    await check_ffmpeg(Path(imageio_ffmpeg.get_ffmpeg_exe()))


async def test_a_build_between_releases_can_be_used(tmp_path: Path) -> None:
    await check_ffmpeg(program(tmp_path, "#!/bin/sh\necho ffmpeg version N-118000-g1234\n"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("#!/bin/sh\necho hello\n", "is not ffmpeg", id="another program"),
        pytest.param("#!/bin/sh\necho ffmpeg version n5.1.6\n", "is ffmpeg 5, 6 is", id="old"),
        pytest.param("no program", "cannot start", id="no program"),
    ],
)
async def test_one_that_cannot_be_used_is_named(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(StartError, match=f"^FFMPEG_PATH: .*{reason}"):
        await check_ffmpeg(program(tmp_path, text))
