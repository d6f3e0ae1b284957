"""The events of monitors as clients see them: the audit of their webhooks, and sending again."""
