"""How schemathesis asks the gateway."""

SETTINGS = """
# A stopped monitor is kept and shown: DELETE takes no resource away.
[checks]
use_after_free.enabled = false

# No schema can say that a schedule lies ahead, or that no text in the metadata holds a NUL.
[[operations]]
include-name = ["POST /api/v1/monitors", "PATCH /api/v1/monitors/{monitor_id}"]
checks.positive_data_acceptance.enabled = false
"""
