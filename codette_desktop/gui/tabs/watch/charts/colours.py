"""Which colour a model has: a place in the theme's series, kept for as long as the window is open. No Qt."""

from collections.abc import Iterable


class ModelPlaces:
    """Gives each model label a place, in the order in which they are met; it never changes."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def meet(self, labels: Iterable[str]) -> None:
        """Places for those not met before, in this order."""
        for label in labels:
            self.place(label)

    def place(self, label: str) -> int:
        """The place of that model."""
        return self._places.setdefault(label, len(self._places))
