"""Vocabularies of models that are not in memory, so that tokens can be counted before anything is loaded."""

import threading
from typing import TYPE_CHECKING

from codette_desktop.domain.errors import ModelNotFound
from codette_desktop.domain.models import EngineSettings, ModelInfo
from codette_desktop.models.gguf import read_header

if TYPE_CHECKING:
    from codette_desktop.inference.llama.model import Model
    from codette_desktop.inference.llama.prompt import PromptWriter

FileState = tuple[int, int]
_MOST = 2


class Vocabularies:
    """The last two vocabularies asked for. Any thread."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[FileState, Model, PromptWriter]] = {}
        self._lock = threading.Lock()

    def borrow(self, info: ModelInfo, state: FileState) -> tuple["Model", "PromptWriter"]:
        """The vocabulary of a file in that state, as a model without weights, which the caller must `release`.

        Raises ModelError.
        """
        key = str(info.path)
        with self._lock:  # also while it is read: whoever asks for the same one next should not read it again
            known = self._known.get(key)
            if known is None or known[0] != state:
                known = self._read(info, state)
            else:
                self._known[key] = self._known.pop(key)  # the last in order is the last asked for
            known[1].acquire()
            return known[1], known[2]

    def forget(self, info: ModelInfo) -> None:
        """Free the vocabulary of a model that has been loaded whole."""
        with self._lock:
            known = self._known.pop(str(info.path), None)
        if known:
            known[1].close()

    def close(self) -> None:
        """Free all."""
        with self._lock:
            for _state, model, _writer in self._known.values():
                model.close()
            self._known.clear()

    def _read(self, info: ModelInfo, state: FileState) -> tuple[FileState, "Model", "PromptWriter"]:
        from codette_desktop.inference.llama.model import Model
        from codette_desktop.inference.llama.prompt import PromptWriter

        read_header(info.path)
        model = Model.load(info.path, EngineSettings(), vocabulary_only=True)
        made = (state, model, PromptWriter(model.vocabulary))
        stale = self._known.pop(str(info.path), None)
        self._known[str(info.path)] = made
        if stale is None and len(self._known) > _MOST:
            stale = self._known.pop(next(iter(self._known)))
        if stale:
            stale[1].close()
        return made


def file_state(info: ModelInfo) -> FileState:
    """What changes when the file is replaced. Raises ModelNotFound when it has gone."""
    try:
        stat = info.path.stat()
    except OSError as error:
        raise ModelNotFound(f"The file of {info.display_name} cannot be read: {error.strerror or error}.") from None
    return stat.st_size, stat.st_mtime_ns
