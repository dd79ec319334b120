"""How long to wait, learnt from how long it took: the retransmission timer of RFC 6298, one for each thing waited for.

The answer of a server may take 20 ms or a minute; a fixed limit is either useless or wrong. Here the limit follows the
smoothed time and its deviation: SRTT + 4 RTTVAR, doubled when it ran out. Times in seconds.
"""

from dataclasses import dataclass, field

LEAST_S, MOST_S = 3.0, 180.0
LEAST_STALL_S = 5.0
STALL_GAPS = 10
COLD_LOAD_S = 300.0
CONNECT_S = 10.0
_ALPHA, _BETA, _DEVIATIONS = 1 / 8, 1 / 4, 4
_MOST_DOUBLINGS = 6


class Estimator:
    """One kind of wait. Samples of retried attempts must not be given: one cannot tell which attempt they belong to."""

    def __init__(self) -> None:
        self._smoothed: float | None = None
        self._deviation = 0.0
        self._doublings = 0

    def sample(self, seconds: float) -> None:
        """It took that long."""
        if self._smoothed is None:
            self._smoothed, self._deviation = seconds, seconds / 2
        else:
            self._deviation += _BETA * (abs(self._smoothed - seconds) - self._deviation)
            self._smoothed += _ALPHA * (seconds - self._smoothed)
        self._doublings = 0

    def timed_out(self) -> None:
        """The limit ran out: the next is twice as long."""
        self._doublings = min(self._doublings + 1, _MOST_DOUBLINGS)

    @property
    def limit(self) -> float | None:
        """SRTT + 4 RTTVAR, doubled as often as it ran out since the last sample; None before the first sample."""
        if self._smoothed is None:
            return None
        return (self._smoothed + _DEVIATIONS * self._deviation) * 2.0**self._doublings


@dataclass(slots=True)
class ModelTimes:
    """What is known of one model of one server. Loads have an estimator of their own: they say nothing of speed."""

    first_token: Estimator = field(default_factory=Estimator)  # for each 1,000 tokens of the prompt
    load: Estimator = field(default_factory=Estimator)
    gap: Estimator = field(default_factory=Estimator)

    def first_token_deadline(self, prompt_tokens: int, *, cold: bool, queued: bool) -> float:
        """Most seconds to wait for the first token. `queued`: others are being answered there, so it may have to wait.

        Between 3 and 180; a model that has to be loaded first may take its load's time on top.
        """
        limit = self.first_token.limit
        wait = MOST_S if limit is None or queued else _within(limit * _thousands(prompt_tokens), LEAST_S, MOST_S)
        if cold:
            load = self.load.limit
            wait += COLD_LOAD_S if load is None else _within(load, LEAST_S, COLD_LOAD_S)
        return wait

    @property
    def stall(self) -> float:
        """Most seconds between two parts of an answer."""
        limit = self.gap.limit
        return MOST_S if limit is None else _within(STALL_GAPS * limit, LEAST_STALL_S, MOST_S)

    def first_token_took(self, seconds: float, prompt_tokens: int, load_s: float = 0.0) -> None:
        """The first token came after that long, `load_s` of which went into loading the model."""
        if load_s > 0:
            self.load.sample(load_s)
        self.first_token.sample(max(0.0, seconds - load_s) / _thousands(prompt_tokens))


def _thousands(tokens: int) -> float:
    """A short prompt takes its own fixed time too: none counts as less than a tenth of a thousand."""
    return max(tokens, 100) / 1000


def _within(value: float, least: float, most: float) -> float:
    return min(max(value, least), most)
