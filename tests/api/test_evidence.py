"""Evidence: workers hand it in, clients read it, and it is forgotten."""

from datetime import UTC, datetime, timedelta

from tests.testkit.evidence import FIRST_FAULTY, JPEG, new_incident
from tests.testkit.gateway import Running

NOON = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)


async def test_what_an_event_announces_comes_and_is_read(gateway: Running) -> None:
    incident = await new_incident(gateway, NOON)
    await incident.open()
    assert {name: one["state"] for name, one in (await incident.shown()).items()} == {
        "last_good": "pending",
        "first_faulty": "pending",
    }
    pending = await incident.get(FIRST_FAULTY)
    assert (pending.status_code, pending.headers["Retry-After"]) == (404, "5")
    assert (await incident.put(FIRST_FAULTY, JPEG)).status_code == 204
    assert (await incident.put(FIRST_FAULTY, JPEG + b"another")).status_code == 204
    shown = (await incident.shown())["first_faulty"]
    assert (shown["state"], shown["reason"], shown["size_bytes"]) == ("ready", None, len(JPEG))
    read = await incident.get(FIRST_FAULTY)
    assert (read.status_code, read.content) == (200, JPEG)
    assert read.headers["Content-Type"] == "image/jpeg"
    assert read.headers["X-Content-Type-Options"] == "nosniff"
    assert read.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    name = f"{incident.id_of(FIRST_FAULTY)}.jpg"
    assert read.headers["Content-Disposition"] == f'inline; filename="{name}"'
    again = await incident.get(FIRST_FAULTY, If_None_Match=read.headers["ETag"])
    assert (again.status_code, again.content) == (304, b"")
