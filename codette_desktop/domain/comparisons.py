"""Comparisons: what one prompt brought from several members, as it is kept; and batches of them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from codette_desktop.domain.closed_answers import AnswerKind
from codette_desktop.domain.conversations import Node
from codette_desktop.domain.ensembles import Member, Method, Outcome


@dataclass(frozen=True, slots=True)
class Origin:
    """The place in a chat that a comparison was begun from: the last message before its question."""

    conversation_id: str
    leaf_id: str | None


TOGETHER = -1  # the place of the one answer that is made of the members'


@dataclass(frozen=True, slots=True)
class ComparisonSetup:
    """Whom to ask, and how to make one answer of theirs. See `EnsembleRequest`."""

    members: tuple[Member, ...]
    method: Method = Method.NONE
    kind: AnswerKind | None = None
    judge: str = ""
    budget_s: float = 120.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """One prompt to several members, without the answers. Its id is that of the conversation that holds them.

    `prompt` is its beginning, on one line (at most 200 characters); the whole is the question of the opened one.
    `chosen` is the place of the answer that the person took ("use this"; `TOGETHER`), None before that. `batch_id` is
    "" for one asked alone.
    """

    id: str
    prompt: str
    setup: ComparisonSetup
    created_at: datetime
    outcome: Outcome | None = None
    chosen: int | None = None
    origin: Origin | None = None
    batch_id: str = ""


@dataclass(frozen=True, slots=True)
class OpenedComparison:
    """A comparison with its question and, by place, the newest answer of each member (None: it has none yet)."""

    comparison: Comparison
    question: Node
    answers: tuple[Node | None, ...]


class BatchState(StrEnum):
    """What a batch is doing."""

    RUNNING = "running"
    PAUSED = "paused"  # by the person, or because the application ended
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Batch:
    """Many prompts to the same members, asked one after the other without anybody watching.

    `done` counts prompts all of whose members answered or failed, `failed` those of them where some member failed.
    `seconds` is the time spent so far.
    """

    id: str
    name: str
    setup: ComparisonSetup
    created_at: datetime
    state: BatchState
    prompts: int
    done: int = 0
    failed: int = 0
    seconds: float = 0.0

    @property
    def remaining_s(self) -> float | None:
        """Seconds left at the mean speed so far; None before the first prompt is done."""
        return self.seconds / self.done * (self.prompts - self.done) if self.done else None
