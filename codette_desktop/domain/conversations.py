"""Conversations: trees of messages, their answers, and how they are listed."""

from dataclasses import dataclass, field
from datetime import datetime

from codette_desktop.domain.answers import AnswerFigures, ContextUse, FinishReason
from codette_desktop.domain.messages import Message
from codette_desktop.domain.requests import Sampling


@dataclass(frozen=True, slots=True)
class Generation:
    """How one answer came to be: everything needed to tell, and to produce it again.

    `reason` is None while it is being written. `figures` and `use` are None until they are known. `note` is what else
    must be told with the answer (see `AnswerEnd`).
    """

    id: str
    model: str
    model_label: str
    model_hash: str
    quantisation: str
    sampling: Sampling
    seed: int | None
    engine_build: str
    device: str
    started_at: datetime
    reason: FinishReason | None = None
    figures: AnswerFigures | None = None
    use: ContextUse | None = None
    error: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """One message at its place in a conversation's tree. Editing and regenerating add siblings; nothing is overwritten.

    `parent_id` is None for a first message. `sibling_ids` are all nodes with the same parent in order of creation,
    this one among them (so "2/3" is its index + 1 and their count). `generation` is set for answers of a model.
    """

    id: str
    conversation_id: str
    parent_id: str | None
    message: Message
    created_at: datetime
    sibling_ids: tuple[str, ...] = ()
    generation: Generation | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation without its messages.

    `leaf_id` is the last node of the branch on view; `draft` is the text not yet sent. `model` is "" for the default.
    """

    id: str
    title: str
    created_at: datetime
    updated_at: datetime
    leaf_id: str | None = None
    draft: str = ""
    system_prompt: str = ""
    model: str = ""
    sampling: Sampling = field(default_factory=Sampling)


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A conversation found by its title or a message. `snippet` marks the found words with U+0002 and U+0003."""

    conversation: Conversation
    snippet: str
    node_id: str | None = None


@dataclass(frozen=True, slots=True)
class Preset:
    """A named choice of sampling parameters and, optionally, a system prompt. Built-in ones cannot be changed."""

    name: str
    sampling: Sampling
    system_prompt: str = ""
    built_in: bool = False


BUILT_IN_PRESETS: tuple[Preset, ...] = (
    Preset("Balanced", Sampling(), built_in=True),
    Preset("Precise", Sampling(temperature=0.0), built_in=True),
    Preset("Creative", Sampling(temperature=1.0, top_k=100, top_p=0.98, min_p=0.02), built_in=True),
)
