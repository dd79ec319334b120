"""What the Compare tab shows: the state its presenter keeps and its view draws. No Qt."""

from dataclasses import dataclass, field
from typing import Protocol

from codette_desktop.domain.answers import AnswerEnd, AnswerPart, TextChunk
from codette_desktop.domain.closed_answers import AnswerKind
from codette_desktop.domain.comparisons import Origin
from codette_desktop.domain.conversations import Node
from codette_desktop.domain.ensembles import Member, Method, Outcome
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.joint import JointToken


@dataclass(frozen=True, slots=True)
class Setup:
    """Whom the next prompt goes to, as the person chose it. `specs` are members as one types them."""

    specs: tuple[str, ...] = ()
    method: Method = Method.NONE
    kind: AnswerKind | None = None
    judge: str = ""


@dataclass(eq=False)
class ColumnState:
    """One member's answer on view. `waits` says why it has not begun, `node` is the answer as it is kept.

    `former` is what it said before it was asked again, `joint` what part
    it has in an answer that all write together. `memory_bytes` is what its model takes, weights and KV cache, 0
    while it is not in memory here.
    """

    member: Member
    running: bool = False
    waits: str = ""
    chunks: list[str] = field(default_factory=list[str])
    end: AnswerEnd | None = None
    node: Node | None = None
    error: CodetteError | None = None
    asked: bool = True
    memory_bytes: int = 0
    former: Node | None = None
    joint: str = ""

    def take(self, part: AnswerPart) -> str:
        """Note a part; gives the text that is new."""
        if isinstance(part, TextChunk):
            self.chunks.append(part.text)
            return part.text
        if isinstance(part, AnswerEnd):
            self.end, self.running = part, False
        return ""

    @property
    def text(self) -> str:
        """All of it so far."""
        return self.node.message.content if self.node is not None else "".join(self.chunks)


@dataclass(eq=False)
class CompareState:
    """One comparison on view. Its `id` is "" until it is kept; without columns there is none."""

    prompt: str = ""
    id: str = ""
    columns: list[ColumnState] = field(default_factory=list[ColumnState])
    method: Method = Method.NONE
    outcome: Outcome | None = None
    joint: list[JointToken] = field(default_factory=list[JointToken])
    together: list[str] = field(default_factory=list[str])
    working: list[str] = field(default_factory=list[str])
    chosen: int | None = None
    origin: Origin | None = None
    error: CodetteError | None = None
    running: bool = False


class CompareView(Protocol):
    """What the presenter asks of the screen."""

    def show_state(self, state: CompareState) -> None:
        """Draw a comparison: what is drawn already stays where it is."""
        ...

    def column_grew(self, place: int, text: str) -> None:
        """More of one answer has come."""
        ...

    def column_changed(self, place: int) -> None:
        """A member began, waits, ended, or failed."""
        ...

    def together_grew(self, text: str) -> None:
        """More of the one answer has come."""
        ...

    def together_changed(self) -> None:
        """What the ensemble does, or what came of it."""
        ...

    def show_setup(self, setup: Setup) -> None:
        """Whom the next prompt goes to."""
        ...

    def list_changed(self) -> None:
        """Comparisons or batches came, went, or changed."""
        ...

    def show_error(self, error: CodetteError) -> None:
        """Something that has no place of its own on the screen failed."""
        ...
