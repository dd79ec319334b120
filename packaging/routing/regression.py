"""Multinomial logistic regression on sparse rows, in numpy alone: full gradient, Nesterov's momentum, ridge penalty.

Loss: mean cross-entropy + ridge / (2 n) * |W|^2, convex, so that the result does not depend on chance or order.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sparse:
    """Rows of features as (row, column, value) in the order of rows."""

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    values: Array
    shape: tuple[int, int]

    def times(self, dense: Array) -> Array:
        """X @ dense, shape (rows, classes)."""
        return self._summed(self.rows, self.columns, self.shape[0], dense)

    def transposed_times(self, dense: Array) -> Array:
        """X.T @ dense, shape (columns, classes)."""
        return self._summed(self.columns, self.rows, self.shape[1], dense)

    def _summed(self, into: NDArray[np.int64], source: NDArray[np.int64], length: int, dense: Array) -> Array:
        summed = np.zeros((length, dense.shape[1]))
        for column in range(dense.shape[1]):
            summed[:, column] = np.bincount(into, self.values * dense[source, column], length)
        return summed


def vocabulary(documents: Sequence[Sequence[str]], least: int) -> dict[str, int]:
    """The column of every feature found in at least `least` documents, in alphabetical order."""
    counts = Counter(feature for document in documents for feature in document)
    return {name: column for column, name in enumerate(sorted(name for name, n in counts.items() if n >= least))}


def design(documents: Sequence[Sequence[str]], columns: dict[str, int], weight_of: dict[str, float]) -> Sparse:
    """Rows of length 1: each known feature with the weight of its kind (its first letter), divided by the norm."""
    rows: list[int] = []
    found: list[int] = []
    values: list[float] = []
    for row, document in enumerate(documents):
        known = [(columns[name], weight_of[name[0]]) for name in document if name in columns]
        norm = math.sqrt(math.fsum(weight * weight for _, weight in known)) or 1.0
        rows += [row] * len(known)
        found += [column for column, _ in known]
        values += [weight / norm for _, weight in known]
    shape = (len(documents), len(columns))
    return Sparse(np.array(rows, np.int64), np.array(found, np.int64), np.array(values), shape)


def fit(
    design_matrix: Sparse, labels: NDArray[np.int64], classes: int, ridge: float, steps: int
) -> tuple[Array, Array]:
    """Weights (columns, classes) and biases (classes,)."""
    count, width = design_matrix.shape
    target = np.eye(classes)[labels]
    weights = previous = np.zeros((width, classes))
    bias = bias_before = np.zeros(classes)
    # A step of 1 / L, where the softmax is 1/2-smooth and the bias is one more column, of ones.
    step = 1.0 / (_largest_eigenvalue(design_matrix) / (2 * count) + ridge / count)
    for number in range(steps):
        momentum = number / (number + 3)
        ahead = weights + momentum * (weights - previous)
        bias_ahead = bias + momentum * (bias - bias_before)
        error = softmax(design_matrix.times(ahead) + bias_ahead) - target
        previous, bias_before = weights, bias
        weights = ahead - step * (design_matrix.transposed_times(error) + ridge * ahead) / count
        bias = bias_ahead - step * error.mean(axis=0)
    return weights, bias


def softmax(scores: Array) -> Array:
    """Probabilities by row."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _largest_eigenvalue(matrix: Sparse) -> float:
    """Of X.T X with a column of ones added, by power iteration; 5 % added for what the iteration misses."""
    vector, offset, size = np.ones((matrix.shape[1], 1)), np.ones(1), 1.0
    for _ in range(40):
        image = matrix.times(vector) + offset
        vector, offset = matrix.transposed_times(image), image.sum(axis=0)
        size = math.sqrt(float((vector * vector).sum() + (offset * offset).sum()))
        vector, offset = vector / size, offset / size
    return 1.05 * size
