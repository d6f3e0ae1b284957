"""What people start by hand: the `stream-tracker` command, the embedded service, the demo."""
