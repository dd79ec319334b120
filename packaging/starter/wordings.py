"""Variations of a wording that keep its meaning, so that a small corpus teaches more than its own sentences."""

import random
import re

_OPENINGS = (
    "please tell me: ", "hi, ", "hello, ", "hey ", "can you tell me ", "could you explain ", "I want to know: ",
    "question: ", "quick question: ", "please explain: ", "tell me ", "help: ", "I am new here. ", "sorry, ",
    "one more thing: ", "so, ", "and ", "ok, ", "I wonder, ", "do you know ", "explain ", "please, ",
)  # fmt: skip
_ENDINGS = (
    " please", " thanks", ", please?", "??", "!", " ...", " in simple words", " (I am a beginner)",
    ", can you help?", "?",
)  # fmt: skip
_FILLERS = frozenset("a an the is are do does i my me it in of to for on this that so can you please".split())


def vary(wording: str, chance: random.Random) -> str:
    """A differently written form of the same question: openings, endings, case, punctuation, lost fillers, slips."""
    text = wording
    if chance.random() < 0.2:
        text = chance.choice(_OPENINGS) + (text[0].lower() + text[1:] if not text[:2].isupper() else text)
    if chance.random() < 0.12:
        text = text.rstrip("?.! ") + chance.choice(_ENDINGS)
    if chance.random() < 0.2:
        text = text.rstrip("?.! ") or text
    roll = chance.random()
    if roll < 0.25:
        text = text.lower()
    elif roll < 0.28:
        text = text.upper()
    elif roll < 0.4:
        text = text[0].upper() + text[1:]
    if chance.random() < 0.25:
        text = _lose_words(text, chance)
    if chance.random() < 0.15:
        text = _slip(text, chance)
    return text


def _lose_words(text: str, chance: random.Random) -> str:
    words = text.split(" ")
    kept = [word for word in words if word.lower() not in _FILLERS or chance.random() < 0.6]
    return " ".join(kept) if len(kept) >= 2 else text


def _slip(text: str, chance: random.Random) -> str:
    """One slip of the finger in one longer word: two letters swapped, one lost or one doubled."""
    spots = list(re.finditer(r"[A-Za-z]{5,}", text))
    if not spots:
        return text
    spot = chance.choice(spots)
    at = chance.randrange(spot.start() + 1, spot.end() - 1)
    swap, lose = text[at + 1] + text[at], ""
    middle = chance.choice((swap, lose + text[at + 1], text[at] * 2 + text[at + 1]))
    return text[:at] + middle + text[at + 2 :]
