import re

import pytest

from monitors.random_ids import is_monitor_id, new_monitor_id

DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def test_ids_are_dns_labels_that_sort_by_creation() -> None:
    ids = [new_monitor_id() for _ in range(50)]
    assert len(set(ids)) == 50
    assert sorted(ids) == ids
    assert all(DNS_LABEL.fullmatch(monitor_id) for monitor_id in ids)
    assert all(is_monitor_id(monitor_id) for monitor_id in ids)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("01977f3e-5b7a-7c3e-8d2f-0123456789ab", id="no prefix"),
        pytest.param("mon-01977F3E-5B7A-7C3E-8D2F-0123456789AB", id="upper case"),
        pytest.param("mon-01977f3e5b7a7c3e8d2f0123456789ab", id="no hyphens"),
        pytest.param("mon-01977f3e-5b7a-7c3e-8d2f-0123456789ab\n", id="a line break"),
        pytest.param("mon-01977f3e-5b7a-7c3e-8d2f-0123456789a٣", id="a digit of another script"),
    ],
)
def test_other_texts_are_no_ids(text: str) -> None:
    assert not is_monitor_id(text)
