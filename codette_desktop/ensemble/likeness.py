"""How alike the members' answers are: by meaning where an embedding model tells, and by their characters."""

from collections.abc import Sequence
from dataclasses import dataclass

from codette_desktop.domain.text_likeness import chrf

Matrix = tuple[tuple[float, ...], ...]

MEANING_SHARE = 0.7  # of the cosine of embeddings; the rest is chrF
LONGEST_COMPARED = 20_000  # characters of an answer


@dataclass(frozen=True, slots=True)
class Likeness:
    """Likeness of every two answers, 0 to 1, shape (members, members); 1 with itself.

    `same` and `apart` are where two answers count as one, and where answers count as different: texts that say the
    same in other words share fewer characters than meaning. `by` says in words what was compared.
    """

    matrix: Matrix
    same: float
    apart: float
    by: str

    def agreement(self, places: Sequence[int]) -> float:
        """The mean over all pairs of these members; 0 for fewer than two."""
        pairs = [self.matrix[one][other] for at, one in enumerate(places) for other in places[at + 1 :]]
        return sum(pairs) / len(pairs) if pairs else 0.0


def by_characters(texts: Sequence[str]) -> Likeness:
    """Of texts, by chrF in both directions."""
    return Likeness(_pairs(texts), same=0.75, apart=0.35, by="their wording")


def by_meaning(texts: Sequence[str], vectors: Sequence[Sequence[float]]) -> Likeness:
    """Of texts with an embedding of unit length each: 0.7 of the cosine and 0.3 of chrF."""
    words = _pairs(texts)
    rows: list[tuple[float, ...]] = []
    for place, one in enumerate(vectors):
        cosines = [max(0.0, sum(a * b for a, b in zip(one, other, strict=True))) for other in vectors]
        mixed = [MEANING_SHARE * c + (1 - MEANING_SHARE) * w for c, w in zip(cosines, words[place], strict=True)]
        mixed[place] = 1.0
        rows.append(tuple(mixed))
    return Likeness(tuple(rows), same=0.85, apart=0.5, by="their meaning and wording")


def _pairs(texts: Sequence[str]) -> Matrix:
    cut = [text[-LONGEST_COMPARED:] for text in texts]
    found = [[1.0] * len(cut) for _ in cut]
    for one in range(len(cut)):
        for other in range(one):
            same = cut[one].split() == cut[other].split()
            alike = 1.0 if same else (chrf(cut[one], cut[other]) + chrf(cut[other], cut[one])) / 2
            found[one][other] = found[other][one] = alike
    return tuple(map(tuple, found))
