"""A Temporal server, the gateway, one worker and a webhook receiver, run by one command."""
