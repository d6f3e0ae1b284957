"""The embedded mode: a Temporal server, the gateway and one worker run by one command.

`stream-tracker up` adds a webhook receiver.
"""
