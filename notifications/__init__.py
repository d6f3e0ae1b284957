"""How an incident becomes a page, a chat message, a mail: one file a destination type.

`notification` says what is told, `sending` what an attempt is; whoever makes it retries.
"""
