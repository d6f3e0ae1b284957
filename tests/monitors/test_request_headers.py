"""Which headers a user may have sent with the requests for a stream."""

import pytest

from monitors.request_headers import (
    MASK,
    MAX_CHARS,
    MAX_VALUE_CHARS,
    MOST_HEADERS,
    check_request_headers,
    masked,
)

SECRET = "s3cr3t"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Referer": "https://site.example/", "User-Agent": "Player/1 (X; Y)"},
        {"Authorization": f"Bearer {SECRET}", "Cookie": f"a={SECRET}; b=2"},
        {"X-Token!#$%&'*+.^_`|~9": "a\tb c"},
        {f"X-{number}": "v" for number in range(MOST_HEADERS)},
    ],
)
def test_these_may_be_sent(headers: dict[str, str]) -> None:
    check_request_headers(headers)


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"Host": SECRET}, "Host: is set by each request itself"),
        ({"content-length": SECRET}, "content-length: is set by each request itself"),
        ({"Transfer-Encoding": SECRET}, "Transfer-Encoding: belongs to a connection"),
        ({"Proxy-Authorization": SECRET}, "Proxy-Authorization: belongs to a connection"),
        ({"": SECRET}, "'' is no name"),
        ({"X Y": SECRET}, "'X Y' is no name"),
        ({"X:": SECRET}, "'X:' is no name"),
        ({"X\r\nY": SECRET}, r"'X\\r\\nY' is no name"),
        ({"Grüße": SECRET}, "is no name"),
        ({"X" * 65: SECRET}, "is no name"),
        ({"X-A": ""}, "X-A: must be printable ASCII"),
        ({"X-A": f" {SECRET}"}, "X-A: must be printable ASCII"),
        ({"X-A": f"{SECRET}\r\nX-B: 1"}, "X-A: must be printable ASCII"),
        ({"X-A": f"{SECRET}\n"}, "X-A: must be printable ASCII"),
        ({"X-A": f"{SECRET}\0"}, "X-A: must be printable ASCII"),
        ({"X-A": f"{SECRET}é"}, "X-A: must be printable ASCII"),
        ({"X-A": SECRET, "x-a": SECRET}, "x-a: is given twice"),
        ({"X-A": "v" * (MAX_VALUE_CHARS + 1)}, "X-A: is longer than"),
        ({f"X-{n}": "v" * 4000 for n in range(3)}, f"more than {MAX_CHARS}"),
        ({f"X-{n}": "v" for n in range(MOST_HEADERS + 1)}, f"more than {MOST_HEADERS}"),
    ],
)
def test_these_are_refused_with_a_reason_and_without_the_value(
    headers: dict[str, str], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason) as refused:
        check_request_headers(headers)
    assert SECRET not in str(refused.value)


def test_names_are_shown_and_values_are_not() -> None:
    assert masked({"Cookie": SECRET, "Referer": "x"}) == {"Cookie": MASK, "Referer": MASK}
