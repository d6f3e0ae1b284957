"""A label as people write it into a filter."""

import re
from typing import Final

from api.store.filters import Label
from monitors.labels import KEY_PATTERN

_LABEL: Final = re.compile(rf"({KEY_PATTERN.strip('^$')}):([^\0]+)")


class LabelText:
    """What was written: `labels` are empty where it is nothing, or no KEY:VALUE."""

    def __init__(self, text: str) -> None:
        self.text = text.strip()[:400]
        found = _LABEL.fullmatch(self.text)
        self.labels: list[Label] = [(found[1], found[2])] if found else []

    @property
    def is_wrong(self) -> bool:
        return bool(self.text and not self.labels)
