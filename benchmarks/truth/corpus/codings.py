"""Encodings of the corpus, beside the usual one."""

from benchmarks.truth.programme import Canvas, Coding

X264 = ("-c:v", "libx264", "-preset", "veryfast")

CODINGS = {
    "x264-40k": Coding(video=(*X264, "-b:v", "40k", "-maxrate", "40k", "-bufsize", "80k")),
    "x264-crf18": Coding(video=(*X264, "-crf", "18")),
    "x264-bframes": Coding(
        video=("-c:v", "libx264", "-preset", "medium", "-bf", "3", "-b:v", "100k")
    ),
    "x264-zerolatency": Coding(video=(*X264, "-tune", "zerolatency", "-b:v", "150k")),
    "x265": Coding(
        video=(
            *("-c:v", "libx265", "-preset", "ultrafast", "-b:v", "120k"),
            *("-x265-params", "log-level=none:scenecut=0"),
        )
    ),
    "mpeg2": Coding(
        video=("-c:v", "mpeg2video", "-b:v", "400k"), audio=("-c:a", "mp2", "-b:a", "64k")
    ),
    "x264-ac3": Coding(audio=("-c:a", "ac3", "-b:a", "96k"), sample_rate=48_000),
    "fmp4": Coding(container="fmp4"),
    "vp9-opus": Coding(
        video=("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "120k"),
        audio=("-c:a", "libopus", "-b:a", "48k"),
        container="fmp4",
        sample_rate=48_000,
    ),
    "av1": Coding(
        video=("-c:v", "libsvtav1", "-preset", "12", "-b:v", "120k", "-svtav1-params", "lp=1"),
        container="fmp4",
    ),
}
"""By name."""

CANVASES = {
    "128x72-5": Canvas(128, 72, 5),
    "176x144-15": Canvas(176, 144, 15),
    "256x144-25": Canvas(256, 144, 25),
    "320x180-30": Canvas(320, 180, 30),
    "640x360-8": Canvas(640, 360, 8),
    "90x160-10": Canvas(90, 160, 10),
}
"""By name; the last one is upright."""
