"""The log of all requests: one row for each time a model was asked, whoever asked, with what was measured of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from codette_desktop.domain.answers import FinishReason

LOCAL = "local"  # the backend that is this application's own engine


class Purpose(StrEnum):
    """For what a model was asked."""

    CHAT = "chat"
    COMPARE = "compare"  # members of comparisons, batches and ensembles
    RATE = "rate"
    EVALUATE = "evaluate"
    OTHER = ""


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request to one model, ended. None is "not known".

    `id` is that of the answer (`Generation.id`) where it is kept, else one of its own; a model that failed and for
    which another stood in has a row of its own, with `id` "<id of the answer>/<number>". `at` is when it was asked, in
    seconds since 1970 (UTC). `model` is the name, `model_hash` that of its file. `backend` is "local" or the server's
    name. `error` is what it failed of, in words; `error_type` the class of the error. Times are milliseconds since it
    was asked, as in `AnswerFigures`: `queue_ms` until anything was done for it (loading apart), `prefill_ms` reading
    the prompt. `truncated`: a part of the prompt was left out, or the server cut it. `energy_j` is what all devices
    that tell it drew meanwhile.
    """

    id: str
    at: float
    model: str
    model_label: str
    model_hash: str = ""
    backend: str = LOCAL
    purpose: Purpose = Purpose.OTHER
    reason: FinishReason = FinishReason.STOP
    error_type: str = ""
    error: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int = 0
    time_to_first_token_ms: float | None = None
    tokens_per_second: float | None = None
    total_ms: float = 0.0
    load_ms: float = 0.0
    queue_ms: float | None = None
    prefill_ms: float | None = None
    reused_tokens: int = 0
    cached: bool = False
    truncated: bool = False
    energy_j: float | None = None


class MeasuredRequest(NamedTuple):
    """What figures are made of: some of the fields of a `RequestRecord`."""

    at: float
    model_label: str
    reason: FinishReason
    error_type: str
    cached: bool
    completion_tokens: int
    time_to_first_token_ms: float | None
    tokens_per_second: float | None
    total_ms: float
    load_ms: float
    energy_j: float | None


class RequestOrder(StrEnum):
    """By what the table of requests can be sorted: columns of its rows."""

    AT = "at"
    MODEL = "model_label"
    REASON = "reason"
    PROMPT_TOKENS = "prompt_tokens"
    COMPLETION_TOKENS = "completion_tokens"
    FIRST_TOKEN = "time_to_first_token_ms"  # noqa: S105 - a token of text
    SPEED = "tokens_per_second"
    TOTAL = "total_ms"
    ENERGY = "energy_j"


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """Which requests: all that meet every condition given. `start` and `end` in seconds since 1970, `end` left out.

    `text` is looked for in the model's label and name and in the error, whatever its case.
    """

    start: float | None = None
    end: float | None = None
    model: str = ""
    backend: str = ""
    purpose: Purpose | None = None
    reasons: tuple[FinishReason, ...] = ()
    cached: bool | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class RequestPlace:
    """Where the answer of a request is kept; None for all but `generation_id` where it was asked elsewhere.

    `kind` is "chat" or "comparison"; `node_id` is the answer's own.
    """

    generation_id: str
    conversation_id: str | None = None
    node_id: str | None = None
    kind: str = ""


@dataclass(frozen=True, slots=True)
class ModelTotals:
    """What the requests to one model add up to; None is "not measured".

    `model` and `model_label` as in `RequestRecord`. `requests` counts all of them; `errors` failed, `cancelled` were
    stopped or interrupted, `cached` were answered from the cache. The median and 95th percentile of the first token
    and the median speed leave out answers from the cache, failed ones and those that had to load the model first; the
    median total leaves out failed ones and those from the cache, and the median load all that loaded nothing.
    """

    model: str
    model_label: str
    requests: int = 0
    errors: int = 0
    cancelled: int = 0
    cached: int = 0
    truncated: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    first_token_ms: float | None = None
    first_token_p95_ms: float | None = None
    tokens_per_second: float | None = None
    total_ms: float | None = None
    load_ms: float | None = None
    energy_j: float | None = None
