"""`stream-tracker slates` against a gateway."""

from pathlib import Path

from PIL import Image

from tests.cli.test_destinations import command, gateway
from tests.testkit.gateway import Running

__all__ = ["gateway"]


async def test_a_slate_is_added_listed_and_removed(gateway: Running, tmp_path: Path) -> None:
    image, text = tmp_path / "sorry.png", tmp_path / "text.png"
    Image.new("RGB", (320, 180), "navy").save(image)
    text.write_text("no image")
    assert await command(gateway, "slates", "add", "sorry", str(image)) == (0, ["uploaded"])
    code, said = await command(gateway, "slates", "add", "other", str(text))
    assert code == 1
    assert "image: must be one of" in said[0]
    code, said = await command(gateway, "slates", "list")
    assert (code, [line.split()[0] for line in said]) == (0, ["NAME", "sorry"])
    assert await command(gateway, "slates", "remove", "sorry") == (0, ["removed"])
