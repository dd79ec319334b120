"""What votes teach a model: pairs for DPO, labelled answers for KTO, corrections for SFT, in TRL's conversational form.

Kept to what TRL's DPOTrainer, KTOTrainer and SFTTrainer read: "prompt", "chosen", "rejected"; "prompt", "completion",
"label"; "messages". A correction is worth more than the answer that was preferred, and takes its place.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.votes import Preference, Vote
from codette_desktop.store.vote_texts import VoteTexts


class Unusable(StrEnum):
    """Why no pair for DPO follows from a vote."""

    TAKEN_BACK = "taken back"
    GONE = "texts gone"  # they were deleted, or were never here
    TIE = "tie"
    BOTH_BAD = "both bad"
    ALONE = "one answer"  # a thumb without a correction
    IDENTICAL = "identical"  # both say the same


@dataclass(frozen=True, slots=True)
class Pairs:
    """Chosen and rejected texts of one vote; `why` there are none."""

    pairs: tuple[tuple[str, str], ...] = ()
    why: Unusable | None = None


def dpo_rows(vote: Vote, texts: VoteTexts) -> list[dict[str, Any]]:
    """Rows of {"prompt", "chosen", "rejected"}."""
    prompt = list(map(_said, texts.prompt))
    return [
        {"prompt": prompt, "chosen": [_answer(chosen)], "rejected": [_answer(rejected)]}
        for chosen, rejected in pairs(vote, texts).pairs
    ]


def kto_rows(vote: Vote, texts: VoteTexts) -> list[dict[str, Any]]:
    """Rows of {"prompt", "completion", "label"}: one of a thumb, two of a decided pair, two that are bad."""
    if vote.taken_back_at is not None or not texts.prompt:
        return []
    labels = {
        Preference.UP: (True, None),
        Preference.DOWN: (False, None),
        Preference.LEFT: (True, False),
        Preference.RIGHT: (False, True),
        Preference.BOTH_BAD: (False, False),
        Preference.TIE: (None, None),
    }[vote.preference]
    told = list(zip((texts.left, texts.right), labels, strict=True))
    if texts.left is not None and _same(texts.left, texts.right) and True in labels and False in labels:
        return []  # one text cannot be good and bad
    prompt = list(map(_said, texts.prompt))
    return [
        {"prompt": prompt, "completion": [_answer(text)], "label": label}
        for text, label in told
        if text is not None and label is not None
    ]


def sft_rows(vote: Vote, texts: VoteTexts) -> list[dict[str, Any]]:
    """One row of {"messages"} where the person wrote what they would have liked to read."""
    if vote.taken_back_at is not None or not texts.prompt or not vote.correction.strip():
        return []
    return [{"messages": [*map(_said, texts.prompt), _answer(vote.correction)]}]


def pairs(vote: Vote, texts: VoteTexts) -> Pairs:
    """What was better than what. A correction is better than the worse answer, or both where neither was worse."""
    if vote.taken_back_at is not None:
        return Pairs(why=Unusable.TAKEN_BACK)
    correction = vote.correction if vote.correction.strip() else ""
    if vote.right is None:
        if not correction:
            return Pairs(why=Unusable.ALONE)
        return _different(((correction, texts.left),), texts)
    if vote.preference in (Preference.TIE, Preference.BOTH_BAD):
        if not correction:
            return Pairs(why=Unusable.TIE if vote.preference is Preference.TIE else Unusable.BOTH_BAD)
        return _different(((correction, texts.left), (correction, texts.right)), texts)
    better, worse = texts.left, texts.right
    if vote.preference is Preference.RIGHT:
        better, worse = worse, better
    return _different(((correction or better, worse),), texts)


def _different(found: tuple[tuple[str | None, str | None], ...], texts: VoteTexts) -> Pairs:
    kept = [(chosen, rejected) for chosen, rejected in found if chosen is not None and rejected is not None]
    if not kept or not texts.prompt:
        return Pairs(why=Unusable.GONE)
    different = tuple(dict.fromkeys(pair for pair in kept if not _same(*pair)))
    return Pairs(different, None if different else Unusable.IDENTICAL)


def _same(one: str, other: str | None) -> bool:
    return other is not None and one.strip() == other.strip()


def _said(message: Message) -> dict[str, str]:
    return {"role": message.role.value, "content": message.content}


def _answer(text: str) -> dict[str, str]:
    return _said(Message(Role.ASSISTANT, text))
