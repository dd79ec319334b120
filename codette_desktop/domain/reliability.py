"""What is known of an answerer at one kind of question: how often it was right, and how sure it usually is."""

from dataclasses import dataclass, replace

from codette_desktop.domain.answers import Confidence

MOST_KEPT = 200  # confidences, the newest
OPEN = "open"  # in place of the kind of answer, where there is no closed one


@dataclass(frozen=True, slots=True)
class Standing:
    """One answerer ("MODEL HASH#ROLE") at one kind of answer.

    `correct` of `asked` questions whose right answer was known. `confidences` are pairs of bits per byte and weakest
    window (see `Confidence`), oldest first.
    """

    member: str
    kind: str
    asked: int = 0
    correct: float = 0.0
    confidences: tuple[tuple[float, float], ...] = ()

    def measured(self, correct: float, asked: int) -> "Standing":
        """With more questions whose right answer was known."""
        return replace(self, asked=self.asked + asked, correct=self.correct + correct)

    def answered(self, confidence: Confidence) -> "Standing":
        """With one more answer."""
        pair = (confidence.bits_per_byte, confidence.weakest)
        return replace(self, confidences=(*self.confidences, pair)[-MOST_KEPT:])
