"""The embedded mode: a Temporal server, the gateway and one worker, started by one command."""
