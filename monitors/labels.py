"""Labels: short texts by which people group monitors, such as `team: sport`."""

from typing import Annotated, Final

from pydantic import Field, StringConstraints

MAX_LABELS: Final = 20
KEY_PATTERN: Final = r"^[a-z0-9._/-]{1,63}$"
MAX_VALUE_LENGTH: Final = 120

AppliedBy = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,63}$")]
"""Names the files that `stream-tracker apply` made something from."""

LabelKey = Annotated[str, StringConstraints(pattern=KEY_PATTERN)]
LabelValue = Annotated[str, StringConstraints(min_length=1, max_length=MAX_VALUE_LENGTH)]
Labels = Annotated[dict[LabelKey, LabelValue], Field(max_length=MAX_LABELS)]
