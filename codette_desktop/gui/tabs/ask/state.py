"""What the Ask tab shows: the state its presenter keeps and its view draws. No Qt."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from codette_desktop.domain.answers import AnswerPart, ContextUse, PromptRead, TextChunk
from codette_desktop.domain.conversations import Conversation, Node
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.requests import Sampling
from codette_desktop.inference.dispatch import Plan


@dataclass(eq=False)
class LiveAnswer:
    """An answer being written. `text` is what has come so far; `use` is known once the prompt has been read.

    `notice` is what must be told above it: that another model has failed.
    """

    conversation_id: str
    speaker: str
    parent_id: str | None = None
    notice: str = ""
    use: ContextUse | None = None
    tokens: int = 0
    started: float = field(default_factory=time.perf_counter)
    chunks: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All of it so far."""
        return "".join(self.chunks)

    def take(self, part: AnswerPart) -> str:
        """Note a part; gives the text that is new."""
        match part:
            case PromptRead(use=use):
                self.use = use
            case TextChunk(text=text, tokens=tokens):
                self.chunks.append(text)
                self.tokens += tokens
                return text
            case _:
                pass
        return ""


@dataclass(frozen=True, slots=True)
class ChatState:
    """One conversation on view. Its `id` is "" until something in it is worth keeping."""

    conversation: Conversation
    nodes: tuple[Node, ...] = ()
    live: LiveAnswer | None = None
    queued: tuple[str, ...] = ()
    error: CodetteError | None = None


class AskView(Protocol):
    """What the presenter asks of the screen."""

    def show_state(self, state: ChatState) -> None:
        """Draw the conversation: what is drawn already stays where it is."""
        ...

    def answer_grew(self, text: str) -> None:
        """More of the live answer on view has come."""
        ...

    def put_draft(self, text: str) -> None:
        """Replace what stands in the composer."""
        ...

    def list_changed(self) -> None:
        """Conversations came, went, or were renamed; or one began or ended answering."""
        ...

    def show_context(self, use: ContextUse | None, error: CodetteError | None = None) -> None:
        """How full the context would be; None when that is not known."""
        ...

    def show_plan(self, plan: Plan | None) -> None:
        """Whom "auto" would ask; None where the person has chosen a model."""
        ...

    def show_error(self, error: CodetteError) -> None:
        """Something that has no place of its own on the screen failed."""
        ...


def blank_conversation(model: str = "", system_prompt: str = "", sampling: Sampling | None = None) -> Conversation:
    """A new chat that is not kept yet."""
    now = datetime.now(UTC)
    return Conversation("", "", now, now, model=model, system_prompt=system_prompt, sampling=sampling or Sampling())


def up_to(nodes: list[Node], node_id: str | None) -> list[Node]:
    """The branch down to a node, that one included; [] for None."""
    if node_id is None:
        return []
    for index, node in enumerate(nodes):
        if node.id == node_id:
            return nodes[: index + 1]
    return nodes


def last_of(nodes: Sequence[Node], wanted: Callable[[Node], bool]) -> Node | None:
    """The newest node for which `wanted` holds."""
    return next((node for node in reversed(nodes) if wanted(node)), None)
