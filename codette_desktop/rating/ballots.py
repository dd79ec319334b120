"""From answers to votes: what is kept of each side, whoever gave the answer and wherever it was judged."""

import uuid
from dataclasses import asdict, replace
from datetime import UTC, datetime

from codette_desktop.domain.conversations import Node
from codette_desktop.domain.duels import Duel
from codette_desktop.domain.thinking import split
from codette_desktop.domain.votes import Contestant, Exclusion, GivenAnswer, Preference, Source, Vote
from codette_desktop.rating.contestants import key_of
from codette_desktop.rating.style import style_of

REASONS = ("correct", "clear", "complete", "brief", "follows", "tone")  # tags a person may give a vote


def vote_on_duel(
    duel: Duel,
    preference: Preference,
    *,
    tags: tuple[str, ...] = (),
    correction: str = "",
    seconds: float | None = None,
    source: Source = Source.DUEL,
) -> Vote:
    """The vote of a person who has read both answers."""
    return Vote(
        id=uuid.uuid4().hex,
        cast_at=datetime.now(UTC),
        source=source,
        preference=preference,
        left=given(duel.left, duel.left_answer),
        right=given(duel.right, duel.right_answer),
        exclusion=Exclusion.SEEN if duel.names_seen else Exclusion.NAMED if duel.leaks else Exclusion.NONE,
        experiment_id=duel.experiment_id,
        duel_id=duel.id,
        prompt_hash=duel.question.message.hash,
        task=duel.task,
        tags=tags,
        correction=correction.strip(),
        leaks=duel.leaks,
        seconds=seconds,
        seed=duel.seed,
        swapped=duel.swapped,
    )


def tie_of_equals(duel: Duel) -> Vote:
    """The vote on two answers that are equal word for word: nobody needs to be asked, and names make no difference."""
    return vote_on_duel(replace(duel, leaks=(), names_seen=False), Preference.TIE, source=Source.IDENTICAL)


def thumb(question: Node, answer: Node, preference: Preference, *, system: str = "", task: str = "general") -> Vote:
    """UP or DOWN for an answer of a chat, whose writer was in sight."""
    return Vote(
        id=uuid.uuid4().hex,
        cast_at=datetime.now(UTC),
        source=Source.THUMB,
        preference=preference,
        left=given(writer_of(answer, system), answer),
        exclusion=Exclusion.NOT_BLIND,
        prompt_hash=question.message.hash,
        task=task,
    )


def compared(
    question: Node,
    left: tuple[Contestant, Node],
    right: tuple[Contestant, Node],
    preference: Preference,
    *,
    task: str = "general",
) -> Vote:
    """Which of two columns of the Compare tab is better, names in sight."""
    return Vote(
        id=uuid.uuid4().hex,
        cast_at=datetime.now(UTC),
        source=Source.COMPARE,
        preference=preference,
        left=given(*left),
        right=given(*right),
        exclusion=Exclusion.NOT_BLIND,
        prompt_hash=question.message.hash,
        task=task,
    )


def given(contestant: Contestant, answer: Node) -> GivenAnswer:
    """What is kept of an answer beside its text."""
    generation = answer.generation
    figures = generation.figures if generation else None
    return GivenAnswer(
        contestant,
        message_hash=answer.message.hash,
        node_id=answer.id,
        seed=generation.seed if generation else None,
        engine_build=generation.engine_build if generation else "",
        device=generation.device if generation else "",
        style=style_of(split(answer.message.content)[1], figures.completion_tokens if figures else 0),
    )


def writer_of(answer: Node, system: str = "") -> Contestant:
    """Who wrote an answer of a chat: its model, asked with that system prompt and those parameters."""
    made = answer.generation
    if made is None:
        return Contestant("unknown", "?")
    weights = [made.model_hash] if made.model_hash else ["server", made.model]
    return Contestant(
        key=key_of([(weights, system, asdict(made.sampling))]),
        label=made.model_label or made.model,
        spec=made.model,
        files=(made.model_hash,) if made.model_hash else (),
        quantisation=made.quantisation,
    )
