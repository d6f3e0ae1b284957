"""Evidence: workers hand it in, clients read it, and it is forgotten."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from api.evidence.intake import PICTURES_AT_ONCE
from api.evidence.retention import EvidenceCleanup
from api.store.evidence import DELETED
from api.store.reconciliation import MONITORS
from evidence.store import open_file_store
from monitors.evidence import MOST_BYTES, EvidenceItem, EvidenceKind
from tests.testkit.evidence import CLIP, FIRST_FAULTY, JPEG, LAST_GOOD, MP4, Incident, new_incident
from tests.testkit.gateway import Running, running_gateway, without_key

NOON = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
ANOTHER = "inc-5a9be5a8-4b5c-5a59-9f4f-3a3c0d8d2f10"
CLIPS: dict[str, Any] = {"config": {"evidence": "clip"}}


async def states(incident: Incident) -> dict[str, tuple[str, str | None]]:
    found = await incident.shown()
    return {name: (one["state"], one["reason"]) for name, one in found.items()}


def later(gateway: Running, store: Path | str, **passed: float) -> EvidenceCleanup:
    """Return a cleanup after some time has passed."""
    return EvidenceCleanup(
        gateway.store,
        open_file_store(str(store)),
        kept=timedelta(days=14),
        remembered=timedelta(days=90),
        now=lambda: datetime.now(UTC) + timedelta(**passed),
    )


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


async def test_what_an_event_announces_comes_and_is_read(gateway: Running) -> None:
    incident = await new_incident(gateway, NOON)
    await incident.open()
    pending = ("pending", None)
    assert await states(incident) == {"last_good": pending, "first_faulty": pending}
    answer = await incident.get(FIRST_FAULTY)
    assert (answer.status_code, answer.headers["Retry-After"]) == (404, "5")
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


async def test_what_comes_before_its_event_is_taken_after_it(gateway: Running) -> None:
    incident = await new_incident(gateway, NOON, **CLIPS)
    early = await incident.put(CLIP, MP4, X_Reason="cut"), await incident.fail(CLIP, "memory")
    assert [each.json()["error"]["code"] for each in early] == 2 * ["EVIDENCE_NOT_FOUND"]
    await incident.open()
    assert (await states(incident))["clip"] == ("pending", None)
    assert (await incident.put(CLIP, MP4, X_Reason="cut")).status_code == 204
    assert (await states(incident))["clip"] == ("ready", "cut")


async def test_pictures_of_a_fault_that_was_no_incident_go_after_an_hour(
    sqlite_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "evidence"
    async with running_gateway(sqlite_url, evidence_store=str(folder)) as gateway:
        vain, told = [
            await new_incident(gateway, NOON, stream_url=f"https://a.tv/{name}.m3u8")
            for name in ("vain", "told")
        ]
        for incident in (vain, told):
            await incident.put(FIRST_FAULTY, JPEG)
        await told.open()
        await later(gateway, folder, hours=2).remove_old()
        assert files_in(folder) == [told.id_of(FIRST_FAULTY)]
        assert await gateway.store.evidence.find(vain.id_of(FIRST_FAULTY)) is None


async def test_a_part_of_a_clip(light_gateway: Running) -> None:
    incident = await new_incident(light_gateway, NOON, **CLIPS)
    await incident.open()
    await incident.put(CLIP, MP4)
    for wanted, status, part in [
        ("bytes=0-9", 206, slice(0, 10)),
        ("bytes=100-", 206, slice(100, None)),
        ("bytes=-7", 206, slice(-7, None)),
        ("bytes=5-999999", 206, slice(5, None)),
        ("bytes=999999-", 416, slice(0, 0)),
        ("bytes=-0", 416, slice(0, 0)),
        ("bytes=9-3", 200, slice(None)),
        ("bytes=0-1,3-4", 200, slice(None)),
        ("lines=0-9", 200, slice(None)),
    ]:
        answer = await incident.get(CLIP, Range=wanted)
        assert (answer.status_code, answer.content) == (status, MP4[part]), wanted
        if status == 206:
            start, stop, _ = part.indices(len(MP4))
            assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(MP4)}"


@dataclass(frozen=True)
class Refused:
    """An upload that is not taken, and how the reason begins."""

    why: str
    item: EvidenceItem = FIRST_FAULTY
    content: bytes = JPEG
    headers: tuple[tuple[str, str], ...] = ()


async def test_what_does_not_fit_is_refused(light_gateway: Running) -> None:
    incident = await new_incident(light_gateway, NOON)
    await incident.open()
    for upload in [
        Refused("X-Sha256: is not the", headers=(("X-Sha256", "0" * 64),)),
        Refused("X-Sha256: String should match", headers=(("X-Sha256", "x"),)),
        Refused("body: is not a picture", content=b"<svg>"),
        Refused("body: is not a picture", content=b""),
        Refused("Content-Type: must", headers=(("Content-Type", "text/html"),)),
        Refused("evidence_id: is not", headers=(("X-Incident-Id", ANOTHER),)),
        Refused("evidence_id: is not", headers=(("X-Moment", "last_good"),)),
        Refused("X-Kind: ", headers=(("X-Kind", "film"),)),
        Refused("X-Taken-At", headers=(("X-Taken-At", "1767225600"),)),
        Refused("X-Reason", headers=(("X-Reason", "No!"),)),
        Refused("X-Incident-Id", headers=(("X-Incident-Id", "inc-1"),)),
    ]:
        headers = {name.replace("-", "_"): value for name, value in upload.headers}
        answer = await incident.put(upload.item, upload.content, **headers)
        assert answer.status_code == 400, answer.text
        assert answer.json()["error"]["message"].startswith(upload.why)
    assert (await states(incident))["first_faulty"] == ("pending", None)


async def test_a_file_is_bounded_whether_its_length_is_announced_or_not(
    light_gateway: Running,
) -> None:
    incident = await new_incident(light_gateway, NOON)
    await incident.open()
    large = JPEG + bytes(MOST_BYTES[EvidenceKind.PICTURE])
    announced = await incident.put(FIRST_FAULTY, large)

    async def pieces() -> AsyncIterator[bytes]:
        yield large

    streamed = await incident.put(FIRST_FAULTY, pieces())
    assert [each.status_code for each in (announced, streamed)] == [413, 413]


async def test_evidence_none_keeps_nothing(gateway: Running) -> None:
    incident = await new_incident(gateway, NOON, config={"evidence": "none"})
    await incident.open()
    assert await incident.shown() == {}
    assert (await incident.put(FIRST_FAULTY, JPEG)).status_code == 404


async def test_what_fails_says_why_and_may_still_come(gateway: Running, tmp_path: Path) -> None:
    incident = await new_incident(gateway, NOON)
    await incident.open()
    assert (await incident.fail(LAST_GOOD, "no_picture")).status_code == 204
    assert (await incident.fail(LAST_GOOD, "shutdown")).status_code == 204
    cleanup = later(gateway, tmp_path, seconds=60)
    assert await cleanup.fail_lost() == 0
    assert await later(gateway, tmp_path, seconds=121).fail_lost() == 1
    assert await states(incident) == {
        "last_good": ("failed", "no_picture"),
        "first_faulty": ("failed", "lost"),
    }
    answer = await incident.get(LAST_GOOD)
    assert answer.status_code == 404
    assert answer.json()["error"]["message"].endswith(": no_picture")
    await incident.put(FIRST_FAULTY, JPEG)
    assert (await states(incident))["first_faulty"] == ("ready", None)


async def test_what_is_too_old_is_gone_from_the_store(database_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    async with running_gateway(database_url, evidence_store=str(folder)) as gateway:
        incident = await new_incident(gateway, NOON)
        await incident.open()
        await incident.put(FIRST_FAULTY, JPEG)
        await later(gateway, folder, days=13).remove_old()
        assert files_in(folder) == [incident.id_of(FIRST_FAULTY)]
        await later(gateway, folder, days=15).remove_old()
        assert files_in(folder) == []
        assert (await states(incident))["first_faulty"] == ("failed", "expired")
        answer = await incident.get(FIRST_FAULTY)
        assert (answer.status_code, answer.json()["error"]["code"]) == (410, "EVIDENCE_GONE")
        await later(gateway, folder, days=91).remove_old()
        assert await incident.shown() == {}


async def test_what_is_deleted_is_gone_and_does_not_come_back(
    database_url: str, tmp_path: Path
) -> None:
    async with running_gateway(database_url, evidence_store=str(tmp_path / "e")) as gateway:
        incident = await new_incident(gateway, NOON)
        await incident.open()
        await incident.put(FIRST_FAULTY, JPEG)
        path = f"/api/v1/evidence/{incident.id_of(FIRST_FAULTY)}"
        for _ in range(2):
            assert (await gateway.client.delete(path)).status_code == 204
        assert (await incident.put(FIRST_FAULTY, JPEG)).status_code == 204
        assert (await incident.get(FIRST_FAULTY)).status_code == 410
        assert files_in(tmp_path / "e") == []
        unknown = await gateway.client.delete(f"{path[:-4]}0000")
        assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "EVIDENCE_NOT_FOUND")


async def test_what_is_deleted_while_it_is_written_stays_deleted(light_gateway: Running) -> None:
    incident = await new_incident(light_gateway, NOON)
    await incident.open()
    kept = light_gateway.store.evidence
    evidence_id = incident.id_of(FIRST_FAULTY)
    record = await kept.find(evidence_id)
    assert record
    assert await kept.begin(record)
    await kept.note_gone([evidence_id], DELETED)
    assert not await kept.settle(record)
    assert (await incident.get(FIRST_FAULTY)).status_code == 410


async def test_what_is_deleted_while_it_is_read_stays_deleted(
    database_url: str, tmp_path: Path
) -> None:
    async with running_gateway(database_url, evidence_store=str(tmp_path / "e")) as gateway:
        incident = await new_incident(gateway, NOON)
        await incident.open()
        path = f"/api/v1/evidence/{incident.id_of(FIRST_FAULTY)}"

        async def slow() -> AsyncIterator[bytes]:
            yield JPEG[:4]
            assert (await gateway.client.delete(path)).status_code == 204
            yield JPEG[4:]

        digest = hashlib.sha256(JPEG).hexdigest()
        assert (await incident.put(FIRST_FAULTY, slow(), X_Sha256=digest)).status_code == 204
        assert (await incident.get(FIRST_FAULTY)).status_code == 410
        assert files_in(tmp_path / "e") == []


async def test_slow_uploads_of_one_monitor_keep_no_others_waiting(light_gateway: Running) -> None:
    urls = [f"https://media.example/{name}.m3u8" for name in ("greedy", "modest")]
    greedy, modest = [await new_incident(light_gateway, NOON, stream_url=url) for url in urls]
    await greedy.open()
    await modest.open()
    release = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield JPEG
        await release.wait()

    async with asyncio.TaskGroup() as uploads:
        for _ in range(PICTURES_AT_ONCE):
            uploads.create_task(greedy.put(FIRST_FAULTY, slow()))
        async with asyncio.timeout(20):
            while (await greedy.put(LAST_GOOD, JPEG, X_Sha256=64 * "0")).status_code != 503:
                await asyncio.sleep(0.05)
            assert (await modest.put(FIRST_FAULTY, JPEG)).status_code == 204
        release.set()


async def test_with_a_monitor_goes_its_evidence(database_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    async with running_gateway(database_url, evidence_store=str(folder)) as gateway:
        incident = await new_incident(gateway, NOON)
        await incident.open()
        await incident.put(FIRST_FAULTY, JPEG)
        await gateway.client.delete(f"/api/v1/monitors/{incident.monitor_id}")
        removed = await gateway.store.reconciliation.remove(
            MONITORS, datetime.now(UTC) + timedelta(minutes=1), 10
        )
        assert removed == 1
        await gateway.gateway.cleanup.remove_old()
        assert files_in(folder) == []
        assert (await incident.get(FIRST_FAULTY)).status_code == 404


@pytest.mark.parametrize("setting", ["evidence_max_bytes", "evidence_monitor_max_bytes"])
async def test_over_a_quota_the_oldest_goes(
    database_url: str, tmp_path: Path, setting: str
) -> None:
    half = MP4 + bytes(600_000)
    quota: dict[str, Any] = {setting: 1 << 20, "evidence_store": str(tmp_path / "evidence")}
    async with running_gateway(database_url, **quota) as gateway:
        incidents = [await new_incident(gateway, NOON, **CLIPS)]
        incidents.append(Incident(gateway, incidents[0].monitor_id, NOON + timedelta(minutes=1)))
        for incident in incidents:
            await incident.open()
            assert (await incident.put(CLIP, half)).status_code == 204
        assert (await states(incidents[0]))["clip"] == ("failed", "quota")
        assert (await incidents[0].get(CLIP)).status_code == 410
        assert files_in(tmp_path / "evidence") == [incidents[1].id_of(CLIP)]
        text = (await gateway.client.get("/metrics")).text
        assert f"stream_tracker_evidence_stored_bytes {len(half):.1f}" in text
        third = Incident(gateway, incidents[0].monitor_id, NOON + timedelta(minutes=2))
        await third.open()
        refused = await third.put(CLIP, half + half)
        assert refused.status_code == 400
        assert (await states(third))["clip"] == ("failed", "quota")


async def test_a_store_that_is_away_costs_evidence_and_nothing_else(
    database_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "evidence"
    async with running_gateway(database_url, evidence_store=str(folder)) as gateway:
        folder.rmdir()
        folder.touch()  # neither root can write below it
        incident = await new_incident(gateway, NOON)
        await incident.open()
        answer = await incident.put(FIRST_FAULTY, JPEG)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "ENGINE_UNAVAILABLE")
        assert (await states(incident))["first_faulty"] == ("failed", "store_unavailable")
        assert (await incident.put(FIRST_FAULTY, JPEG)).status_code == 503
        assert (await gateway.client.get("/readyz")).status_code == 200
        text = (await gateway.client.get("/metrics")).text
        assert (
            'stream_tracker_evidence_total{kind="picture",outcome="store_unavailable"} 1.0' in text
        )
        folder.unlink()
        assert (await incident.put(FIRST_FAULTY, JPEG)).status_code == 204
        assert (await incident.get(FIRST_FAULTY)).content == JPEG


async def test_without_a_store_evidence_fails(sqlite_url: str) -> None:
    async with running_gateway(sqlite_url, evidence_store="none") as gateway:
        incident = await new_incident(gateway, NOON)
        await incident.open()
        assert (await incident.put(FIRST_FAULTY, JPEG)).status_code == 503
        assert (await states(incident))["first_faulty"] == ("failed", "no_store")


async def test_capsules_need_a_key(sqlite_url: str) -> None:
    async with running_gateway(sqlite_url, evidence_signing_key=[]) as gateway:
        answer = await gateway.create(config={"evidence": "capsule"})
        assert answer.json()["error"]["code"] == "INVALID_CONFIG"
        assert (await gateway.client.get("/api/v1/keys")).json() == {"keys": []}


async def test_everybody_may_read_the_public_keys(light_gateway: Running) -> None:
    async with without_key(light_gateway) as stranger:
        (key,) = (await stranger.get("/api/v1/keys")).json()["keys"]
    assert (key["kty"], key["crv"], len(key["x"]), len(key["kid"])) == ("OKP", "Ed25519", 43, 16)


async def test_listeners_hear_when_evidence_is_there(gateway: Running) -> None:
    incident = await new_incident(gateway, NOON)
    await incident.open()
    before = await gateway.store.changes.newest()
    await incident.put(FIRST_FAULTY, JPEG)
    changes = await gateway.store.changes.after(before)
    assert incident.incident_id in [one.subject_id for one in changes]
