"""The JavaScript challenge: a player script that the solver of yt-dlp (yt-dlp-ejs) accepts.

The solver reads the script's syntax tree: two statements, the second a call of a function
expression, and in it a function that says `X.set("alr", "yes")` and returns the URL object,
whose first method that is no accessor answers the challenge.
"""

import hashlib

PLAYER_ID = "5ca1ab1e"
PLAYER_PATH = f"/s/player/{PLAYER_ID}/player_ias.vflset/en_US/base.js"
SIGNATURE_TIMESTAMP = 20_745

PLAYER_SCRIPT = f"""var _yt_player={{}};(function(g){{
var signatureTimestamp={{signatureTimestamp:{SIGNATURE_TIMESTAMP}}};
class SignedUrl {{
  constructor(url) {{ this.url = url; this.values = {{}}; }}
  set(name, value) {{ this.values[name] = value; }}
  get(name) {{ return this.values[name] ?? null; }}
  clone() {{ return this; }}
  answer() {{
    const turned = Array.from(this.values.n).reverse().join("");
    this.values.n = "s" + turned.slice(1) + turned.slice(0, 1);
  }}
}}
function sign(url, name, value) {{
  const signed = new SignedUrl(url);
  signed.set("alr", "yes");
  if (value) signed.set(name, Array.from(value).reverse().join(""));
  return signed;
}}
g.sign = sign;
}})(_yt_player);
"""


def make_challenge(*words: object) -> str:
    """Return a challenge that looks like the site's, equal for equal words."""
    return hashlib.sha256(repr(words).encode()).hexdigest()[:17]


def solve(challenge: str) -> str:
    """Return what `PLAYER_SCRIPT` makes of a challenge."""
    turned = challenge[::-1]
    return f"s{turned[1:]}{turned[:1]}"
