"""The router: from a request and the models at hand to an ordered list with reasons."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from codette_desktop.domain.messages import Message
from codette_desktop.domain.tasks import Task
from codette_desktop.inference.routing import classify, score
from codette_desktop.inference.routing.candidates import Candidate, RoutableModel
from codette_desktop.inference.routing.classify import Classifier
from codette_desktop.inference.routing.health import Health
from codette_desktop.inference.routing.preferences import Preferences
from codette_desktop.inference.routing.reading import read_task


@dataclass(frozen=True, slots=True)
class Ranking:
    """What was understood of the request, and the models: `candidates` best first, `rejected` with the reasons."""

    task: Task
    candidates: tuple[Candidate, ...]
    rejected: tuple[Candidate, ...] = ()

    @property
    def best(self) -> Candidate | None:
        """Whom to ask first; None where nobody may be asked."""
        return self.candidates[0] if self.candidates else None


class Router:
    """Keeps nothing between requests but the classifier: what it learns lies in the profiles it is given.

    `explore_seed` switches Thompson sampling on, which now and then prefers a model that is little known; without it
    equal questions get equal answers.
    """

    def __init__(self, classifier: Classifier | None = None, explore_seed: int | None = None) -> None:
        self._classifier = classifier
        self._chance = None if explore_seed is None else random.Random(explore_seed)  # noqa: S311  # no secret

    def read(self, request_text: str, messages: Sequence[Message] = ()) -> Task:
        """What the request asks for. `messages` are those before it; the request may be the last of them."""
        return read_task(request_text, messages, self._classifier or classify.shipped())

    def rank(
        self,
        request_text: str,
        messages: Sequence[Message],
        models: Sequence[RoutableModel],
        profiles: score.Profiles | None = None,
        health: Mapping[str, Health] | None = None,
        preferences: Preferences | None = None,
    ) -> Ranking:
        """Order `models` for the request. `profiles` by (key, task type or ""), `health` by name; see `score`."""
        task = self.read(request_text, messages)
        found = score.candidates(task, models, profiles or {}, health or {}, preferences or Preferences(), self._chance)
        return Ranking(
            task,
            tuple(candidate for candidate in found if not candidate.rejected),
            tuple(candidate for candidate in found if candidate.rejected),
        )
