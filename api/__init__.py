"""The gateway: the REST API, its store, and the door to the workflows.

Layers, each calling only those below: `app` and `server`, `monitors` and `internal` (routes, then
service), `store` and `engine`.
"""
