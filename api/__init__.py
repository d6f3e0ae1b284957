"""The gateway: the REST API, its store, and the client's side of the workflows.

`app` puts it together. A folder for each resource (`monitors`, `events`, `internal`) holds its
routes, its schemas and its service; services use `store` and, through `monitor_engine`, Temporal.
"""
