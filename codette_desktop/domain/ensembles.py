"""Ensembles: several members answer one question, and a method makes one answer of theirs, with its working."""

from dataclasses import dataclass, field
from enum import StrEnum

from codette_desktop.domain.answers import AnswerEnd, AnswerPart, FinishReason
from codette_desktop.domain.closed_answers import AnswerKind
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.joint import JointToken
from codette_desktop.domain.messages import Message
from codette_desktop.domain.request_log import Purpose
from codette_desktop.domain.requests import Sampling


class Method(StrEnum):
    """How one answer is made of several."""

    NONE = "none"  # the members answer side by side, and that is all
    VOTE = "vote"  # closed answers: the most frequent one
    WEIGHTED = "weighted"  # closed answers by reliability and confidence; open ones by these and how much they agree
    CONSENSUS = "consensus"  # the answer most like all others (minimum Bayes risk), or a synthesis by a judge
    HYBRID = "hybrid"  # asks as few members as it takes, then chooses among the above
    TOKEN = "token"  # noqa: S105 - the members write one answer together, token by token


@dataclass(frozen=True, slots=True)
class Member:
    """Who answers: a model, who it is asked to be, and with which parameters.

    `model` is what one asks a model by ("guide-s", "guide-s+tone@0.5", "workshop/qwen3"); `role` the name of a persona
    or "" and `system` the whole system prompt it is asked with. `spec` is what a person types for the member
    ("MODEL#ROLE?temperature=1&seed=7"), `label` what is read; both are unique among the members of one question.
    """

    spec: str
    label: str
    model: str
    role: str = ""
    system: str = ""
    sampling: Sampling = field(default_factory=Sampling)


@dataclass(frozen=True, slots=True)
class EnsembleRequest:
    """One question to several members. `messages` without a system message: each member has its own.

    `kind` says what sort of answer the question has (None: it is read from the question and the answers), `options` a
    choice's options, A first. `judge` is the model that may write a synthesis ("": nobody may). `budget_s` bounds the
    time HYBRID spends. `fresh` as in `ChatRequest`. `weights`, summing to 1, say how much each counts in TOKEN; () has
    it follow from how often each was right before. `purpose` is for the log of requests.
    """

    messages: tuple[Message, ...]
    members: tuple[Member, ...]
    method: Method = Method.NONE
    kind: AnswerKind | None = None
    options: tuple[str, ...] = ()
    judge: str = ""
    budget_s: float = 120.0
    fresh: bool = False
    weights: tuple[float, ...] = ()
    purpose: Purpose = Purpose.COMPARE


@dataclass(frozen=True, slots=True)
class MemberAnswer:
    """What a member said. `error` is set where it failed, stalled or was dropped; `text` is then what it had said.

    `asked` is False for a member that HYBRID did not need.
    """

    member: Member
    text: str = ""
    end: AnswerEnd | None = None
    error: CodetteError | None = None
    asked: bool = True

    @property
    def usable(self) -> bool:
        """Whether it takes part in what is decided: whole answers, and those cut at their longest length."""
        reason = self.end.reason if self.end else None
        return self.error is None and reason in (FinishReason.STOP, FinishReason.LENGTH) and bool(self.text.strip())


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the answers given, in canonical form: by which members (their places), with how much weight (0 to 1)."""

    answer: str
    members: tuple[int, ...]
    weight: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an ensemble, with its working.

    `method` was asked for, `used` is what decided. `text` is the answer; `winner` the place of the member that wrote
    it, None where it was synthesised by `judge` or written together (`tokens`). `agreement` and `quality` run from 0
    to 1: how alike the members' answers are, and how far the consensus can be relied on. `tally` is ordered by weight.
    `weights` has one a member, summing to 1 (0 for who took no part). `likeness` is the matrix of how alike two
    members' answers are, () where it was not needed. `reasons` say in words what was done and why. `disagree`: the
    members disagree, and `alternatives` are the places of those who say otherwise.
    """

    method: Method
    used: Method
    text: str
    winner: int | None
    agreement: float
    quality: float
    tally: tuple[Choice, ...] = ()
    weights: tuple[float, ...] = ()
    likeness: tuple[tuple[float, ...], ...] = ()
    reasons: tuple[str, ...] = ()
    disagree: bool = False
    alternatives: tuple[int, ...] = ()
    judge: str = ""
    tokens: tuple[JointToken, ...] = ()
    kind: AnswerKind | None = None
    seconds: float = 0.0

    @property
    def synthesised(self) -> bool:
        """Whether a model wrote it from the members' answers, so that none of them said it."""
        return bool(self.judge)


@dataclass(frozen=True, slots=True)
class MemberWaits:
    """Streamed: the member at `place` answers in its turn, not together with the others; `why` in words."""

    place: int
    why: str


@dataclass(frozen=True, slots=True)
class MemberBegins:
    """Streamed: the member at `place` is being asked; `id` is what its answer is known by."""

    place: int
    id: str


@dataclass(frozen=True, slots=True)
class MemberPart:
    """Streamed: a part of the answer of the member at `place`."""

    place: int
    part: AnswerPart


@dataclass(frozen=True, slots=True)
class MemberDropped:
    """Streamed: the member at `place` failed, stalled or was stopped; the others go on."""

    place: int
    error: CodetteError


@dataclass(frozen=True, slots=True)
class Working:
    """Streamed: what the method is doing now, in words."""

    text: str


@dataclass(frozen=True, slots=True)
class TogetherText:
    """Streamed: a piece of the one answer that a judge is writing."""

    text: str


EnsemblePart = MemberWaits | MemberBegins | MemberPart | MemberDropped | Working | TogetherText | JointToken | Outcome
