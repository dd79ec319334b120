"""Preferences: what the person has said about who should answer what."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from codette_desktop.domain.tasks import TaskType

FIRST_BONUS, NEXT_BONUS, AVOIDED_MALUS = 0.10, 0.05, -0.20


@dataclass(frozen=True, slots=True)
class Preferences:
    """`favourites` are names of models by task type, the dearest first; `avoided` are asked only when nobody else can.

    `avoided_for` are avoided for that type of task alone. `local_only` keeps every request on this computer: a hard
    rule, not a wish.
    """

    favourites: Mapping[TaskType, tuple[str, ...]] = field(default_factory=dict[TaskType, tuple[str, ...]])
    avoided: frozenset[str] = frozenset()
    local_only: bool = False
    avoided_for: Mapping[TaskType, frozenset[str]] = field(default_factory=dict[TaskType, frozenset[str]])

    def avoids(self, name: str, task: TaskType) -> bool:
        """Whether the model `name` is to be asked for this task only when nobody else can."""
        return name in self.avoided or name in self.avoided_for.get(task, frozenset())

    def bonus(self, name: str, task: TaskType) -> float:
        """What is added to the score (which runs from 0 to 1) of the model `name` for this task."""
        favourites = self.favourites.get(task, ())
        bonus = 0.0
        if name in favourites:
            bonus = FIRST_BONUS if favourites[0] == name else NEXT_BONUS
        return bonus + (AVOIDED_MALUS if self.avoids(name, task) else 0.0)
