"""The search attributes by which operators filter monitors in Temporal."""

from temporalio.common import SearchAttributeKey

MONITOR_STATUS = SearchAttributeKey.for_keyword("MonitorStatus")
STREAM_STATUS = SearchAttributeKey.for_keyword("StreamStatus")
VIDEO_HEALTH = SearchAttributeKey.for_keyword("VideoHealth")
AUDIO_HEALTH = SearchAttributeKey.for_keyword("AudioHealth")
STREAM_KEY = SearchAttributeKey.for_keyword("StreamKey")

ALL = (MONITOR_STATUS, STREAM_STATUS, VIDEO_HEALTH, AUDIO_HEALTH, STREAM_KEY)
