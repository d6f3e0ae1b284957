"""How schemathesis asks the gateway."""

SETTINGS = """
# A stopped monitor is kept and shown: DELETE takes no resource away.
[checks]
use_after_free.enabled = false

# It never ends.
[[operations]]
include-name = "GET /api/v1/changes"
enabled = false

# Nor that bytes are a picture.
[[operations]]
include-name = "PUT /api/v1/slates/{name}"
checks.positive_data_acceptance.enabled = false

# One address may send 30 wrong keys a minute, which the other calls use up.
[[operations]]
include-name = "DELETE /api/v1/slates/{name}"
checks.ignored_auth.enabled = false

# No schema can say that a number must be the right one.
[[operations]]
include-name = "DELETE /api/v1/monitors"
checks.positive_data_acceptance.enabled = false

# No schema can say that one time is before another. And one address may send 30 wrong keys a
# minute, which the other calls use up.
[[operations]]
include-name = [
    "GET /api/v1/monitors/{monitor_id}/timeline",
    "GET /api/v1/monitors/{monitor_id}/availability",
    "GET /api/v1/reports/availability",
]
checks.positive_data_acceptance.enabled = false
checks.ignored_auth.enabled = false

# An address may send 30 wrong keys a minute, which the other calls use up.
[[operations]]
include-tag = ["evidence"]
checks.ignored_auth.enabled = false
[[operations]]
include-name = "GET /api/v1/monitors/{monitor_id}/picture.jpg"
checks.ignored_auth.enabled = false

# An address may send 30 wrong keys a minute: not all calls can be tried without one.
[[operations]]
include-tag = ["destinations", "silences", "status pages", "page"]
checks.ignored_auth.enabled = false

# No schema can say what a URL of each type looks like, that a silence ends in the future, or that a
# monitor exists.
[[operations]]
include-name = [
    "POST /api/v1/destinations",
    "PATCH /api/v1/destinations/{destination_id}",
    "POST /api/v1/destinations/{destination_id}/test",
    "POST /api/v1/silences",
    "PUT /api/v1/status-pages/{slug}",
]
checks.positive_data_acceptance.enabled = false

# No schema can say that a schedule lies ahead, or that no text in the metadata holds a NUL.
[[operations]]
include-name = ["POST /api/v1/monitors", "PATCH /api/v1/monitors/{monitor_id}"]
checks.positive_data_acceptance.enabled = false
"""
