"""What reports say of models, made of the log of requests: figures, comparison, trends and variants."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from codette_desktop.domain.models import AnyModel
from codette_desktop.domain.request_log import MeasuredRequest, ModelTotals, RequestRecord
from codette_desktop.domain.request_totals import ENDED_WELL
from codette_desktop.monitoring.comparison import ModelRecord
from codette_desktop.monitoring.estimates import Estimate, Timed
from codette_desktop.monitoring.observation import Outcomes
from codette_desktop.monitoring.recommendations import Variant
from codette_desktop.monitoring.report_data import ModelFigures, RatingRow
from codette_desktop.monitoring.trends import WEEK_S, WEEKS_BEFORE, Trend, Way, error_trend, trend

MOST_COMPARED = 6  # columns that fit a page
TRENDS = ("speed", "first_token", "total", "load", "energy")
LOOK_BACK_S = (1 + WEEKS_BEFORE) * WEEK_S


@dataclass(slots=True)
class Measured:
    """What was measured of one model, each by (when, value), and how its requests ended (stopped ones left out)."""

    timed: dict[str, list[Timed]] = field(default_factory=lambda: {name: list[Timed]() for name in TRENDS})
    ended: list[tuple[float, bool]] = field(default_factory=list[tuple[float, bool]])

    def within(self, start: float, end: float) -> "Measured":
        """The same of a period."""
        timed = {name: [item for item in found if start <= item[0] < end] for name, found in self.timed.items()}
        return Measured(timed, [item for item in self.ended if start <= item[0] < end])

    @property
    def outcomes(self) -> Outcomes:
        """How many there were, and how many of them failed."""
        return Outcomes(len(self.ended), sum(failed for _at, failed in self.ended))


def measured(records: Iterable[MeasuredRequest | RequestRecord]) -> dict[str, Measured]:
    """By the label of the model. Answers from the cache say nothing of it, cold starts nothing of its usual speed."""
    found: dict[str, Measured] = defaultdict(Measured)
    for record in records:
        model = found[record.model_label]
        well = record.reason in ENDED_WELL
        if record.cached:
            continue
        if well or record.error_type:
            model.ended.append((record.at, not well))
        if well:
            for name, value in _values(record):
                if value is not None and value > 0:
                    model.timed[name].append((record.at, value))
    return dict(found)


def _values(record: MeasuredRequest | RequestRecord) -> Iterable[tuple[str, float | None]]:
    cold = record.load_ms > 0
    tokens = record.completion_tokens
    return (
        ("speed", None if cold else record.tokens_per_second),
        ("first_token", None if cold else record.time_to_first_token_ms),
        ("total", None if cold else record.total_ms),
        ("load", record.load_ms),
        ("energy", record.energy_j / tokens if record.energy_j is not None and tokens else None),
    )


def figures(totals: Sequence[ModelTotals], sizes: Mapping[str, int]) -> tuple[ModelFigures, ...]:
    """The models of a period, the most asked first. Models that are labelled alike are told apart by their names."""
    alike = Counter(item.model_label for item in totals)
    found = sorted(totals, key=lambda item: (-item.requests, item.model_label))
    return tuple(
        ModelFigures(
            model=item.model_label if alike[item.model_label] == 1 else f"{item.model_label} ({item.model})",
            requests=item.requests,
            errors=item.errors,
            tokens=item.completion_tokens,
            first_token_ms=item.first_token_ms,
            first_token_p95_ms=item.first_token_p95_ms,
            tokens_per_second=item.tokens_per_second,
            load_ms=item.load_ms,
            memory_bytes=sizes.get(item.model_label),
            energy_j_per_token=_per_token(item),
        )
        for item in found
    )


def _per_token(item: ModelTotals) -> float | None:
    return item.energy_j / item.completion_tokens if item.energy_j is not None and item.completion_tokens else None


def model_records(
    known: Mapping[str, Measured], sizes: Mapping[str, int], ratings: Mapping[str, RatingRow]
) -> tuple[ModelRecord, ...]:
    """The models to be compared: the most asked ones of which something was measured. () for fewer than two."""
    asked = sorted(known, key=lambda label: (-len(known[label].ended), label))
    found = [
        ModelRecord(
            model=label,
            speed=known[label].timed["speed"],
            first_token=known[label].timed["first_token"],
            energy=known[label].timed["energy"],
            requests=known[label].outcomes.requests,
            errors=known[label].outcomes.errors,
            memory_bytes=sizes.get(label),
            quality=_estimate(ratings.get(label)),
        )
        for label in asked[:MOST_COMPARED]
        if known[label].ended
    ]
    return tuple(found) if len(found) > 1 else ()


def trends(known: Mapping[str, Measured], now: float) -> tuple[Trend, ...]:
    """This week against the four before, of all of which there is enough; what became worse comes first."""
    found: list[Trend] = []
    for model, item in sorted(known.items()):
        found += [trend(model, metric, item.timed[metric], now) for metric in TRENDS]
        recent = item.within(now - WEEK_S, now).outcomes
        before = item.within(now - LOOK_BACK_S, now - WEEK_S).outcomes
        found.append(error_trend(model, recent, before))
    order = (Way.WORSE, Way.BETTER, Way.SAME, Way.UNSURE)
    return tuple(sorted((one for one in found if one.way in order), key=lambda one: order.index(one.way)))


def variants(
    models: Iterable[AnyModel], known: Mapping[str, Measured], ratings: Mapping[str, RatingRow]
) -> tuple[Variant, ...]:
    """Models that are here in several quantisations, with what is known of each. Those with adapters are others."""
    found: dict[str, Variant] = {}
    for model in models:
        if model.quantisation and not getattr(model, "adapters", ()):
            found[model.label] = Variant(
                model=model.label,
                family=model.display_name,
                label=model.quantisation,
                memory_bytes=model.size_bytes or None,
                speed=known[model.label].timed["speed"] if model.label in known else (),
                rating=_estimate(ratings.get(model.label)),
            )
    return tuple(found.values())


def _estimate(row: RatingRow | None) -> Estimate | None:
    return None if row is None else Estimate(row.rating, row.low, row.high)
