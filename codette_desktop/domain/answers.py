"""Answers: the parts a provider streams, and what is known when it has finished."""

from dataclasses import dataclass, field
from enum import StrEnum

from codette_desktop.domain.errors import CodetteError

SERVER_CUT = "it left out part of the conversation without saying so"  # in the note of an answer to half a prompt


class FinishReason(StrEnum):
    """Why an answer ended."""

    STOP = "stop"  # the model ended it, or a stop string was reached
    LENGTH = "length"  # max_tokens or the context was used up
    CANCELLED = "cancelled"  # the person stopped it
    INTERRUPTED = "interrupted"  # the application or the machine went down
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ContextUse:
    """The context window by part, in tokens, for one request.

    `left_out_messages` counts the oldest messages of the history that did not fit and were not sent. Nothing is ever
    left out without being counted here. `estimated`: the server that holds the model counts tokens only by answering,
    so these were reckoned from the lengths of the texts.
    """

    length: int
    system: int
    history: int
    question: int
    left_out_messages: int = 0
    estimated: bool = False

    @property
    def prompt(self) -> int:
        """All tokens sent to the model."""
        return self.system + self.history + self.question

    @property
    def room(self) -> int:
        """Tokens left for the answer."""
        return max(0, self.length - self.prompt)


@dataclass(frozen=True, slots=True)
class PromptRead:
    """Streamed first: how the prompt fills the context, and how much of it was already in the cache (tokens).

    With it comes what is needed to produce the answer again, so that a stopped one keeps it too: see `AnswerEnd`.
    `at_s` is when reading began, by `time.perf_counter`, None where whoever answers does not tell.
    """

    use: ContextUse
    reused_tokens: int = 0
    seed: int | None = None
    model_hash: str = ""
    engine_build: str = ""
    device: str = ""
    at_s: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class SwitchedModel:
    """Streamed when a model failed and the next candidate begins: what was written so far is withdrawn.

    What follows is the whole answer of `model`, from its `PromptRead` on. `failed` and `model` are names.
    """

    failed: str
    error: CodetteError
    model: str


@dataclass(frozen=True, slots=True)
class TextChunk:
    """A piece of the answer: always whole Unicode characters, `tokens` tokens long (0 for a flushed remainder).

    `times_s` are when each of its tokens was chosen, by `time.perf_counter`; () where whoever answers does not tell.
    """

    text: str
    tokens: int = 1
    times_s: tuple[float, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class AnswerFigures:
    """What was measured of one answer.

    `time_to_first_token_ms` runs from the request's start to the first sampled token, including a model load that had
    to come first (`load_ms`, 0 when it was loaded). `tokens_per_second` is the decoding speed after the first token,
    0.0 for answers of fewer than two tokens and for `cached` ones, whose times are those of this delivery;
    `first_written_s` is then when the model wrote them (seconds since 1970, UTC).
    """

    prompt_tokens: int
    completion_tokens: int
    time_to_first_token_ms: float
    tokens_per_second: float
    total_ms: float
    load_ms: float = 0.0
    reused_tokens: int = 0
    cached: bool = False
    first_written_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Confidence:
    """How probable a model found its own answer, independent of its tokenizer.

    `bits_per_byte` is minus the sum of the log2 probabilities of the answer's tokens (its end token too), over the
    bytes of its UTF-8 text; `weakest` is the lowest mean natural log probability of any 32 tokens in a row (of all
    where there are fewer). Probabilities are those of the model itself (temperature 1, nothing filtered).
    """

    bits_per_byte: float
    weakest: float
    tokens: int


@dataclass(frozen=True, slots=True)
class AnswerEnd:
    """Streamed last: the figures, why it ended, and what was needed to produce it again.

    `note` is what else the person must know of this answer: that a server cut the prompt, for one; "" as a rule.
    `confidence` is there where the request asked for it (`scored`) and whoever answered can tell.
    """

    reason: FinishReason
    figures: AnswerFigures
    use: ContextUse
    seed: int
    model: str
    model_label: str
    model_hash: str
    engine_build: str
    device: str = "CPU"
    note: str = ""
    confidence: Confidence | None = None


AnswerPart = PromptRead | TextChunk | SwitchedModel | AnswerEnd
