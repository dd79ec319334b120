"""Learning from every request: how a profile changes with an answer or a vote."""

import math
from dataclasses import replace

from codette_desktop.domain.answers import AnswerFigures, FinishReason
from codette_desktop.domain.profiles import ModelProfile

MEMORY = 0.98  # each outcome fades by 2 % with the next: the last 50 weigh as much as all before
NEWEST = 0.1  # weight of the newest time or speed, once ten are known
_FURTHEST = 4.0  # one sample moves an average as if it were at most four times as large or small


def after_answer(profile: ModelProfile, reason: FinishReason, figures: AnswerFigures | None) -> ModelProfile:
    """The profile with one more request, which ended for `reason`.

    An answer that the person stopped, or that ended with the application, is neither success nor failure. A cached one
    tells nothing of speed, nor does one that failed.
    """
    profile = replace(profile, requests=profile.requests + 1)
    if reason in (FinishReason.STOP, FinishReason.LENGTH):
        profile = _with_outcome(profile, success=True)
    elif reason is FinishReason.FAILED:
        return _with_outcome(profile, success=False)
    else:
        return profile
    return profile if figures is None or figures.cached else _timed(profile, figures)


def after_vote(profile: ModelProfile, mark: float) -> ModelProfile:
    """The profile with one more mark from 0 to 10 (a duel won 10, tied 5, lost 0; thumbs up 10, down 0).

    Raises ValueError for another number.
    """
    if not 0 <= mark <= 10:
        raise ValueError(f"a mark runs from 0 to 10, not {mark}")
    return replace(profile, quality_points=profile.quality_points + mark, quality_votes=profile.quality_votes + 1)


def before_vote(profile: ModelProfile, mark: float) -> ModelProfile:
    """The profile with one mark less: the inverse of `after_vote`."""
    if not profile.quality_votes:
        return profile
    points = max(0.0, profile.quality_points - mark)
    return replace(profile, quality_points=points, quality_votes=profile.quality_votes - 1)


def _with_outcome(profile: ModelProfile, success: bool) -> ModelProfile:
    return replace(
        profile,
        successes=profile.successes * MEMORY + success,
        failures=profile.failures * MEMORY + (not success),
    )


def _timed(profile: ModelProfile, figures: AnswerFigures) -> ModelProfile:
    timed = profile.timed + 1
    return replace(
        profile,
        timed=timed,
        response_ms=_averaged(profile.response_ms, figures.total_ms - figures.load_ms, timed),
        first_token_ms=_averaged(profile.first_token_ms, figures.time_to_first_token_ms - figures.load_ms, timed),
        tokens_per_second=_averaged(profile.tokens_per_second, figures.tokens_per_second, timed),
    )


def _averaged(known: float | None, sample: float, count: int) -> float | None:
    """The geometric mean so far, then an exponentially weighted one: times vary by factors, not by differences."""
    if not math.isfinite(sample) or sample <= 0:
        return known
    if known is None:
        return sample
    step = math.log(sample) - math.log(known)  # their quotient may be 0 or infinite
    step = min(math.log(_FURTHEST), max(-math.log(_FURTHEST), step))
    return known * math.exp(max(NEWEST, 1 / count) * step)
