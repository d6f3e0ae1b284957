"""Manifests that say little and mean much."""

from tests.media.dash.build import PICTURE, adaptation_set, manifest, template, timeline

MANY = "".join(f'<Representation id="{number}"/>' for number in range(190))
RUNS = timeline(*['d="1"'] * 3_000)
LIST = "<SegmentURL/>" * 3_000
BASES = "".join(f"<BaseURL>{letter}/</BaseURL>" for letter in "abcdefgh" * 50)
ENDLESS = template(timeline('t="0" d="1" r="4611686018427387904"'))


def described(inner: str, levels: str = MANY) -> str:
    """Return a manifest whose period says for all representations how segments are found."""
    return manifest(inner + adaptation_set(levels))


BOMBS = {
    "inherited timeline": described(f'<SegmentTemplate media="$Time$">{RUNS}</SegmentTemplate>'),
    "inherited list": described(f'<SegmentList duration="1">{LIST}</SegmentList>'),
    "timelines at each level": manifest(template(RUNS) + adaptation_set(template(RUNS) + MANY)),
    "inherited codecs": manifest(f'<AdaptationSet codecs="{"a," * 40_000}">{MANY}</AdaptationSet>'),
    "codecs in each set": manifest(
        f'<AdaptationSet mimeType="video/" codecs="{"a," * 1_000}">{MANY}</AdaptationSet>' * 10
    ),
    "base URLs multiply": manifest(
        f"<Period>{BASES}<AdaptationSet mimeType='video/'>{BASES}"
        + f"<Representation>{BASES}</Representation>" * 3
        + "</AdaptationSet></Period>"
    ),
    "base URLs add up": manifest(
        *(f"<Period><BaseURL>{'a/' * 1_000}</BaseURL>{adaptation_set(ENDLESS + MANY)}</Period>",)
        * 3
    ),
    "an id in each segment": manifest(
        adaptation_set(
            template(timeline('t="0" d="1" r="999"')).replace("$Number$", "$RepresentationID$" * 99)
            + f'<Representation id="{"i" * 200}"/>'
        )
    ),
    "a long namespace": f'<MPD xmlns="{"u" * 60_000}">{"<a/>" * 20_000}</MPD>',
    "long names": "<MPD>" + f"<{'n' * 5_000}:a/>" * 20 + "</MPD>",
    "deep": manifest("<a>" * 10_000 + "</a>" * 10_000),
    "deep in what is read": "<MPD>" + "<Period><AdaptationSet>" * 5_000,
    "elements": manifest("<a/>" * 30_000),
    "periods": manifest("", *["<Period/>"] * 2_000),
    "periods without end": manifest(
        *[f"<Period>{adaptation_set(ENDLESS + PICTURE)}</Period>"] * 150
    ),
    "empty periods": manifest(*[f"<Period>{adaptation_set(template() + MANY)}</Period>"] * 4),
    "strangers in a period": described("<a/>" * 15_000, template() + MANY),
    "marks in a set": manifest(adaptation_set("<ContentProtection/>" * 3_000 + MANY)),
    "components of a set": manifest(adaptation_set("<ContentComponent/>" * 3_000 + MANY)),
    "attributes": manifest("<Period {}/>".format(" ".join(f"a{n}=''" for n in range(9_000)))),
    "a long attribute": manifest(f'<Period start="{"9" * 100_000}"/>'),
    "long numbers": manifest(adaptation_set(template(timeline(f'd="{"9" * 99_000}"')) + PICTURE)),
    "many digits": manifest(f'<Period start="PT1.{"9" * 2_000}S"/>' * 40),
    "references": manifest(f"<BaseURL>{'&#65;' * 400}</BaseURL>" + "&#65;" * 20_000),
    "empty lines": manifest(f"<BaseURL>{chr(10) * 2_000}</BaseURL>" + "\n" * 99_000),
    "pieces of text": manifest(f"<BaseURL>{'a<!-- -->' * 9_000}</BaseURL>"),
    "no end": manifest(adaptation_set(template(RUNS) + PICTURE))[:-30],
}
