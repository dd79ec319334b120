"""Learning from every request: answers and votes go into the profiles that the store keeps."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Protocol

from codette_desktop.domain.answers import AnswerFigures, FinishReason
from codette_desktop.domain.profiles import ModelProfile
from codette_desktop.domain.tasks import TaskType
from codette_desktop.inference.routing.profile import after_answer, after_vote


class ProfileStore(Protocol):
    """What learning needs of `store.profiles`."""

    def update(
        self, model: str, tasks: Sequence[str], change: Callable[[ModelProfile], ModelProfile]
    ) -> "Future[None]": ...


class Learner:
    """Writes each outcome into two profiles: the model's at this kind of task, and its own over all tasks.

    `key` is `RoutableModel.key`. Futures are done when it is kept; nobody needs to wait for them. From any thread.
    """

    def __init__(self, profiles: ProfileStore) -> None:
        self._profiles = profiles

    def answered(
        self, key: str, task: TaskType, reason: FinishReason, figures: AnswerFigures | None = None
    ) -> "Future[None]":
        """A request has ended, well or not; see `profile.after_answer`."""
        return self._profiles.update(key, ("", task.value), lambda known: after_answer(known, reason, figures))

    def voted(self, key: str, task: TaskType, mark: float) -> "Future[None]":
        """An answer was given a mark from 0 to 10; the future fails with ValueError for another number."""
        return self._profiles.update(key, ("", task.value), lambda known: after_vote(known, mark))
