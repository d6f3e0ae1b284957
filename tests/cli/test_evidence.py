"""Evidence on the command line."""

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from cli.incidents import half_blocks, print_evidence
from tests.cli.test_destinations import command
from tests.cli.test_incidents import gateway
from tests.testkit.evidence import CLIP, FIRST_FAULTY, JPEG, MP4, new_incident
from tests.testkit.gateway import Running

__all__ = ["gateway"]

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def picture(width: int, height: int) -> bytes:
    """Return a JPEG: red above blue."""
    image = Image.new("RGB", (width, height), "blue")
    image.paste("red", (0, 0, width, height // 2))
    written = io.BytesIO()
    image.save(written, "JPEG", quality=95, subsampling=0)
    return written.getvalue()


async def test_an_incident_is_shown_with_its_evidence_which_is_saved(
    gateway: Running, tmp_path: Path
) -> None:
    incident = await new_incident(gateway, NOON, config={"evidence": "clip"})
    await incident.open()
    await incident.put(FIRST_FAULTY, JPEG)
    await incident.put(CLIP, MP4, X_Reason="cut")
    folder = tmp_path / "saved" / "here"
    code, said = await command(
        gateway, "incidents", "show", incident.incident_id, "--save", str(folder)
    )
    assert code == 0, said
    rows = [line.split()[:3] for line in said if line.startswith(("picture", "clip"))]
    assert rows[:3] == [
        ["picture", "last_good", "pending"],
        ["picture", "first_faulty", "ready"],
        ["clip", "-", "ready"],
    ]
    saved = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert saved == {
        f"{incident.id_of(FIRST_FAULTY)}-picture-first_faulty.jpg": JPEG,
        f"{incident.id_of(CLIP)}-clip.mp4": MP4,
    }
    assert all(any(str(folder / name) in line for line in said) for name in saved)


def test_a_terminal_shows_urls_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    url = f"https://tracker.example/api/v1/evidence/evd-1?expires=1&signature={'5e' * 32}"
    piece = {"kind": "picture", "size_bytes": None, "taken_at": None, "reason": None, "url": url}
    pending = {**piece, "moment": "last_good", "state": "pending"}
    failed = {**piece, "moment": "first_faulty", "state": "failed", "reason": "no_picture"}
    print_evidence([pending, failed])
    said = capsys.readouterr().out
    assert "no_picture" in said
    assert said.splitlines()[-1] == f"picture last_good: {url}"


def test_a_picture_is_half_blocks_of_its_colours() -> None:
    text = half_blocks(picture(160, 80), 8)
    lines = text.plain.split("\n")
    assert lines == ["▀" * 8] * 2
    styles = [str(span.style) for span in text.spans]
    assert styles[0].startswith("#fe0000 on #fe0000")
    assert styles[-1].startswith("#0000fe on #0000fe")


def test_what_is_no_picture_is_not_shown() -> None:
    assert half_blocks(b"<svg>", 8).plain == "(cannot be read)"
    assert half_blocks(picture(2000, 1000), 8).plain == "(too large)"
