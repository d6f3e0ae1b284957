"""Detectors: from measurements and observations to incidents that open and close.

`media` judges what is in the segments, `pace` whether segments keep coming, `errors` whether they
can be had at all. Their states are small pydantic models that survive JSON, so that a watch goes
on elsewhere where it stopped. Thresholds come in with every call and may change at any time.
"""
