"""A capsule proves its incident: it is judged again to the same event, and no byte may change."""

import io
import json
import random
import zipfile
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence.capsule.archive import ArchiveWriter, InvalidCapsule, read_archive
from evidence.capsule.contents import Capsule
from evidence.capsule.manifest import (
    MANIFEST,
    BadSignature,
    Manifest,
    read_manifest,
    sign_capsule,
    verify_capsule,
)
from evidence.capsule.replay import Replayed, replay
from media.decoding.probe import Probe
from tests.testkit.engines import opened
from tests.testkit.scripted_watch import (
    SUBJECT,
    Incident,
    ScriptedWatch,
    random_config,
    random_programme,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

LEAST_FAULTS = 20
FLIPS = 400
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SECRETS = ("token-abc123", "secret-456", "Authorization")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def probe() -> AsyncIterator[Probe]:
    async with opened(with_loudness=False) as opened_probe:
        yield opened_probe


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def incidents(probe: Probe) -> list[Incident]:
    """At least `LEAST_FAULTS` of random programmes."""
    chance, found = random.Random(7), list[Incident]()
    programmes = [random_programme(chance) for _ in range(2)]
    while len(found) < LEAST_FAULTS:
        media, config = chance.choice(programmes), random_config(chance)
        watch = ScriptedWatch(probe, media, config, chance)
        found += [each async for each in watch.incidents()]
    return found


def signed(incident: Incident) -> bytes:
    file = io.BytesIO(incident.capsule)
    manifest = manifest_of(incident.capsule)
    sign_capsule(
        file,
        KEY,
        evidence_id=manifest.evidence_id,
        incident_id=manifest.incident_id,
        monitor_id=manifest.monitor_id,
    )
    return file.getvalue()


def manifest_of(capsule: bytes) -> Manifest:
    file = io.BytesIO(capsule)
    return read_manifest(file, read_archive(file))[0]


def verified(capsule: bytes) -> Manifest:
    return verify_capsule(io.BytesIO(capsule), [KEY.public_key()])[0]


async def replayed(capsule: bytes, probe: Probe) -> Replayed:
    return await replay(Capsule(io.BytesIO(capsule)), probe)


def rewritten(capsule: bytes, name: str, content: bytes) -> bytes:
    """Return a capsule, unsigned, with another file, and a manifest that lists it."""
    with zipfile.ZipFile(io.BytesIO(capsule)) as archive:
        files = {each: archive.read(each) for each in archive.namelist()}
    files[name] = content
    manifest = json.loads(files.pop(MANIFEST))
    target, listed = io.BytesIO(), io.BytesIO()
    writer = ArchiveWriter(listed)
    for path, text in files.items():
        writer.add(path, text)
    writer.close()
    manifest["files"] = [
        {"path": each.name, "size_bytes": each.size_bytes, "sha256": each.sha256}
        for each in read_archive(listed)
    ]
    writer = ArchiveWriter(target)
    writer.add(MANIFEST, json.dumps(manifest).encode())
    for path, text in files.items():
        writer.add(path, text)
    writer.close()
    return target.getvalue()


async def test_each_incident_is_judged_again_to_the_same_event(
    incidents: list[Incident], probe: Probe
) -> None:
    assert len({each.event_type for each in incidents}) >= 4
    for incident in incidents:
        result = await replayed(signed(incident), probe)
        assert (result.is_identical, result.differences) == (True, []), incident.event_type
        assert result.not_kept == 0
    assert result.decoded > 0


async def test_segments_that_the_cache_let_go_are_taken_as_measured(probe: Probe) -> None:
    chance = random.Random(3)
    watch = ScriptedWatch(
        probe, random_programme(chance), random_config(chance), chance, cache_bytes=8 * 1024
    )
    results = [await replayed(each.capsule, probe) async for each in watch.incidents()]
    assert results
    assert all(each.is_identical for each in results)
    assert any(each.not_kept for each in results)


async def test_every_flipped_byte_is_found(incidents: list[Incident]) -> None:
    chance = random.Random(11)
    capsules = [signed(each) for each in incidents[:5]]
    assert verified(capsules[0]).event_type == incidents[0].event_type
    for _ in range(FLIPS):
        changed = bytearray(chance.choice(capsules))
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        with pytest.raises(InvalidCapsule):
            verified(bytes(changed))


async def test_it_is_a_zip_whose_files_can_be_looked_at(incidents: list[Incident]) -> None:
    with zipfile.ZipFile(io.BytesIO(signed(incidents[0]))) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        event = json.loads(archive.read("event.json"))
    assert (names[0], names[-1]) == ("manifest.json", "manifest.sig")
    assert {"event.json", "config.json", "state.json", "journal.jsonl"} < set(names)
    assert {name.partition("/")[0] for name in names} > {"segments", "playlists"}
    assert event["data"]["incident_id"] == manifest_of(incidents[0].capsule).incident_id


async def test_it_has_no_secrets(incidents: list[Incident]) -> None:
    for incident in incidents:
        assert not [each for each in SECRETS if each.encode() in incident.capsule]
    assert manifest_of(incidents[0].capsule).stream.startswith("url:user-7.stream.example#")


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda it: it + b"\0", id="a byte behind its end"),
        pytest.param(lambda it: b"\0" + it, id="a byte before its beginning"),
        pytest.param(lambda it: it[:-1], id="without its last byte"),
        pytest.param(lambda it: it[: len(it) // 2], id="half of it"),
        pytest.param(lambda it: b"", id="nothing"),
        pytest.param(lambda it: rewritten(it, "extra.json", b"{}"), id="signed, then a new list"),
    ],
)
async def test_what_is_no_genuine_capsule_is_refused(
    incidents: list[Incident], damage: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(InvalidCapsule):
        verified(damage(signed(incidents[0])))


async def test_a_capsule_of_another_service_is_not_genuine(incidents: list[Incident]) -> None:
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    with pytest.raises(BadSignature):
        verify_capsule(io.BytesIO(signed(incidents[0])), [other.public_key()])
    with pytest.raises(BadSignature):
        verified(incidents[0].capsule)


async def test_the_gateway_signs_only_what_is_said_to_arrive(incidents: list[Incident]) -> None:
    told = manifest_of(incidents[0].capsule)
    ids = {"evidence_id": told.evidence_id, "incident_id": told.incident_id}
    for file, monitor_id in (
        (signed(incidents[0]), SUBJECT.monitor_id),
        (incidents[0].capsule, SUBJECT.monitor_id[:-1] + "2"),
        (b"PK", SUBJECT.monitor_id),
    ):
        with pytest.raises(InvalidCapsule):
            sign_capsule(io.BytesIO(file), KEY, monitor_id=monitor_id, **ids)


async def test_another_event_than_was_told_is_seen(incidents: list[Incident], probe: Probe) -> None:
    capsule = incidents[0].capsule
    with zipfile.ZipFile(io.BytesIO(capsule)) as archive:
        event = json.loads(archive.read("event.json"))
    event["data"]["duration_sec"] = 4711.0
    result = await replayed(rewritten(capsule, "event.json", json.dumps(event).encode()), probe)
    assert not result.is_identical
    assert b"4711" in result.recorded


async def test_what_a_step_told_otherwise_is_shown_as_json(
    incidents: list[Incident], probe: Probe
) -> None:
    capsule = incidents[0].capsule
    with zipfile.ZipFile(io.BytesIO(capsule)) as archive:
        lines = [json.loads(line) for line in archive.read("journal.jsonl").splitlines()]
        event = json.loads(archive.read("event.json"))
    untold = "\n".join(
        json.dumps(line | ({"drafts": []} if "step" in line else {})) for line in lines
    )
    result = await replayed(rewritten(capsule, "journal.jsonl", untold.encode()), probe)
    before, _, after = result.differences[-1].partition(": ")[2].partition(" -> ")
    assert (json.loads(before), json.loads(after)) == (None, event["data"])


async def test_a_replay_ends_in_time(probe: Probe, incidents: list[Incident]) -> None:
    capsule = Capsule(io.BytesIO(incidents[0].capsule))
    with pytest.raises(InvalidCapsule, match="more than 0 s"):
        await replay(capsule, probe, most_sec=0)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("state.json", b'{"tracks": {"main": {"detectors": 7}}}'),
        ("state.json", b"{}"),
        ("state.json", b"[" * 100_000),
        ("journal.jsonl", b'{"changes":[],"step":{"step":"unknown"},"probed":[],"drafts":[]}'),
        ("journal.jsonl", b"\xff\n"),
        ("config.json", b"{"),
        ("event.json", b"null"),
    ],
)
async def test_what_strangers_made_up_is_refused_or_proves_nothing(
    incidents: list[Incident], probe: Probe, name: str, content: bytes
) -> None:
    try:
        result = await replayed(rewritten(incidents[0].capsule, name, content), probe)
    except InvalidCapsule:
        return
    assert not result.is_identical
