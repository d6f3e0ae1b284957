"""The search attributes by which operators find monitors in Temporal."""

from temporalio.common import SearchAttributeKey

from workflows.messages import MonitorInput, MonitorProgress

MONITOR_NAME = SearchAttributeKey.for_keyword("MonitorName")
MONITOR_STATUS = SearchAttributeKey.for_keyword("MonitorStatus")
STREAM_STATUS = SearchAttributeKey.for_keyword("StreamStatus")
VIDEO_HEALTH = SearchAttributeKey.for_keyword("VideoHealth")
AUDIO_HEALTH = SearchAttributeKey.for_keyword("AudioHealth")
STREAM_KEY = SearchAttributeKey.for_keyword("StreamKey")

ALL = (MONITOR_NAME, MONITOR_STATUS, STREAM_STATUS, VIDEO_HEALTH, AUDIO_HEALTH, STREAM_KEY)

NAME_MAX_CHARS = 120


def values_of(input: MonitorInput, progress: MonitorProgress) -> dict[SearchAttributeKey[str], str]:
    values = {
        MONITOR_STATUS: progress.status.value,
        STREAM_STATUS: progress.stream_status.value,
        VIDEO_HEALTH: progress.health.video.value,
        AUDIO_HEALTH: progress.health.audio.value,
        STREAM_KEY: input.stream_key,
    }
    name = _printable(input.name or progress.title or "")
    return {MONITOR_NAME: name, **values} if name and input.shows_name else values


def _printable(name: str) -> str:
    """Strangers write titles, and databases refuse NUL and halves of surrogate pairs."""
    return "".join(char if char.isprintable() else " " for char in name)[:NAME_MAX_CHARS].strip()
