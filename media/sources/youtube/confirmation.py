"""When bad news is believed: never after one poll."""

from dataclasses import dataclass

from pydantic import AwareDatetime, BaseModel, ConfigDict

from media.sources.source import Observation, SourceState
from media.sources.youtube import site_messages

_CAN_FLIP_BACK = frozenset(
    meaning.reason
    for meaning in (
        site_messages.PRIVATE,
        site_messages.MEMBERS_ONLY,
        site_messages.AGE_RESTRICTED,
        site_messages.GEO_BLOCKED,
        site_messages.UNAVAILABLE,
        site_messages.PAYMENT_REQUIRED,
    )
)


@dataclass(frozen=True, kw_only=True)
class ConfirmationPolicy:
    """How often bad news must be seen."""

    looks: int = 3  # that see it, for states that broadcasters are known to take back
    final_looks: int = 2  # that see it, for a removed video and the like
    apart_sec: float = 110  # least time between two polls that count

    def looks_for(self, reason: str) -> int:
        return self.looks if reason in _CAN_FLIP_BACK else self.final_looks


DEFAULT_POLICY = ConfirmationPolicy()


class Confirmation(BaseModel):
    """What polls in a row have seen of one permanent state. The caller carries it, as JSON."""

    model_config = ConfigDict(frozen=True)

    reason: str | None = None  # None when nothing bad was seen
    looks: int = 0  # how many polls that count saw it, the last of them `counted_at`
    counted_at: AwareDatetime | None = None

    def after(
        self,
        observation: Observation,
        at: AwareDatetime,
        policy: ConfirmationPolicy = DEFAULT_POLICY,
    ) -> "Confirmation":
        """Return the state after one more poll.

        A poll that observed nothing neither confirms nor refutes.
        """
        if observation.state is SourceState.NOT_OBSERVED:
            return self
        if not observation.is_permanent:
            return Confirmation()
        if observation.reason != self.reason or self.counted_at is None:
            return Confirmation(reason=observation.reason, looks=1, counted_at=at)
        if (at - self.counted_at).total_seconds() < policy.apart_sec:
            return self
        return Confirmation(reason=self.reason, looks=self.looks + 1, counted_at=at)

    def is_confirmed(self, policy: ConfirmationPolicy = DEFAULT_POLICY) -> bool:
        return self.reason is not None and self.looks >= policy.looks_for(self.reason)
