"""A model's record in words: whether it works at present, and how its answers have been."""

from codette_desktop.domain.profiles import ModelProfile
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.model_choice import size_text
from codette_desktop.gui.tabs.ask.wording import duration
from codette_desktop.inference.routing.health import Health, HealthState
from codette_desktop.models.fit import Fit, Verdict


def health_words(health: Health) -> tuple[str, str, str]:
    """The kind of a `StatusDot`, its word, and why in words; the word is "" while nothing is known."""
    match health.state:
        case HealthState.HEALTHY:
            return "good", tr("works"), ""
        case HealthState.DEGRADED:
            return "warning", tr("not always well"), health.why
        case HealthState.UNHEALTHY:
            return "bad", tr("does not work at present: {why}", why=health.why), health.why
        case _:
            return "info", "", ""


def fit_text(fit: Fit, saved: int) -> str:
    """ "Fits: needs 0.2 GB, 21.0 GB of 25.3 GB can be used · its quantisation saves 3.3 MB against F16"."""
    words = {
        Verdict.FITS: tr("Fits: {why}", why=fit.sentence),
        Verdict.FITS_LATER: tr("Fits in turn: {why}", why=fit.sentence),
        Verdict.TOO_LARGE: tr("Does not fit: {why}", why=fit.sentence),
    }[fit.verdict]
    return f"{words} · {tr('its quantisation saves {size} against F16', size=size_text(saved))}" if saved > 0 else words


def record_text(profile: ModelProfile | None) -> str:
    """ "12 answers · 98 % went well · 212 tok/s · typically 1.2 s · quality 7.1 of 10 (4 votes)"."""
    if profile is None or not profile.requests:
        return tr("No answers here yet.")
    count = tr("1 answer") if profile.requests == 1 else tr("{n} answers", n=number(profile.requests))
    parts = [count]
    tried = profile.successes + profile.failures
    if tried:
        parts.append(tr("{share} % went well", share=number(100 * profile.successes / tried)))
    if profile.tokens_per_second:
        parts.append(tr("{speed} tok/s", speed=number(profile.tokens_per_second)))
    if profile.response_ms:
        parts.append(tr("typically {time}", time=duration(profile.response_ms)))
    if profile.quality is not None:
        quality = tr("quality {mark} of 10", mark=number(profile.quality, 1))
        votes = tr("1 vote") if profile.quality_votes == 1 else tr("{n} votes", n=number(profile.quality_votes))
        parts.append(f"{quality} ({votes})")
    return " · ".join(parts)
