"""Capsules on their way in: the gateway signs what is one, and nothing else."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence.capsule.archive import ArchiveWriter
from evidence.capsule.manifest import MANIFEST, Manifest, sign_capsule, verify_capsule
from tests.testkit.evidence import CAPSULE, Incident, new_incident
from tests.testkit.gateway import Running

NOON = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
KEY = Ed25519PrivateKey.from_private_bytes(b"\x77" * 32)
"""That of the gateways of tests."""


def capsule_of(incident: Incident, **changed: str) -> bytes:
    ids = {
        "evidence_id": incident.id_of(CAPSULE),
        "incident_id": incident.incident_id,
        "monitor_id": incident.monitor_id,
    }
    manifest = Manifest(
        **{**ids, **changed},
        release="0.1.0",
        stream="url:stream.example#0",
        event_type="alert.blackout",
        created_at=NOON,
        files=[],
    )
    file = io.BytesIO()
    writer = ArchiveWriter(file)
    writer.add(MANIFEST, manifest.text())
    writer.close()
    return file.getvalue()


def signed(incident: Incident, capsule: bytes) -> bytes:
    file = io.BytesIO(capsule)
    sign_capsule(
        file,
        KEY,
        evidence_id=incident.id_of(CAPSULE),
        incident_id=incident.incident_id,
        monitor_id=incident.monitor_id,
    )
    return file.getvalue()


async def test_a_capsule_is_signed_when_it_arrives(gateway: Running) -> None:
    incident = await new_incident(gateway, NOON, config={"evidence": "capsule"})
    capsule = capsule_of(incident)
    await incident.open()
    assert (await incident.put(CAPSULE, capsule)).status_code == 204
    read = await incident.get(CAPSULE)
    assert read.headers["Content-Disposition"].startswith("attachment")
    verify_capsule(io.BytesIO(read.content), [KEY.public_key()])
    assert read.content == signed(incident, capsule)
    assert (await incident.shown())["capsule"]["size_bytes"] == len(read.content)


@pytest.mark.parametrize("fault", ["another monitor", "half", "signed"])
async def test_what_is_no_capsule_of_the_incident_fails(gateway: Running, fault: str) -> None:
    incident = await new_incident(gateway, NOON, config={"evidence": "capsule"})
    other = incident.monitor_id[:-1] + ("0" if incident.monitor_id[-1] != "0" else "1")
    changed = {"monitor_id": other} if fault == "another monitor" else {}
    capsule = capsule_of(incident, **changed)
    if fault == "half":
        capsule = capsule[: len(capsule) // 2]
    if fault == "signed":
        capsule = signed(incident, capsule)
    await incident.open()
    answer = await incident.put(CAPSULE, capsule)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    shown = (await incident.shown())["capsule"]
    assert (shown["state"], shown["reason"]) == ("failed", "invalid_capsule")
