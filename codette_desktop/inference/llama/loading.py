"""Loads and unloads as jobs of the loader's thread, which can be given up at any moment."""

from typing import TYPE_CHECKING

from codette_desktop.domain.errors import CodetteError, EngineFailure
from codette_desktop.domain.models import ModelInfo
from codette_desktop.inference.llama.residents import Residents
from codette_desktop.inference.llama.runtime import Job

if TYPE_CHECKING:
    from codette_desktop.inference.llama.context import Context


class Load(Job):
    """Loads a model. When `ended` is done it is in memory, after `load_ms`, unless `error` says why not."""

    def __init__(self, info: ModelInfo, residents: Residents) -> None:
        super().__init__()
        self._info = info
        self._residents = residents
        self._context: Context | None = None
        self.load_ms = 0.0
        self.error: CodetteError | None = None

    def step(self) -> bool:
        """The whole load."""
        self.load_ms = self._residents.load(self._info, self)
        return False

    def fail(self, error: Exception) -> None:
        """Keep the error for whoever waits."""
        self.error = error if isinstance(error, CodetteError) else EngineFailure(f"The engine failed: {error}")

    def attach(self, context: "Context | None") -> None:
        """Have `context` aborted by `cancel`; None: no longer."""
        with self._state:
            if self._context is not None:
                self._context.resume()
            self._context = context
            if context is not None and self.cancelled:
                context.abort()

    def interrupt(self) -> None:
        """Abort the decode in progress."""
        with self._state:
            if self._context is not None:
                self._context.abort()


class Unload(Job):
    """Frees a model once nobody uses it. When `ended` is done `unloaded` says whether it was in memory."""

    def __init__(self, info: ModelInfo, residents: Residents) -> None:
        super().__init__()
        self._info = info
        self._residents = residents
        self.unloaded = False
        self.error: CodetteError | None = None

    def step(self) -> bool:
        """Wait for whoever uses it, then free it."""
        self.unloaded = self._residents.unload(self._info, self)
        return False

    def fail(self, error: Exception) -> None:
        """Keep the error for whoever waits."""
        self.error = error if isinstance(error, CodetteError) else EngineFailure(f"The engine failed: {error}")

    def attach(self, context: "Context | None") -> None:
        """Nothing is decoded for an unload."""
