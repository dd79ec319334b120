"""Profiles: what has been measured of a model over all its answers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelProfile:
    """The running figures of one model for one kind of task ("": for all).

    `requests` counts all that ended, however. `successes` and `failures` are counts that fade, so that the last fifty
    or so tell. `response_ms` (without loading), `first_token_ms` and `tokens_per_second` are None until measured, with
    `timed` the number of answers they come from. `quality_points` is the sum of `quality_votes` marks of 0 to 10.
    """

    model: str
    task: str = ""
    requests: int = 0
    successes: float = 0.0
    failures: float = 0.0
    response_ms: float | None = None
    first_token_ms: float | None = None
    tokens_per_second: float | None = None
    timed: int = 0
    quality_points: float = 0.0
    quality_votes: int = 0

    @property
    def success_rate(self) -> float:
        """Mean of the Beta posterior with the prior Beta(4, 1): a new model is taken to work four times in five."""
        return (self.successes + 4) / (self.successes + self.failures + 5)

    @property
    def quality(self) -> float | None:
        """0 to 10, drawn towards 5 by the weight of two votes; None without a vote."""
        if not self.quality_votes:
            return None
        return (self.quality_points + 2 * 5) / (self.quality_votes + 2)
