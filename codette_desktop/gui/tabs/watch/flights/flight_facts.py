"""A flight record in words and numbers, alone or beside another, as text and as JSON. No Qt."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from codette_desktop.domain.answers import ContextUse
from codette_desktop.domain.request_log import LOCAL
from codette_desktop.domain.requests import Sampling
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.tabs.ask.wording import left_out_text, sampling_lines
from codette_desktop.gui.tabs.watch.figure_words import (
    DASH,
    count_text,
    energy_text,
    exact_time,
    ms_text,
    speed_text,
)
from codette_desktop.gui.tabs.watch.flights.flight_record import FlightRecord, gaps_of
from codette_desktop.gui.tabs.watch.requests.requests_wording import outcome_word, purpose_word, reason_word


@dataclass(frozen=True, slots=True)
class Fact:
    """One line. `value` is its number, where it has one, `shown` writes a number of its kind. `own`: no two records
    agree in it, so that nothing is said of that."""

    name: str
    text: str
    value: float | None = None
    shown: Callable[[float], str] | None = None
    own: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """Lines that belong together."""

    title: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One fact of two records beside each other; `difference` is "" where they agree."""

    name: str
    left: str
    right: str
    difference: str


def sections_of(record: FlightRecord) -> tuple[Section, ...]:
    """All that is known, by subject; sections without a line are left out."""
    made = (
        Section(tr("Answer"), tuple(_answer(record))),
        Section(tr("Time"), tuple(_times(record))),
        Section(tr("Tokens"), tuple(_tokens(record))),
        Section(tr("Way"), tuple(_way(record))),
        Section(tr("Sampling"), tuple(_sampling(record))),
        Section(tr("Engine"), tuple(_engine(record))),
    )
    return tuple(section for section in made if section.facts)


def _number(name: str, value: float | None, shown: Callable[[float], str]) -> Iterator[Fact]:
    if value is not None:
        yield Fact(name, shown(value), float(value), shown)


def _text(name: str, text: str | None) -> Iterator[Fact]:
    if text:
        yield Fact(name, text)


def _answer(record: FlightRecord) -> Iterator[Fact]:
    request, generation = record.request, record.generation
    yield from _text(tr("Model"), record.model)
    if record.started_at:
        yield Fact(tr("Asked"), exact_time(record.started_at), own=True)
    if request is not None:
        yield from _text(tr("For"), purpose_word(request.purpose))
        yield from _text(tr("Outcome"), outcome_word(request))
        yield from _text(tr("Server"), "" if request.backend == LOCAL else request.backend)
        yield from _text(tr("Error"), _error(request.error_type, request.error))
    elif generation is not None and generation.reason is not None:
        yield from _text(tr("Outcome"), reason_word(generation.reason))
    if generation is not None:
        yield from _text(tr("Note"), generation.note)


def _error(kind: str, text: str) -> str:
    return f"{text} ({kind})" if text and kind else text or kind


def _times(record: FlightRecord) -> Iterator[Fact]:
    yield from _number(tr("Waiting in the queue"), record.measured("queue_ms"), ms_text)
    yield from _number(tr("Loading the model"), record.measured("load_ms"), ms_text)
    yield from _number(tr("Reading the prompt"), record.measured("prefill_ms"), ms_text)
    yield from _number(tr("First token"), record.first_token_ms, ms_text)
    yield from _number(tr("Whole answer"), record.total_ms, ms_text)
    gaps = gaps_of(record.flight)
    if gaps is not None:
        yield from _number(tr("A token, median"), gaps.median_ms, ms_text)
        yield from _number(tr("A token, 95th percentile"), gaps.p95_ms, ms_text)
        yield from _number(tr("A token, longest"), gaps.longest_ms, ms_text)
        yield from _number(tr("Stalls"), len(gaps.stalls), count_text)


def _tokens(record: FlightRecord) -> Iterator[Fact]:
    yield from _number(tr("Prompt"), record.measured("prompt_tokens"), count_text)
    yield from _number(tr("Read before"), record.measured("reused_tokens"), count_text)
    yield from _number(tr("Answer"), record.measured("completion_tokens"), count_text)
    yield from _number(tr("Tokens per second"), record.measured("tokens_per_second") or None, speed_text)
    use = record.generation.use if record.generation is not None else None
    yield from _text(tr("Context"), context_text(use, record.measured("completion_tokens") or 0) if use else "")
    if use is not None and use.left_out_messages:
        yield from _text(tr("Left out"), left_out_text(use.left_out_messages))
    elif record.request is not None and record.request.truncated:
        yield from _text(tr("Left out"), tr("A part of the prompt did not fit the context"))
    energy = record.energy_j
    yield from _number(tr("Energy"), energy, energy_text)
    count = record.measured("completion_tokens")
    if energy is not None and count:
        yield from _number(tr("Energy a token"), energy / count, lambda joules: tr("{n} J", n=f"{joules:.3g}"))


def _way(record: FlightRecord) -> Iterator[Fact]:
    if record.request is not None or record.generation is not None:
        yield from _text(tr("Answer cache"), tr("from the cache") if record.cached else tr("written by the model"))
    flight = record.flight
    if flight is None:
        return
    yield from _text(tr("Why this model"), "\n".join(flight.route))
    failed = "\n".join(tr("{model}: {why}", model=model, why=why) for model, why in flight.fallbacks)
    yield from _text(tr("Failed before it"), failed or tr("nobody"))


def _sampling(record: FlightRecord) -> Iterator[Fact]:
    generation = record.generation
    if generation is None:
        return
    values: Sampling = generation.sampling
    numbers = {
        tr("Temperature"): values.temperature, "Top-k": values.top_k, "Top-p": values.top_p, "Min-p": values.min_p,
    }  # fmt: skip
    for name, text in sampling_lines(values, generation.seed):
        yield Fact(name, text, numbers.get(name), _plain if name in numbers else None)


def _plain(value: float) -> str:
    return f"{value:g}"


def _engine(record: FlightRecord) -> Iterator[Fact]:
    generation, flight = record.generation, record.flight
    if generation is not None:
        yield from _text(tr("Device"), generation.device)
        yield from _text(tr("Engine"), generation.engine_build)
        yield from _text(tr("Quantisation"), generation.quantisation)
    for name, value in flight.settings if flight is not None else ():
        yield from _text(name, value)
    digest = (record.request.model_hash if record.request else "") or (generation.model_hash if generation else "")
    yield from _text(tr("File (SHA-256)"), digest)
    yield Fact(tr("Id"), record.id, own=True)


def context_text(use: ContextUse, written: int) -> str:
    """ "312 of 1,024" tokens of the context when the answer had been written."""
    text = tr("{used} of {all}", used=number(use.prompt + written), all=number(use.length))
    return tr("about {text}", text=text) if use.estimated else text


def header_text(record: FlightRecord) -> str:
    """Who answered when, and how it ended, in one line."""
    if record.request is not None:
        ended = outcome_word(record.request)
    else:
        ended = reason_word(record.reason) if record.reason is not None else tr("not ended")
    when = exact_time(record.started_at) if record.started_at else DASH
    return f"{when} · {ended}"


# Two of them


def compared(left: FlightRecord, right: FlightRecord) -> tuple[tuple[str, tuple[Line, ...]], ...]:
    """The lines of both, by section, in the order of the first."""
    ours, theirs = sections_of(left), sections_of(right)
    titles = [section.title for section in ours]
    titles += [section.title for section in theirs if section.title not in titles]
    found = {
        side: {section.title: section.facts for section in sections} for side, sections in ((0, ours), (1, theirs))
    }
    return tuple((title, _lines(found[0].get(title, ()), found[1].get(title, ()))) for title in titles)


def _lines(left: Sequence[Fact], right: Sequence[Fact]) -> tuple[Line, ...]:
    ours, theirs = {fact.name: fact for fact in left}, {fact.name: fact for fact in right}
    names = [*ours, *(name for name in theirs if name not in ours)]
    return tuple(_line(name, ours.get(name), theirs.get(name)) for name in names)


def _line(name: str, left: Fact | None, right: Fact | None) -> Line:
    texts = (left.text if left else DASH, right.text if right else DASH)
    return Line(name, *texts, difference=_difference(left, right))


def _difference(left: Fact | None, right: Fact | None) -> str:
    """The second against the first."""
    if left is None or right is None:
        return tr("only one")
    if left.text == right.text or left.own:
        return ""
    if left.value is None or right.value is None or right.shown is None:
        return tr("differs")
    by = right.value - left.value
    sign = "+" if by > 0 else "−"
    text = f"{sign}{right.shown(abs(by))}"
    if left.value:
        text += f" ({sign}{number(100 * abs(by) / abs(left.value))} %)"
    return text


# Copied


def as_text(records: Sequence[FlightRecord]) -> str:
    """All of it, a line each."""
    if len(records) == 2:
        return _text_of_two(records[0], records[1])
    parts: list[str] = []
    for record in records:
        parts += [record.model, header_text(record), ""]
        for section in sections_of(record):
            parts += [f"{section.title}:", *(f"  {fact.name}: {_inline(fact.text)}" for fact in section.facts), ""]
    return "\n".join(parts).strip() + "\n"


def _text_of_two(left: FlightRecord, right: FlightRecord) -> str:
    parts = [f"1: {left.model} · {header_text(left)}", f"2: {right.model} · {header_text(right)}", ""]
    for title, lines in compared(left, right):
        parts.append(f"{title}:")
        for line in lines:
            difference = f"  [{line.difference}]" if line.difference else ""
            parts.append(f"  {line.name}: {_inline(line.left)} | {_inline(line.right)}{difference}")
        parts.append("")
    return "\n".join(parts).strip() + "\n"


def _inline(text: str) -> str:
    return "; ".join(text.splitlines())


def as_json(records: Sequence[FlightRecord]) -> str:
    """All that is stored, unrounded; one object for one record, a list for two."""
    made = [_object(record) for record in records]
    return json.dumps(made[0] if len(made) == 1 else made, ensure_ascii=False, indent=2, default=_value) + "\n"


def _object(record: FlightRecord) -> dict[str, Any]:
    gaps = gaps_of(record.flight)
    return {
        "id": record.id,
        "started_at": datetime.fromtimestamp(record.started_at, UTC),
        "request": asdict(record.request) if record.request else None,
        "flight": asdict(record.flight) if record.flight else None,
        "answer": asdict(record.generation) if record.generation else None,
        "token_ms": None if gaps is None else {"median": gaps.median_ms, "p95": gaps.p95_ms, "max": gaps.longest_ms},
        "devices": [
            {
                "source": name.source, "field": name.field, "step_s": series.step_s,
                "at": list(series.at), "mean": [value if value == value else None for value in series.mean],
            }
            for name, series in record.trace.items()
        ],
    }  # fmt: skip


def _value(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)
