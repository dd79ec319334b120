"""Text to task type, by a linear model over the features of `features.py`.

The weights are made by packaging/routing/train.py and lie in resources/routing beside a card that says how often they
are right. Score of type k: bias_k + sum over features f of kind(f) * weight_fk / norm, where norm is the length of the
vector of known features; probabilities by softmax. Since the score is a sum, the words that decided it can be named.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codette_desktop import paths
from codette_desktop.domain.tasks import TaskType
from codette_desktop.inference.routing import features
from codette_desktop.inference.routing.lexicon import families

if TYPE_CHECKING:
    from numpy.typing import NDArray

WEIGHTS = ("routing", "weights.json")
_NAMED = 4


@dataclass(frozen=True, slots=True)
class Classification:
    """The type found, its probability, and what spoke for it, strongest first: words, and marks such as "stack trace".

    `probabilities` holds all eight types and sums to 1.
    """

    type: TaskType
    confidence: float
    decided_by: tuple[str, ...]
    probabilities: Mapping[TaskType, float]


class Classifier:
    """Usable from any thread; well below a millisecond a text, whatever its length. Never raises on any text."""

    def __init__(self, weights: Mapping[str, Any]) -> None:
        import numpy as np  # with the first question: the window need not wait for it at start

        self._types = [TaskType(name) for name in weights["types"]]
        self._bias: NDArray[np.float64] = np.array(weights["bias"]) / weights["scale"]
        table: Mapping[str, Sequence[int]] = weights["features"]
        kinds: Mapping[str, float] = weights["kinds"]
        self._rows = {name: row for row, name in enumerate(table)}
        self._kind = np.array([kinds[name[0]] for name in table])
        values = np.array(list(table.values()), dtype=np.float64).reshape(-1, len(self._types))
        self._weights = values / weights["scale"] * self._kind[:, None]
        # How far each feature raises each type above the average of all types.
        self._gains: list[list[float]] = (self._weights - self._weights.mean(axis=1, keepdims=True)).tolist()
        self._rows_of = lru_cache(maxsize=8192)(self._word_rows)

    @classmethod
    def load(cls, path: Path | None = None) -> "Classifier":
        """The weights in `path` (default: those shipped). Raises OSError, or ValueError or KeyError for a bad file."""
        return cls(json.loads((path or paths.resource(*WEIGHTS)).read_text(encoding="utf-8")))

    def classify(self, text: str) -> Classification:
        """The task type of `text`. A text without a single known feature is general, with the confidence of a guess."""
        import numpy as np

        reading = features.read(text)
        found: dict[int, None] = {}
        for word in reading.words:
            found.update(self._rows_of(word))
        for name in (*features.pair_features(reading.words), *reading.marks):
            if (row := self._rows.get(name)) is not None:
                found[row] = None
        rows = list(found)
        if not rows:
            even = 1 / len(self._types)
            return Classification(TaskType.GENERAL, even, (), dict.fromkeys(self._types, even))
        norm = float((self._kind[rows] ** 2).sum()) ** 0.5
        scores = self._weights[rows].sum(axis=0) / norm + self._bias
        powers = np.exp(scores - scores.max())
        shares = powers / powers.sum()
        best = int(shares.argmax())
        probabilities = {kind: float(share) for kind, share in zip(self._types, shares, strict=True)}
        decided = self._decided_by(reading, best)
        return Classification(self._types[best], float(shares[best]), decided, probabilities)

    def _decided_by(self, reading: features.Reading, best: int) -> tuple[str, ...]:
        """The words and marks whose features raise the type found most above the average of all types."""
        sums: dict[str, float] = {}
        gains = self._gains
        for place, word in enumerate(dict.fromkeys(reading.words)):
            rows = list(self._rows_of(word))
            if place < features.OPENING_WORDS:
                opening = (self._rows.get(f"!{family}") for family in families(word))
                rows += [row for row in opening if row is not None]
            sums[word] = sum(gains[row][best] for row in rows)
        for mark in reading.marks:
            if (row := self._rows.get(mark)) is not None:
                sums[mark.removeprefix("#")] = gains[row][best]
        ordered = sorted(sums, key=lambda owner: -sums[owner])
        return tuple(owner for owner in ordered[:_NAMED] if sums[owner] > 0)

    def _word_rows(self, word: str) -> dict[int, None]:
        """The rows of the features of one word, in order."""
        rows = (self._rows.get(name) for name in features.word_features(word))
        return {row: None for row in rows if row is not None}


@lru_cache(maxsize=1)
def shipped() -> Classifier:
    """The classifier with the weights shipped, loaded once."""
    return Classifier.load()
