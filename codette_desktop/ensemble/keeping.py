"""From what is kept of a comparison to answers that can be decided on, and to messages of a chat."""

import asyncio
import uuid
from dataclasses import replace

from codette_desktop.domain.answers import AnswerEnd, AnswerFigures, ContextUse, FinishReason
from codette_desktop.domain.comparisons import TOGETHER, OpenedComparison
from codette_desktop.domain.conversations import Node
from codette_desktop.domain.ensembles import MemberAnswer
from codette_desktop.domain.errors import CodetteError, InvalidRequest
from codette_desktop.domain.messages import Message, Role
from codette_desktop.inference.unsaved import finish_in_store
from codette_desktop.store import Store


def member_answers(opened: OpenedComparison) -> list[MemberAnswer]:
    """The answers by place, as they were given; how sure a member was is not kept."""
    return [_member_answer(opened, place, node) for place, node in enumerate(opened.answers)]


def answer_at(opened: OpenedComparison, place: int) -> Node:
    """The answer of the member at `place`, or the one of all. Raises InvalidRequest where there is none."""
    if place == TOGETHER:
        return _one_answer(opened)
    answer = opened.answers[place] if 0 <= place < len(opened.answers) else None
    if answer is None:
        raise InvalidRequest("This member has not answered.", "Ask it again first.")
    return answer


def _one_answer(opened: OpenedComparison) -> Node:
    outcome = opened.comparison.outcome
    if outcome is None:
        raise InvalidRequest("No answer was made of theirs.", "Choose a method and ask again.")
    said = opened.answers[outcome.winner] if outcome.winner is not None else None
    if said is not None and said.message.content == outcome.text:
        return said  # with how it came to be
    return replace(opened.question, message=Message(Role.ASSISTANT, outcome.text), generation=None)


async def say_in_chat(store: Store, conversation_id: str, parent_id: str | None, question: Node, answer: Node) -> None:
    """Add question and answer to a chat, the answer with how it came to be."""
    conversations = store.conversations
    asked = await asyncio.wrap_future(conversations.add_message(conversation_id, parent_id, question.message))
    generation = answer.generation
    if generation is None or generation.reason is None:
        await asyncio.wrap_future(conversations.add_message(conversation_id, asked.id, answer.message))
        return
    copy = replace(generation, id=uuid.uuid4().hex)
    await asyncio.wrap_future(store.generations.start(conversation_id, asked.id, copy))
    await finish_in_store(store, copy, answer.message.content)


def _member_answer(opened: OpenedComparison, place: int, node: Node | None) -> MemberAnswer:
    member = opened.comparison.setup.members[place]
    generation = node.generation if node else None
    if node is None or generation is None:
        return MemberAnswer(member, asked=False)
    end = AnswerEnd(
        generation.reason or FinishReason.INTERRUPTED,
        generation.figures or AnswerFigures(0, 0, 0.0, 0.0, 0.0),
        generation.use or ContextUse(0, 0, 0, 0),
        generation.seed or 0,
        generation.model,
        generation.model_label,
        generation.model_hash,
        generation.engine_build,
        generation.device,
        generation.note,
    )
    return MemberAnswer(member, node.message.content, end, CodetteError(generation.error) if generation.error else None)
