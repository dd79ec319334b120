"""What the table of requests says, and which requests the person can ask for. No Qt."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.request_log import LOCAL, Purpose, RequestFilter, RequestOrder, RequestRecord
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.tabs.watch.figure_words import (
    DASH,
    count_text,
    energy_text,
    exact_time,
    ms_text,
    speed_text,
    when_text,
)

WHEN, MODEL, PURPOSE, OUTCOME, PROMPT, ANSWER, FIRST, SPEED, TOTAL, QUEUE, ENERGY, CACHED = range(12)
NUMBERS = (PROMPT, ANSWER, FIRST, SPEED, TOTAL, QUEUE, ENERGY)
ORDERS = {
    WHEN: RequestOrder.AT,
    MODEL: RequestOrder.MODEL,
    OUTCOME: RequestOrder.REASON,
    PROMPT: RequestOrder.PROMPT_TOKENS,
    ANSWER: RequestOrder.COMPLETION_TOKENS,
    FIRST: RequestOrder.FIRST_TOKEN,
    SPEED: RequestOrder.SPEED,
    TOTAL: RequestOrder.TOTAL,
    ENERGY: RequestOrder.ENERGY,
}
ANSWERED = (FinishReason.STOP, FinishReason.LENGTH)
STOPPED = (FinishReason.CANCELLED, FinishReason.INTERRUPTED)
PERIODS = {"hour": 3600.0, "day": 86_400.0, "week": 7 * 86_400.0, "month": 30 * 86_400.0}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the filter bar says. `model` is a name, `purpose` a `Purpose` or "all"; "" and "all" stand for any."""

    text: str = ""
    model: str = ""
    purpose: str = "all"
    outcome: str = "all"
    period: str = "all"

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out."""
        return self == Wanted()

    def filter(self, now: float) -> RequestFilter:
        """As the store reads it. Only what was asked before `now`: later ones are told as new."""
        reasons = {"answered": ANSWERED, "failed": (FinishReason.FAILED,), "stopped": STOPPED}
        span = PERIODS.get(self.period)
        return RequestFilter(
            start=None if span is None else now - span,
            end=now,
            model=self.model,
            purpose=None if self.purpose == "all" else Purpose(self.purpose),
            reasons=reasons.get(self.outcome, ()),
            cached=True if self.outcome == "cached" else None,
            text=self.text.strip(),
        )

    def fits(self, record: RequestRecord) -> bool:
        """Whether a request that has just ended belongs to it, as the store would find it."""
        wanted = self.filter(record.at)
        texts = (record.model_label, record.model, record.error)
        return (
            wanted.model in ("", record.model, record.model_label)
            and wanted.purpose in (None, record.purpose)
            and (not wanted.reasons or record.reason in wanted.reasons)
            and wanted.cached in (None, record.cached)
            and any(wanted.text.casefold() in text.casefold() for text in texts)
        )


def titles() -> tuple[str, ...]:
    """The heads of the columns, in their order."""
    return (
        tr("When"), tr("Model"), tr("For"), tr("Outcome"), tr("Prompt"), tr("Answer"), tr("First token"),
        tr("Tokens/s"), tr("Total"), tr("Queue"), tr("Energy"), tr("Cached"),
    )  # fmt: skip


def tips() -> dict[int, str]:
    """What the heads mean, where their word is not enough."""
    return {
        PURPOSE: tr("For what the model was asked"),
        PROMPT: tr("Tokens of the prompt"),
        ANSWER: tr("Tokens of the answer"),
        FIRST: tr("From asking to the first token, loading the model included"),
        SPEED: tr("How fast the answer was written after its first token"),
        TOTAL: tr("From asking to the end"),
        QUEUE: tr("How long it waited until anything was done for it"),
        ENERGY: tr("What all devices that tell it drew meanwhile"),
        CACHED: tr("yes: the whole answer was known already; part: a part of the prompt had been read before"),
    }


def purpose_word(purpose: Purpose) -> str:
    """For what a model was asked."""
    return {
        Purpose.CHAT: tr("Chat"),
        Purpose.COMPARE: tr("Comparison"),
        Purpose.RATE: tr("Duel"),
        Purpose.EVALUATE: tr("Evaluation"),
        Purpose.OTHER: tr("Other"),
    }[purpose]


def reason_word(reason: FinishReason) -> str:
    """How an answer ended."""
    return {
        FinishReason.STOP: tr("answered"),
        FinishReason.LENGTH: tr("cut at its limit"),
        FinishReason.CANCELLED: tr("stopped"),
        FinishReason.INTERRUPTED: tr("interrupted"),
        FinishReason.FAILED: tr("failed"),
    }[reason]


def outcome_word(record: RequestRecord) -> str:
    """How a request ended."""
    return tr("from the cache") if record.cached and record.reason in ANSWERED else reason_word(record.reason)


def outcome_words() -> list[str]:
    """All there are."""
    return [tr("from the cache"), *(reason_word(reason) for reason in FinishReason)]


def outcome_role(record: RequestRecord) -> str:
    """The token its word is written in; "" for the ordinary one."""
    return {FinishReason.FAILED: "bad_word", FinishReason.LENGTH: "warning_word"}.get(record.reason, "")


def cached_word(record: RequestRecord) -> str:
    """Whether the answer, or a part of the prompt, was known already."""
    if record.cached:
        return tr("yes")
    return tr("part") if record.reused_tokens else tr("no")


def model_text(record: RequestRecord) -> str:
    """What the model is called, in one line."""
    return " ".join((record.model_label or record.model).split()) or tr("Unknown model")


def cell_text(record: RequestRecord, column: int, today: date) -> str:
    """What stands in a cell."""
    if column == WHEN:
        return when_text(record.at, today)
    return _CELLS[column](record)


_CELLS: dict[int, Callable[[RequestRecord], str]] = {
    MODEL: model_text,
    PURPOSE: lambda record: purpose_word(record.purpose),
    OUTCOME: outcome_word,
    PROMPT: lambda record: count_text(record.prompt_tokens),
    ANSWER: lambda record: count_text(record.completion_tokens),
    FIRST: lambda record: ms_text(record.time_to_first_token_ms),
    SPEED: lambda record: speed_text(record.tokens_per_second),
    TOTAL: lambda record: ms_text(record.total_ms),
    QUEUE: lambda record: ms_text(record.queue_ms),
    ENERGY: lambda record: energy_text(record.energy_j),
    CACHED: cached_word,
}


def row_tip(record: RequestRecord) -> str:
    """What does not fit the row."""
    lines = [model_text(record), exact_time(record.at)]
    if record.backend != LOCAL:
        lines.append(tr("Server: {name}", name=record.backend))
    if record.load_ms >= 1:
        lines.append(tr("Loading the model took {time}", time=ms_text(record.load_ms)))
    if record.truncated:
        lines.append(tr("A part of the prompt did not fit the context"))
    if record.error:
        lines.append(short(record.error, 400))
    return "\n".join(lines)


def short(text: str, most: int) -> str:
    """One line of at most `most` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def requests_text(count: int) -> str:
    """ "1 request", "1,234 requests"."""
    return tr("1 request") if count == 1 else tr("{n} requests", n=number(count))


def answer_id(request_id: str) -> str:
    """The id of the answer a request belongs to: one that failed has a number behind it."""
    return request_id.split("/", 1)[0]


def new_text(count: int) -> str:
    """What the button says that shows them."""
    return tr("1 new") if count == 1 else tr("{n} new", n=number(count))


def as_text(records: Sequence[RequestRecord], today: date) -> str:
    """Rows with their heads, parted by tabs, as a spreadsheet takes them."""
    rows = [titles(), *(tuple(cell_text(item, column, today) for column in range(len(titles()))) for item in records)]
    return "\n".join("\t".join(row) for row in rows)


def summary(record: RequestRecord) -> str:
    """The line below the table: what the chosen row is, and what it failed of."""
    parts = [model_text(record), purpose_word(record.purpose), outcome_word(record)]
    if record.error:
        parts.append(short(record.error, 600))
    elif record.truncated:
        parts.append(tr("a part of the prompt did not fit the context"))
    return " · ".join(part for part in parts if part not in ("", DASH))
