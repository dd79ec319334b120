"""Whether to try again, and when: only what failed before the first word of an answer, and only what may pass."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

RETRIED_STATUS = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`retries` after the first attempt; waits of `base_s` · 2^n with full jitter, at most `cap_s` seconds.

    A server may ask for a longer wait (Retry-After); more than `patience_s` is not waited for but told.
    """

    retries: int = 3
    base_s: float = 0.5
    cap_s: float = 8.0
    patience_s: float = 30.0

    def delay(self, retry: int, asked_s: float | None, chance: random.Random) -> float | None:
        """Seconds to wait before retry number `retry` (from 0); None where it should not be tried again.

        `asked_s` is what the server asked for.
        """
        if retry >= self.retries or (asked_s is not None and asked_s > self.patience_s):
            return None
        jittered = chance.uniform(0.0, min(self.cap_s, self.base_s * 2.0**retry))
        return max(jittered, asked_s or 0.0)


def retry_after(header: str | None, now: datetime | None = None) -> float | None:
    """The seconds a Retry-After header asks for, as a number or a date; None where it says nothing usable."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return float(text) if len(text) < 10 else 1e9
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())
