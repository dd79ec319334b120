"""The next token of several models: what each would say, put together. Functions of numbers alone.

P(w) = sum over members m of weight_m * softmax over the union of z_m(w) / T. The union is that of the members' first
choices as bytes; a member whose vocabulary has not all of w counts the first token it would say it with (UniTE).
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from codette_desktop.inference.llama.context import Logits
from codette_desktop.inference.llama.joint.table import END, ByteTable

FIRST_CHOICES = 10
SHARPEN_BELOW, SHARPNESS = 0.5, 0.7
Probabilities = npt.NDArray[np.float64]


class Scores:
    """What one member says of the next token. `logits`, shape (its vocabulary,), are left alone."""

    def __init__(self, table: ByteTable, logits: Logits) -> None:
        self.table = table
        self.logits = logits

    @cached_property
    def choices(self) -> list[bytes]:
        """What it would say, the most probable first."""
        return self.table.first_choices(self.logits, FIRST_CHOICES)

    @property
    def first(self) -> bytes:
        """What it would say by itself."""
        return self.choices[0]

    @cached_property
    def sure(self) -> float:
        """The probability of the first choice among the first choices."""
        return float(_softmax(self.of(self.choices))[0])

    def of(self, union: Sequence[bytes]) -> Probabilities:
        """The logit of each; those that begin with the same token of its vocabulary share the mass of that token."""
        ends, first_token = self.table.ends, self.table.first_token
        tokens = [first_token(piece) for piece in union]
        shared = Counter(tokens)
        found = np.full(len(union), -math.inf)
        for at, token in enumerate(tokens):
            if union[at] == END:
                found[at] = _log_sum(self.logits[ends]) if len(ends) else -math.inf
            elif token is not None:
                found[at] = float(self.logits[token]) - (math.log(shared[token]) if shared[token] > 1 else 0.0)
        return found


@dataclass(frozen=True, slots=True)
class Fused:
    """The candidates as bytes, and the probability of each."""

    candidates: list[bytes]
    probabilities: Probabilities


def fuse(members: Sequence[Scores], weights: Sequence[float], temperature: float) -> Fused:
    """Put together what the members say, each with its weight. `temperature` 0 leaves probabilities as they are."""
    heat = temperature or 1.0
    total_weight = sum(weights)
    shares = [weight / total_weight if total_weight > 0 else 1 / len(weights) for weight in weights]
    if len(members) > 1 and len({member.table.fingerprint for member in members}) == 1:
        return _average(members, shares, heat)
    union = list(dict.fromkeys([piece for member in members for piece in member.choices] + [END]))
    total: Probabilities = np.zeros(len(union), np.float64)
    for member, share in zip(members, shares, strict=True):
        total += share * _softmax(member.of(union) / heat)
    return Fused(union, _sharpened(total))


def choose(fused: Fused, temperature: float, draw: float) -> int:
    """Which candidate: the most probable, or where the temperature is not 0 the one that `draw` (0 to 1) falls on."""
    if temperature == 0:
        return int(fused.probabilities.argmax())
    order = np.argsort(-fused.probabilities, kind="stable")
    reached = np.cumsum(fused.probabilities[order])
    at = int(np.searchsorted(reached, draw * float(reached[-1]), side="right"))
    return int(order[min(len(order) - 1, at)])


def _average(members: Sequence[Scores], shares: Sequence[float], heat: float) -> Fused:
    """Equal vocabularies: the average of the whole distributions, of which the most probable tokens are kept."""
    table = members[0].table
    total = np.zeros(table.size, np.float32)
    for member, share in zip(members, shares, strict=True):
        raised = np.exp((member.logits - member.logits.max()) / np.float32(heat))
        total += raised * np.float32(share / float(raised.sum(dtype=np.float64)))
    candidates = list(dict.fromkeys([*table.first_choices(total, FIRST_CHOICES), END]))
    found = np.array([_mass(table, total, piece) for piece in candidates], np.float64)
    return Fused(candidates, _sharpened(found / found.sum()))


def _mass(table: ByteTable, probabilities: Logits, piece: bytes) -> float:
    return float(probabilities[table.ends].sum() if piece == END else probabilities[table.ids[piece]])


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
