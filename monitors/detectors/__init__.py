"""Detectors turn measurements and observations into incidents that open and close.

`media_detectors` judge what is in the segments; `stream_faults` whether these keep coming, can be
loaded and decoded, and whether one track stops alone; `renditions` whether the preferred rendition
can be watched. A detector is a small pydantic model that survives JSON, so that another worker
continues with it. Thresholds come with every call and may change at any time.
"""
