"""The keys of the embedded mode: made once, kept for their owner alone."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.generated_keys import FILE_NAME, KEY_NAMES, SEED_NAME, provide_keys, read_keys

SHORTEST_KEY = 24


@pytest.fixture
def loose_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def test_keys_are_made_and_kept(tmp_path: Path) -> None:
    made = provide_keys(tmp_path, {})
    assert set(made) == set(KEY_NAMES)
    assert len(set(made.values())) == len(KEY_NAMES)
    assert min(len(key) for key in made.values()) >= SHORTEST_KEY
    assert len(bytes.fromhex(made[SEED_NAME])) == 32
    assert provide_keys(tmp_path, {}) == made
    assert read_keys(tmp_path / FILE_NAME) == made


@pytest.mark.usefixtures("loose_umask")
def test_only_the_owner_may_read_them(tmp_path: Path) -> None:
    provide_keys(tmp_path, {})
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [FILE_NAME]


def test_a_given_key_counts_and_is_not_kept(tmp_path: Path) -> None:
    made = provide_keys(tmp_path, {})
    given = provide_keys(tmp_path, {"API_KEY": "mine", "WEBHOOK_SIGNING_KEY": ""})
    assert given == made | {"API_KEY": "mine"}
    assert "mine" not in (tmp_path / FILE_NAME).read_text()


def test_a_missing_key_is_made_beside_those_that_are_kept(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("API_KEY=kept=with=equals\nOTHER=ignored\n\nnonsense\n")
    keys = provide_keys(tmp_path, {})
    assert keys["API_KEY"] == "kept=with=equals"
    assert set(keys) == set(KEY_NAMES)


def test_what_a_crash_left_half_written_is_replaced(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).with_suffix(".new").write_text("API_KEY=ha")
    assert provide_keys(tmp_path, {})["API_KEY"] != "ha"
    assert [each.name for each in tmp_path.iterdir()] == [FILE_NAME]


def test_no_file_is_no_key(tmp_path: Path) -> None:
    assert read_keys(tmp_path / FILE_NAME) == {}
