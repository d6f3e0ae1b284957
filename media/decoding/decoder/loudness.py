"""How loud a segment is."""

from fractions import Fraction

import av

LOUDNESS_GATE_LUFS = -70.0
"""ffmpeg's meter tells its absolute gate when nothing was louder (EBU R 128)."""

LOUDNESS = "lavfi.r128.I"


class LoudnessMeter:
    """Integrated loudness (EBU R 128) of frames of one format."""

    def __init__(self, first: av.AudioFrame) -> None:
        self._graph = av.filter.Graph()
        self._graph.threads = 1
        source = self._graph.add_abuffer(
            sample_rate=first.sample_rate,
            format=first.format.name,
            layout=first.layout.name,
            time_base=first.time_base or Fraction(1, first.sample_rate),
        )
        meter = self._graph.add("ebur128", "metadata=1:framelog=quiet")
        self._graph.link_nodes(source, meter, self._graph.add("abuffersink")).configure()
        self._told = LOUDNESS_GATE_LUFS

    def add(self, frames: list[av.AudioFrame]) -> None:
        for frame in frames:
            self._push(frame)

    def loudness_lufs(self) -> float | None:
        """Return the loudness of all that was taken; None when nothing passed the gate."""
        self._push(None)
        return round(self._told, 1) if self._told > LOUDNESS_GATE_LUFS else None

    def _push(self, frame: av.AudioFrame | None) -> None:
        self._graph.push(frame)
        while True:
            try:
                self._told = float(self._graph.pull().metadata.get(LOUDNESS, self._told))
            except (av.BlockingIOError, av.EOFError):
                return
