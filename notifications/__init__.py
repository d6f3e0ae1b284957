"""How an incident becomes a page, a chat message, a mail: one file a destination type.

`notification` says what is told, `sending` what a sender is. A sender makes one attempt; whoever
calls it retries.
"""
