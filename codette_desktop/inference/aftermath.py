"""What is told, and counted against models, after the application went down."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from codette_desktop.domain.errors import StoreError
from codette_desktop.domain.models import ModelInfo
from codette_desktop.inference.running import WentDown
from codette_desktop.store import Store

log = logging.getLogger(__name__)


class Aftermath:
    """Each method gives sentences for the person. `chosen` is the model of new chats, `models` gives all."""

    def __init__(self, store: Store, chosen: ModelInfo | None, models: Callable[[], Sequence[ModelInfo]]) -> None:
        self._store = store
        self._chosen = chosen
        self._models = models

    def interrupted(self, answers: int) -> list[str]:
        """Answers that were being written."""
        if not answers:
            return []
        what = "An answer was" if answers == 1 else f"{answers} answers were"
        return [f"{what} interrupted when the application last ended. What was written is kept."]

    def of_loads(self, crashed: set[str], forget_choice: Callable[[], object]) -> list[str]:
        """Files that took the process down as they were loaded, by hash. None of them is chosen again by itself."""
        if not crashed:
            return []
        told: list[str] = []
        models = {model.path: model for model in (*self._models(), *([self._chosen] if self._chosen else []))}
        for model in [model for model in models.values() if model.file_hash in crashed]:
            note = f"The application went down while it was loading {model.label}."
            if self._chosen is not None and self._chosen.path == model.path:
                _try(forget_choice, "the choice of a model that crashed could not be taken back")
                note += " It is no longer the chosen model; choose it again only if you trust the file."
            told.append(note)
        for file_hash in crashed:
            _wait_for(self._store.models.note_crash(file_hash))
            self._store.models.mark_loaded(file_hash)
        return told

    def of_answers(self, ended: WentDown) -> list[str]:
        """What crashed while it answered is counted; what was ended from outside is only tried again."""
        labels = {model.file_hash: model.label for model in self._models() if model.file_hash}
        told: list[str] = []
        for file_hash in ended.file_hashes:
            label = labels.get(file_hash, "a model that is not here any more")
            if ended.crashed:
                _wait_for(self._store.models.note_crash(file_hash))
                told.append(
                    f"The application crashed while {label} was answering. The model is tried in a process of its own "
                    "before it answers again."
                )
            else:
                _wait_for(self._store.models.doubt(file_hash))
                told.append(
                    f"{label} was answering when the application was ended from outside. That is not held against it."
                )
        return told


def _wait_for(write: "Future[None]") -> None:
    """Before anything is answered: whether a model may run here must be known by then."""
    _try(write.result, "that a model went down could not be noted")


def _try(work: Callable[[], object], problem: str) -> None:
    try:
        work()
    except StoreError as error:
        log.warning("%s: %s", problem, error)
