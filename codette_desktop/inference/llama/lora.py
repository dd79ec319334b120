"""LoRA adapters in the engine: read once for each model, and put on its contexts with a scale."""

import os
from typing import TYPE_CHECKING, Any

from codette_desktop.domain.errors import ModelLoadFailed, ModelNotFound
from codette_desktop.domain.models import Adapter, ModelInfo
from codette_desktop.inference.llama.library import library
from codette_desktop.models.adapters import read_adapter, refuse_misfit

if TYPE_CHECKING:
    from codette_desktop.inference.llama.context import Context
    from codette_desktop.inference.llama.model import Model

# The adapters on a context, in order: path, size and time of change of the file, scale. One of scale 0 does nothing.
AdapterSet = tuple[tuple[str, int, int, float], ...]
NO_ADAPTERS: AdapterSet = ()


def adapter_set(info: ModelInfo) -> AdapterSet:
    """What the model's adapters are as their files are now. Raises ModelNotFound where one has gone."""
    return tuple((*_state(adapter), adapter.scale) for adapter in info.adapters if adapter.scale)


class Lora:
    """The adapters read for one model. Freed by `close`, after the contexts they are on and before the weights.

    `read` and `close` are for one thread; `knows` and `put` for any, each with a context nobody else uses meanwhile.
    """

    def __init__(self, model: "Model") -> None:
        self._model = model
        self._c = library().c
        self._handles: dict[tuple[str, int, int], Any] = {}
        self.size_bytes = 0

    def knows(self, wanted: AdapterSet) -> bool:
        """Whether all of them have been read, as the files are now."""
        return all(item[:3] in self._handles for item in wanted)

    def unread(self, info: ModelInfo) -> list[Adapter]:
        """Those of the model's adapters that have not been read as the files are now."""
        return [item for item in info.adapters if item.scale and _state(item) not in self._handles]

    def read(self, adapter: Adapter) -> None:
        """Read one; takes as long as reading the file. Raises ModelError where it cannot be put on this model."""
        state = _state(adapter)
        refuse_misfit(read_adapter(adapter.path), self._model.header, self._model.path.name)
        engine = library()
        engine.messages.clear()
        handle = self._c.llama_adapter_lora_init(self._model.handle, os.fsencode(adapter.path))
        if not handle:
            reason = engine.last_messages or "it gave no reason"
            raise ModelLoadFailed(
                f"The engine refused the adapter {adapter.name}: {reason}",
                "Choose another adapter, or go on without it.",
            )
        self._handles[state] = handle
        self.size_bytes += state[1]

    def put(self, context: "Context", wanted: AdapterSet) -> None:
        """Have a context compute with these adapters; it must be empty. Raises EngineFailure."""
        context.put_adapters([self._handles[item[:3]] for item in wanted], [item[3] for item in wanted])

    def close(self) -> None:
        """Free them."""
        for handle in self._handles.values():
            self._c.llama_adapter_lora_free(handle)
        self._handles.clear()


def _state(adapter: Adapter) -> tuple[str, int, int]:
    try:
        stat = adapter.path.stat()
    except OSError as error:
        reason = error.strerror or error
        raise ModelNotFound(f"The file of the adapter {adapter.name} cannot be read: {reason}.") from None
    return str(adapter.path), stat.st_size, stat.st_mtime_ns
