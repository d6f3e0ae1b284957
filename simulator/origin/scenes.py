"""What a programme shows and plays: scenes, and the ffmpeg filters that make them.

Pure: from a scene to filter text. `simulator.origin.programme` renders it.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field

from simulator.origin.encoding import Encoding


class SceneKind(StrEnum):
    """A kind of picture with a kind of sound."""

    NORMAL = "normal"
    BLACK = "black"
    CUT_TO_BLACK = "cut_to_black"
    SILENT = "silent"
    BLACK_SILENT = "black_silent"
    FROZEN = "frozen"
    BLACK_WITH_LOGO = "black_with_logo"
    BLACK_NOISY = "black_noisy"
    DARK = "dark"
    TALKING_HEAD = "talking_head"
    SLOW_PAN = "slow_pan"
    HELD_DRAWINGS = "held_drawings"
    QUIET_MUSIC = "quiet_music"
    AUDIO_ONLY = "audio_only"
    VIDEO_ONLY = "video_only"


class Scene(BaseModel, frozen=True, extra="forbid"):
    """A stretch of a programme."""

    kind: SceneKind
    # rounded to whole frames when rendered; need not match segment borders
    duration_sec: Annotated[float, Field(gt=0, le=86_400)]
    seed: int = 7  # scenes with another seed have another texture


SPEECH = (
    "aevalsrc='0.09*(1.3+sin(2*PI*3.7*t))"
    "*(sin(2*PI*140*t)+0.6*sin(2*PI*420*t)+0.4*sin(2*PI*980*t))':s={rate}"
)
"""Harmonics of a voice in syllables: peaks near -8 dBFS, pauses never under -38 dBFS."""
MUSIC = (
    "aevalsrc='0.0033*(0.8+0.2*sin(2*PI*0.9*t))"
    "*(sin(2*PI*220*t)+sin(2*PI*277*t)+sin(2*PI*330*t))':s={rate}"
)
"""A chord whose peaks stay around -40 dBFS."""
NO_SOUND = "anullsrc=r={rate}:cl=mono"

_SILENT_KINDS = {SceneKind.SILENT, SceneKind.BLACK_SILENT, SceneKind.VIDEO_ONLY}

MOVING = "testsrc2=s={w}x{h}:r={fps}"
BLACK = "color=c=black:s={w}x{h}:r={fps}"
TEXTURE = (
    "perlin=s={tw}x{h}:r={fps}:octaves=7:persistence=0.55:xscale=6:yscale=6"
    ":random_mode=seed:random_seed={seed},format=yuv420p"
    ",lutyuv=y=16+(val-70)*1.9:u=112:v=140,loop=loop=-1:size=1"
)
"""One cloudy still, drawn once and held; `tw` is its width."""


def picture_filter(scene: Scene, encoding: Encoding, number: int) -> str:
    """Return the lavfi graph of the scene's picture, endless; `number` makes its labels unique."""
    width, height = encoding.width, encoding.height
    still = (width + 64) * 16 if scene.kind is SceneKind.SLOW_PAN else width
    return _PICTURES.get(scene.kind, MOVING).format(
        w=width,
        h=height,
        tw=still,
        mw=width // 9,
        mh=height // 10,
        fps=encoding.fps,
        seed=scene.seed,
        number=number,
    )


def sound_filter(scene: Scene, encoding: Encoding) -> str:
    if scene.kind in _SILENT_KINDS:
        template = NO_SOUND
    else:
        template = MUSIC if scene.kind is SceneKind.QUIET_MUSIC else SPEECH
    return template.format(rate=encoding.sample_rate)


# A logo of two bars covers less than 2 % of the picture, what blackdetect tolerates by default.
_LOGO = (
    BLACK + ",drawbox=x=iw*0.86:y=ih*0.06:w=iw*0.08:h=ih*0.06:c=white@0.8:t=fill"
    ",drawbox=x=iw*0.86:y=ih*0.14:w=iw*0.08:h=ih*0.03:c=red@0.8:t=fill"
)

# Grain as of a sensor with its lid on. The codec smooths most of it, as it does in the field.
_GRAIN = BLACK + ",noise=c0s=12:c0f=t+u"

# Luma 18..73 of 16..235: a night scene that somebody can follow.
_NIGHT = TEXTURE + ",scroll=h=0.004,lutyuv=y=18+(val-16)*0.25"

# Only the mouth moves, about 1 % of the picture, with the pauses of a speaker.
_HEAD = (
    TEXTURE + ",gblur=sigma=6,"
    "drawbox=x=iw*0.36:y=ih*0.18:w=iw*0.28:h=ih*0.56:c=0xC08A70:t=fill,"
    "drawbox=x=iw*0.42:y=ih*0.33:w=iw*0.04:h=ih*0.04:c=0x202020:t=fill,"
    "drawbox=x=iw*0.54:y=ih*0.33:w=iw*0.04:h=ih*0.04:c=0x202020:t=fill[face{number}];"
    "color=c=0x501818:s={mw}x{mh}:r={fps}[mouth{number}];"
    "[face{number}][mouth{number}]overlay=x=(W-w)/2"
    ":y='H*0.56+H*0.04*abs(sin(2*PI*1.7*t))*lt(mod(t,4),3.2)':shortest=1"
)

# Cut from a still that is 16 times as wide: eight of its pixels a second are half a pixel here.
# It turns back at the still's edge, after two minutes.
_PAN = (
    TEXTURE + ",crop=w={w}*16:h={h}:x='abs(mod(8*t,2044)-1022)':y=0:exact=1"
    ",scale={w}:{h}:flags=area"
)

_DRAWINGS = "testsrc2=s={w}x{h}:r=1/2,fps={fps}"

_PICTURES = {
    SceneKind.BLACK: BLACK,
    SceneKind.CUT_TO_BLACK: BLACK,
    SceneKind.BLACK_SILENT: BLACK,
    SceneKind.AUDIO_ONLY: BLACK,
    SceneKind.FROZEN: TEXTURE,
    SceneKind.BLACK_WITH_LOGO: _LOGO,
    SceneKind.BLACK_NOISY: _GRAIN,
    SceneKind.DARK: _NIGHT,
    SceneKind.TALKING_HEAD: _HEAD,
    SceneKind.SLOW_PAN: _PAN,
    SceneKind.HELD_DRAWINGS: _DRAWINGS,
}
