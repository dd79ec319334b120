"""A load as a job of the loader's thread, which can be given up at any moment."""

from typing import TYPE_CHECKING

from codette_desktop.domain.errors import CodetteError, EngineFailure
from codette_desktop.domain.models import ModelInfo
from codette_desktop.inference.llama.residents import Residents
from codette_desktop.inference.llama.runtime import Job
from codette_desktop.inference.llama.seats import Seat, described
from codette_desktop.inference.provider import LoadedModel

if TYPE_CHECKING:
    from codette_desktop.inference.llama.context import Context


class Load(Job):
    """Loads a model. When `ended` is done it is in memory, unless `error` says why not.

    It stays there until `let_go`, so that whoever waited finds it. `waiters` counts them, `load_ms` is what it took.
    `loaded` is None where all contexts of the model are in use with other adapters: it must be tried again.
    """

    def __init__(self, info: ModelInfo, residents: Residents) -> None:
        super().__init__()
        self._info = info
        self._residents = residents
        self._context: Context | None = None
        self._seat: Seat | None = None
        self.loaded: LoadedModel | None = None
        self.waiters = 0
        self.load_ms = 0.0
        self.error: CodetteError | None = None

    def step(self) -> bool:
        """The whole load."""
        self._seat, self.load_ms = self._residents.load(self._info, self)
        self.loaded = described(self._seat) if self._seat is not None else None
        return False

    def fail(self, error: Exception) -> None:
        """Keep the error for whoever waits."""
        self.error = error if isinstance(error, CodetteError) else EngineFailure(f"The engine failed: {error}")

    def let_go(self) -> None:
        """Nobody waits any more: it need not stay in memory, once it is there."""
        self.ended.add_done_callback(lambda _ended: self._release())

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

    def _release(self) -> None:
        seat, self._seat = self._seat, None
        if seat is not None:
            self._residents.release(seat)
