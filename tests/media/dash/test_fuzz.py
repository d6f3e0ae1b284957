"""Manifests of real packagers, spoilt at random, cost what their length costs, and end typed."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.media.dash.cost import cost_of

PACKAGED = [path.read_text() for path in sorted((Path(__file__).parent / "packaged").iterdir())]
NUMBERS = st.one_of(
    st.integers(-2, 2**70).map(str), st.sampled_from(["", "-", "1e9", "NaN", "9" * 5_000, "PT1S"])
)
PIECES = st.one_of(
    NUMBERS,
    st.text(max_size=20),
    st.sampled_from(
        [
            "<S t='0' d='1' r='999999999'/>", "<S d='1' r='-1'/>", "<SegmentURL/>",
            "<BaseURL>a</BaseURL>", "<Period>", "</Period>", "<Representation/>",
            "<AdaptationSet mimeType='video/mp4'>",
            "<SegmentTemplate duration='1' media='$Time$'/>", "<SegmentTimeline/>", "<!--", "]]>",
            "<!DOCTYPE MPD [<!ENTITY a 'b'>]>", "&a;", "\x00", "$Number%09d$", "://[", "<?xml?>",
        ]
    ),
)  # fmt: skip


@st.composite
def spoilt(draw: st.DrawFn) -> str:
    """Return a packager's manifest after a few accidents; some pieces come very often."""
    text = draw(st.sampled_from(PACKAGED))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(text)))
        end = min(len(text), at + draw(st.integers(0, 300)))
        times = draw(st.sampled_from([0, 1, 2, 100]))
        match draw(st.sampled_from(["cut", "repeat", "insert", "swap"])):
            case "cut":
                text = text[:at] + text[end:]
            case "repeat":
                text = text[:end] + text[at:end] * times + text[end:]
            case "insert":
                text = text[:at] + draw(PIECES) * max(1, times) + text[end:]
            case "swap":
                text = text[:at] + text[end : 2 * end - at] + text[at:end] + text[2 * end - at :]
    return text


@st.composite
def renumbered(draw: st.DrawFn) -> str:
    """Return a packager's manifest with other values in some of its attributes."""
    parts = draw(st.sampled_from(PACKAGED)).split('"')
    for place in draw(st.lists(st.integers(0, len(parts) // 2 - 1), min_size=1, max_size=8)):
        parts[2 * place + 1] = draw(NUMBERS)
    return '"'.join(parts)


SLOWLY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SLOWLY
@given(text=st.one_of(spoilt(), renumbered()))
def test_a_spoilt_manifest_is_read_or_refused_at_a_price_by_length(text: str) -> None:
    assert cost_of(text).is_linear_in(text)


@SLOWLY
@given(body=st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    text = body.decode("utf-8", errors="replace")
    for manifest in (text, f"<MPD>{text}", f"<MPD>{text}</MPD>"):
        assert cost_of(manifest).is_linear_in(manifest)
