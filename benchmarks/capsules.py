"""Whether random faults are judged again to the same events elsewhere, and changed bytes found."""

import argparse
import asyncio
import io
import json
import logging
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.machine import machine
from evidence.capsule.archive import InvalidCapsule, read_archive
from evidence.capsule.manifest import read_manifest, sign_capsule, verify_capsule
from tests.testkit.engines import opened
from tests.testkit.scripted_watch import ScriptedWatch, random_config, random_programme

PROGRAMMES = 12
FLIPPED_CAPSULES = 50
AT_ONCE = 2
CHUNK = 50
REPOSITORY = Path(__file__).parents[1]
KEY = Ed25519PrivateKey.generate()


async def make_capsules(folder: Path, faults: int, seed: int) -> Counter[str]:
    """Write the signed capsules of `faults` faults; return how many there are of each event."""
    chance = random.Random(seed)  # noqa: S311
    programmes = [random_programme(chance) for _ in range(PROGRAMMES)]
    kinds: Counter[str] = Counter()
    async with opened(with_loudness=False) as probe:

        async def play(own: random.Random) -> None:
            while kinds.total() < faults:
                media, config = own.choice(programmes), random_config(own)
                async for incident in ScriptedWatch(probe, media, config, own).incidents():
                    if kinds.total() < faults:
                        path = folder / f"{kinds.total():05}.zip"
                        kinds[incident.event_type] += 1
                        path.write_bytes(_signed(incident.capsule))

        chances = [random.Random(chance.random()) for _ in range(AT_ONCE)]  # noqa: S311
        await asyncio.gather(*map(play, chances))
    return kinds


def _signed(capsule: bytes) -> bytes:
    file = io.BytesIO(capsule)
    manifest, _ = read_manifest(file, read_archive(file))
    ids = manifest.model_dump(include={"evidence_id", "incident_id", "monitor_id"})
    sign_capsule(file, KEY, **ids)
    return file.getvalue()


def replayed_elsewhere(checkout: Path, capsules: Sequence[Path]) -> Iterator[dict[str, object]]:
    """Yield what `capsule replay` says in another checkout."""
    command = [sys.executable, "-P", "-m", "cli", "capsule", "replay", "--json"]
    for first in range(0, len(capsules), CHUNK):
        chunk = [str(each) for each in capsules[first : first + CHUNK]]
        done = subprocess.run(
            [*command, *chunk],
            cwd=checkout,
            env={"PYTHONPATH": str(checkout), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in (0, 1):
            raise RuntimeError(done.stderr)
        yield from map(json.loads, done.stdout.splitlines())


def count_found(capsules: Sequence[Path], flips: int, seed: int) -> int:
    """Flip a byte of a capsule, `flips` times; return how often that was found."""
    chance, found = random.Random(seed), 0  # noqa: S311
    contents = [each.read_bytes() for each in capsules]
    for _ in range(flips):
        changed = bytearray(chance.choice(contents))
        changed[chance.randrange(len(changed))] ^= chance.randrange(1, 256)
        try:
            verify_capsule(io.BytesIO(bytes(changed)), [KEY.public_key()])
        except InvalidCapsule:
            found += 1
    return found


def _clone(folder: Path) -> Path:
    checkout = folder / "checkout"
    command = ["git", "clone", "-q", str(REPOSITORY), str(checkout)]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return checkout


def main() -> int:
    """Return 0 when all events are identical and all flips found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks capsules", description=__doc__)
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--flips", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--checkout", type=Path, help="Another checkout; else HEAD is cloned.")
    args = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    print(machine())
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        kinds = asyncio.run(make_capsules(folder, args.faults, args.seed))
        capsules = sorted(folder.glob("*.zip"))
        mean_kib = sum(each.stat().st_size for each in capsules) / len(capsules) / 1024
        print(f"{len(capsules)} faults, {mean_kib:.0f} KiB a capsule: {dict(kinds)}")
        began = time.perf_counter()
        checkout = args.checkout or _clone(folder)
        answers = list(replayed_elsewhere(checkout.absolute(), capsules))
        took_ms = 1000 * (time.perf_counter() - began) / len(capsules)
        identical = sum(bool(each["identical"]) for each in answers)
        for each in answers:
            if not each["identical"] or each["differences"]:
                print(json.dumps(each))
        print(f"{identical} of {len(capsules)} events identical elsewhere, {took_ms:.0f} ms each")
        sample = capsules[:: max(1, len(capsules) // FLIPPED_CAPSULES)][:FLIPPED_CAPSULES]
        found = count_found(sample, args.flips, args.seed)
        print(f"{found} of {args.flips} flipped bytes found, in {len(sample)} capsules")
    return 0 if identical == len(capsules) and found == args.flips else 1


if __name__ == "__main__":
    sys.exit(main())
