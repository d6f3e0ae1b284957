"""Where notifications go besides `callback_url`: settings, what is due, what was told."""
