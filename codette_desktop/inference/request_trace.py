"""One request on its way: what is noted of it, part by part, until it is a row of the log and a flight record."""

import time
import uuid
from array import array
from dataclasses import dataclass, field, replace

from codette_desktop.domain.answers import (
    SERVER_CUT,
    AnswerEnd,
    AnswerPart,
    ContextUse,
    FinishReason,
    PromptRead,
    SwitchedModel,
    TextChunk,
)
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.request_log import LOCAL, RequestRecord
from codette_desktop.domain.requests import ChatRequest
from codette_desktop.domain.telemetry import Flight


@dataclass(frozen=True, slots=True)
class Asked:
    """Who a name stands for: what is known of a model before it has answered."""

    label: str
    model_hash: str = ""
    backend: str = LOCAL


@dataclass(slots=True)
class _Attempt:
    """One model's try. Times in seconds since the request was made."""

    model: str
    began: float
    ended: float = 0.0
    read_at: float | None = None
    prompt: PromptRead | None = None
    times_s: "array[float]" = field(default_factory=lambda: array("d"))
    counts: "array[int]" = field(default_factory=lambda: array("I"))
    exact: bool = False  # the engine told when it chose the first token
    end: AnswerEnd | None = None
    error: BaseException | None = None


class RequestTrace:
    """Follows one request. `take` is called for each token: no more than needed happens there."""

    def __init__(self, request: ChatRequest) -> None:
        self.id = request.origin.id or uuid.uuid4().hex
        self._request = request
        self._at = time.time()
        self._started = time.perf_counter()
        self._ended_s = 0.0
        self._reason: FinishReason | None = None
        self._failed: list[_Attempt] = []
        self._now = _Attempt(request.model, 0.0)

    @property
    def model(self) -> str:
        """Who answers now, as it was asked for."""
        return self._now.model

    def take(self, part: AnswerPart) -> AnswerPart:
        """Note a part of the answer, and give it as it is to go on: its end with times since it was asked."""
        now = time.perf_counter() - self._started
        attempt = self._now
        if isinstance(part, TextChunk):
            self._take_text(part, now)
        elif isinstance(part, PromptRead):
            told = now if part.at_s is None else part.at_s - self._started
            attempt.prompt, attempt.read_at = part, min(now, max(attempt.began, told))
        elif isinstance(part, AnswerEnd):
            part = attempt.end = _since_asked(part, attempt, now)
        else:
            self._switch(part, now)
        return part

    def finish(self, reason: FinishReason, error: BaseException | None = None) -> None:
        """It is over; the first call counts, and `reason` where the model has not ended the answer itself.

        What whoever reads the answer does after its end is no part of its time.
        """
        if self._reason is not None:
            return
        self._ended_s = time.perf_counter() - self._started
        self._reason = self._now.end.reason if self._now.end else reason
        self._now.error, self._now.ended = error, self._ended_s

    def names(self) -> tuple[str, ...]:
        """All that were asked."""
        return (*(attempt.model for attempt in self._failed), self._now.model)

    def records(self, known: dict[str, Asked]) -> list[RequestRecord]:
        """A row for each model that was asked; the last is the one that answered, or failed last."""
        rows = [
            self._record(attempt, f"{self.id}/{number}", FinishReason.FAILED, known)
            for number, attempt in enumerate(self._failed, 1)
        ]
        return [*rows, self._record(self._now, self.id, self._reason or FinishReason.FAILED, known)]

    def flight(self, record: RequestRecord, settings: tuple[tuple[str, str], ...]) -> Flight:
        """The record of the answer's time."""
        attempt = self._now
        return Flight(
            generation_id=self.id,
            started_at=self._at,
            token_times_ms=tuple(1000 * at for at in attempt.times_s),
            token_counts=tuple(attempt.counts),
            queue_ms=record.queue_ms,
            prefill_ms=record.prefill_ms,
            route=self._request.origin.reasons,
            fallbacks=tuple((one.model, _words(one.error)) for one in self._failed),
            settings=settings,
        )

    def _take_text(self, part: TextChunk, now: float) -> None:
        """Each token when the engine chose it, which is earlier than it comes; or all of a piece when it comes."""
        times, counts = self._now.times_s, self._now.counts
        if len(part.times_s) == part.tokens:
            if part.tokens and not times:
                self._now.exact = True
            times.extend(at - self._started for at in part.times_s)
            counts.extend([1] * part.tokens)
        elif part.tokens:
            times.append(now)
            counts.append(part.tokens)

    def _switch(self, part: SwitchedModel, now: float) -> None:
        self._now.error, self._now.ended = part.error, now
        self._failed.append(self._now)
        self._now = _Attempt(part.model, now)

    def _record(
        self, attempt: _Attempt, record_id: str, reason: FinishReason, known: dict[str, Asked]
    ) -> RequestRecord:
        end = attempt.end
        asked = known.get(attempt.model, Asked(attempt.model))
        failed = attempt.error is not None
        times = _times(attempt, asked.backend == LOCAL)
        use = end.use if end else attempt.prompt.use if attempt.prompt else None
        figures = end.figures if end else None
        return RequestRecord(
            id=record_id,
            at=self._at + attempt.began,
            model=end.model if end else attempt.model,
            model_label=end.model_label if end else asked.label,
            model_hash=(end.model_hash if end else attempt.prompt.model_hash if attempt.prompt else "")
            or asked.model_hash,
            backend=asked.backend,
            purpose=self._request.origin.purpose,
            reason=reason,
            error_type=type(attempt.error).__name__ if failed else "",
            error=_words(attempt.error),
            prompt_tokens=use.prompt if use else None,
            completion_tokens=figures.completion_tokens if figures else sum(attempt.counts),
            time_to_first_token_ms=times.first_ms,
            tokens_per_second=times.speed,
            total_ms=1000 * max(0.0, attempt.ended - attempt.began),
            load_ms=figures.load_ms if figures else 0.0,
            queue_ms=times.queue_ms,
            prefill_ms=times.prefill_ms,
            reused_tokens=figures.reused_tokens if figures else 0,
            cached=bool(figures and figures.cached),
            truncated=_truncated(use, end),
        )


@dataclass(frozen=True, slots=True)
class _Times:
    first_ms: float | None
    speed: float | None
    queue_ms: float | None
    prefill_ms: float | None


def _since_asked(end: AnswerEnd, attempt: _Attempt, now: float) -> AnswerEnd:
    """The engine's clock starts when the request reaches it, which in a busy window is later than the question. The
    person waited from there, and only so do waiting, loading and reading add up to the first token."""
    if end.figures.cached or not attempt.exact:
        return end
    first_ms, total_ms = 1000 * (attempt.times_s[0] - attempt.began), 1000 * (now - attempt.began)
    return replace(end, figures=replace(end.figures, time_to_first_token_ms=first_ms, total_ms=total_ms))


def _times(attempt: _Attempt, local: bool) -> _Times:
    """The provider's own figures where it gave them, else ours. Only our own engine says when a prompt's turn comes."""
    figures = attempt.end.figures if attempt.end else None
    first = figures.time_to_first_token_ms if figures else None
    if first is None and attempt.times_s:
        first = 1000 * (attempt.times_s[0] - attempt.began)
    speed = figures.tokens_per_second if figures else _own_speed(attempt)
    queue = prefill = None
    if local and attempt.read_at is not None and not (figures and figures.cached):
        queue = max(0.0, 1000 * (attempt.read_at - attempt.began) - (figures.load_ms if figures else 0.0))
        prefill = 1000 * (attempt.times_s[0] - attempt.read_at) if attempt.times_s else None
    return _Times(first or None, speed or None, queue, prefill)


def _own_speed(attempt: _Attempt) -> float | None:
    if len(attempt.times_s) < 2:
        return None
    span = attempt.times_s[-1] - attempt.times_s[0]
    return (sum(attempt.counts) - attempt.counts[0]) / span if span > 0 else None


def _words(error: BaseException | None) -> str:
    if error is None:
        return ""
    return error.message if isinstance(error, CodetteError) else "A defect of the application."


def _truncated(use: ContextUse | None, end: AnswerEnd | None) -> bool:
    """A part of the history was left out, or the server said that it cut the prompt."""
    return bool(use and use.left_out_messages) or bool(end and SERVER_CUT in end.note)
