"""What is known of a question before it is sent: how it would fill the context, and whom "auto" would ask. No Qt."""

from dataclasses import dataclass, replace

from codette_desktop.domain.answers import ContextUse
from codette_desktop.domain.conversations import Conversation
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.models import AUTO
from codette_desktop.inference.chat import ChatService
from codette_desktop.inference.dispatch import Plan

_STAND_IN = "?"


@dataclass(frozen=True, slots=True)
class Measured:
    """`use` is None where `error` says why it is not known; `plan` is for "auto" alone, while something is typed."""

    use: ContextUse | None = None
    plan: Plan | None = None
    error: CodetteError | None = None


async def measure(chat: ChatService, conversation: Conversation, draft: str) -> Measured:
    """While nothing is typed the rest is measured, with a stand-in for the question. Nothing is sent to a model."""
    typed = draft if draft.strip() else ""
    plan: Plan | None = None
    try:
        if typed and conversation.model == AUTO:
            plan = await chat.preview(conversation, typed)
        use = await chat.measure(conversation, typed or _STAND_IN)
    except CodetteError as error:
        return Measured(plan=plan, error=error)
    return Measured(use if typed else replace(use, question=0), plan)
