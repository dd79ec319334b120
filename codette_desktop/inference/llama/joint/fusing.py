"""The next token of several models: what each would say, put together. Functions of numbers alone.

P(w) = sum over members m of weight_m * softmax over the union of z_m(w) / T. The union is that of the members' first
choices as bytes; a member whose vocabulary has not all of w counts the first token it would say it with (UniTE).
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codette_desktop.inference.llama.context import Logits
from codette_desktop.inference.llama.joint.table import END, ByteTable

FIRST_CHOICES = 10
SHARPEN_BELOW, SHARPNESS = 0.5, 0.7
Probabilities = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scored:
    """What one member says of the next token. `logits`, shape (its vocabulary,), are left alone."""

    table: ByteTable
    logits: Logits
    weight: float


@dataclass(frozen=True, slots=True)
class Fused:
    """The candidates as bytes, the probability of each, and each member's own first choice."""

    candidates: list[bytes]
    probabilities: Probabilities
    first: list[bytes]


def surest(table: ByteTable, logits: Logits) -> tuple[bytes, float]:
    """The member's first choice and its probability among the first choices."""
    choices = table.first_choices(logits, FIRST_CHOICES)
    scores = _scores(table, logits, choices)
    return choices[0], float(_softmax(scores)[0])


def fuse(members: Sequence[Scored], temperature: float) -> Fused:
    """Put together what the members say. `temperature` 0 leaves their probabilities as they are."""
    heat = temperature or 1.0
    if len(members) > 1 and len({member.table.fingerprint for member in members}) == 1:
        return _average(members, heat)
    choices = [member.table.first_choices(member.logits, FIRST_CHOICES) for member in members]
    union = list(dict.fromkeys([piece for own in choices for piece in own] + [END]))
    total: Probabilities = np.zeros(len(union), np.float64)
    share = sum(member.weight for member in members)
    for member in members:
        total += (member.weight / share) * _softmax(_scores(member.table, member.logits, union) / heat)
    return Fused(union, _sharpened(total), [own[0] for own in choices])


def choose(fused: Fused, temperature: float, draw: float) -> int:
    """Which candidate: the most probable, or where the temperature is not 0 the one that `draw` (0 to 1) falls on."""
    if temperature == 0:
        return int(fused.probabilities.argmax())
    order = np.argsort(-fused.probabilities, kind="stable")
    reached = np.cumsum(fused.probabilities[order])
    at = int(np.searchsorted(reached, draw * float(reached[-1]), side="right"))
    return int(order[min(len(order) - 1, at)])


def _average(members: Sequence[Scored], heat: float) -> Fused:
    """Equal vocabularies: the average of the whole distributions, of which the most probable tokens are kept."""
    table = members[0].table
    total = np.zeros(table.size, np.float32)
    share = sum(member.weight for member in members)
    for member in members:
        raised = np.exp((member.logits - member.logits.max()) / np.float32(heat))
        total += raised * np.float32(member.weight / share / float(raised.sum(dtype=np.float64)))
    candidates = list(dict.fromkeys([*table.first_choices(total, FIRST_CHOICES), END]))
    found = np.array([_mass(table, total, piece) for piece in candidates], np.float64)
    first = [table.first_choices(member.logits, 1)[0] for member in members]
    return Fused(candidates, _sharpened(found / found.sum()), first)


def _mass(table: ByteTable, probabilities: Logits, piece: bytes) -> float:
    return float(probabilities[table.ends].sum() if piece == END else probabilities[table.ids[piece]])


def _scores(table: ByteTable, logits: Logits, union: Sequence[bytes]) -> Probabilities:
    """The member's logit of each; those that begin with the same of its tokens share the mass of that token."""
    tokens = [_first_token(table, piece) for piece in union]
    shared = Counter(tokens)
    found = np.full(len(union), -math.inf)
    for at, token in enumerate(tokens):
        if union[at] == END:
            found[at] = _log_sum(logits[table.ends]) if len(table.ends) else -math.inf
        elif token is not None:
            found[at] = float(logits[token]) - math.log(shared[token])
    return found


def _first_token(table: ByteTable, piece: bytes) -> int | None:
    if piece == END:
        return None
    if (known := table.ids.get(piece)) is not None:
        return known
    tokens = table.encode(piece)
    return tokens[0] if tokens else None


def _log_sum(values: Logits) -> float:
    highest = float(values.max())
    return highest + math.log(float(np.exp(values - highest).sum(dtype=np.float64)))


def _softmax(scores: Probabilities) -> Probabilities:
    highest = scores.max()
    if highest == -math.inf:  # it can say none of them
        return np.full(len(scores), 1 / len(scores))
    raised = np.exp(scores - highest)
    return raised / raised.sum()


def _sharpened(probabilities: Probabilities) -> Probabilities:
    """Where nothing is probable, what is more probable is made more so (SAFE)."""
    if probabilities.max() >= SHARPEN_BELOW:
        return probabilities
    raised = probabilities ** (1 / SHARPNESS)
    return raised / raised.sum()
