"""The cards of the models: what each did in the last 24 hours, its health, and its trend in words. No Qt."""

from collections.abc import Mapping, Sequence

from codette_desktop.domain.request_log import ModelTotals
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.tabs.watch.charts.colours import ModelPlaces
from codette_desktop.gui.tabs.watch.now.now_cards import BAND_TONES
from codette_desktop.gui.tabs.watch.now.now_state import ModelState, Tone
from codette_desktop.gui.tabs.watch.now.sources import Watch
from codette_desktop.gui.tabs.watch.units import MISSING, Kind, text

Shifts = Mapping[tuple[str, str], float | None]  # (label, metric): None while it is learnt
_SLIGHT = 0.05  # what differs by less is as usual


def model_states(totals: Sequence[ModelTotals], watch: Watch, places: ModelPlaces) -> tuple[ModelState, ...]:
    """A card for each model that was asked, the most asked first. `totals` as `store.requests.figures` gives them."""
    shifts = watch.shifts()
    ordered = sorted(totals, key=lambda item: (-item.requests, item.model_label))
    return tuple(_state(item, watch, shifts, places) for item in ordered)


def _state(
    total: ModelTotals, watch: Watch, shifts: Mapping[tuple[str, str], float | None], places: ModelPlaces
) -> ModelState:
    label = total.model_label
    health = watch.model_health(total.model)
    trend, tone = trend_text(label, shifts)
    figures = (
        (tr("Requests"), number(total.requests)),
        (tr("Speed"), text(Kind.SPEED, total.tokens_per_second)),
        (tr("First token"), text(Kind.TIME, total.first_token_ms)),
        (tr("Errors"), number(total.errors) if total.requests else MISSING),
    )
    words = MISSING if health.score is None else number(health.score)
    tip = tr("Speed and first token are medians. Answers that had to wait for the model to load are left out.")
    return ModelState(
        label, places.place(label), figures, words, BAND_TONES.get(health.band, Tone.PLAIN), trend, tone,
        f"{health.text}\n{tip}" if health.text else tip,
    )  # fmt: skip


def trend_text(label: str, shifts: Shifts) -> tuple[str, Tone]:
    """What the detectors found of a model: "learning", "as usual", "31 % slower than usual"; the worst comes first."""
    found = [(shifts[label, metric], metric) for metric in ("speed", "first_token") if (label, metric) in shifts]
    known = [(change, metric) for change, metric in found if change is not None]
    if not known:
        return tr("learning what is usual"), Tone.PLAIN
    change, metric = max(known, key=lambda item: _harm(*item))
    if _harm(change, metric) < _SLIGHT:
        change, metric = min(known, key=lambda item: _harm(*item))  # none is worse: is one better?
    if abs(change) < _SLIGHT:
        return tr("as usual"), Tone.GOOD
    return _shift_text(change, metric), Tone.WARNING if _harm(change, metric) > 0 else Tone.GOOD


def _harm(change: float, metric: str) -> float:
    """How much worse, as a share; negative where it is better."""
    return -change if metric == "speed" else change


def _shift_text(change: float, metric: str) -> str:
    percent = number(100 * abs(change))
    if metric == "speed":
        if change < 0:
            return tr("{n} % slower than usual", n=percent)
        return tr("{n} % faster than usual", n=percent)
    if change > 0:
        return tr("begins {n} % later than usual", n=percent)
    return tr("begins {n} % sooner than usual", n=percent)
