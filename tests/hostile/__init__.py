"""What a malicious origin, or a malicious user, can try: each costs bounded time and memory."""
