"""The README's table of settings, made from the settings themselves.

`python -m runtime.settings_table` writes it; a test keeps it current.
"""

from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from runtime.settings import (
    EmbeddedSettings,
    GatewaySettings,
    SharedSettings,
    StreamSettings,
    WorkerSettings,
)

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- settings: begin -->\n", "<!-- settings: end -->\n"

_READERS: dict[str, type[BaseSettings]] = {
    "gateway, worker": SharedSettings,
    "gateway": GatewaySettings,
    "worker, watch": StreamSettings,
    "worker": WorkerSettings,
    "`make up`": EmbeddedSettings,
}


def settings_table() -> str:
    """Return the table as Markdown."""
    rows = ["| variable | read by | default | meaning |", "|---|---|---|---|"]
    for reader, kind in _READERS.items():
        rows += [
            _row(reader, name, field)
            for name, field in kind.model_fields.items()
            if name not in _inherited(kind)
        ]
    return "\n".join(rows) + "\n"


def with_table(text: str) -> str:
    """Return the README `text` with the table as it is now."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}{settings_table()}{END}{tail}"


def _inherited(kind: type[BaseSettings]) -> set[str]:
    """Return the fields that have their row already."""
    known = [SharedSettings, StreamSettings]
    bases = [each for each in known if each is not kind and issubclass(kind, each)]
    return {name for each in bases for name in each.model_fields}


def _row(reader: str, name: str, field: FieldInfo) -> str:
    return f"| `{name.upper()}` | {reader} | {_default(field)} | {field.description} |"


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if value is PydanticUndefined:
        return "required"
    return (
        ""
        if value in (None, [])
        else f"`{str(value).lower() if value in (True, False) else value}`"
    )


if __name__ == "__main__":
    README.write_text(with_table(README.read_text()))
