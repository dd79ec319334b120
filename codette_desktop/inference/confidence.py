"""How probable a model found its own answer, gathered while it is written."""

import math
from collections import deque

from codette_desktop.domain.answers import Confidence

WINDOW = 32  # tokens


class ConfidenceMeter:
    """Fed with the natural log probability of each token; constant time and memory a token."""

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=WINDOW)
        self._window = self._total = 0.0
        self._weakest = math.inf
        self._tokens = 0

    def take(self, log_probability: float) -> None:
        """One more token. Impossible ones (minus infinity) count as very improbable."""
        value = max(log_probability, -1e3)
        if len(self._recent) == WINDOW:
            self._window -= self._recent[0]
        self._recent.append(value)
        self._window += value
        self._total += value
        self._tokens += 1
        if len(self._recent) == WINDOW:
            self._weakest = min(self._weakest, self._window / WINDOW)

    def result(self, text_bytes: int) -> Confidence | None:
        """For an answer of so many bytes of UTF-8; None where no token was told."""
        if not self._tokens:
            return None
        weakest = self._weakest if self._tokens >= WINDOW else self._total / self._tokens
        return Confidence(-self._total / (max(1, text_bytes) * math.log(2)), weakest, self._tokens)
