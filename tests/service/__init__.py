"""The whole service as a stranger meets it: its own processes, real HTTP, real media.

`stage` plays what the test modules tell, `house` runs Temporal, a gateway and workers, `receiver`
takes and verifies webhooks, `rest` is a client, `children` starts processes, `waiting` waits for
conditions, `programmes` are the streams.
"""
