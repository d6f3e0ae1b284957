"""Whether decoders must be locked in, and whether they are."""

from dataclasses import dataclass, field

from media.decoding.decoder.confinement import has_filter


@dataclass
class Confinement:
    """The system call filter of decoders; see `media.decoding.decoder.confinement`.

    Attributes:
        is_required: nothing is decoded without it. By default where there is one for the platform.
        is_there: whether the latest decoder has it; None before the first.
    """

    is_required: bool = field(default_factory=has_filter)
    is_there: bool | None = None

    @classmethod
    def wanted(cls, required: bool | None) -> "Confinement":
        """Return what a setting says; None is the default."""
        return cls() if required is None else cls(required)
