"""The outermost provider: sees every request from its first to its last part, whoever made it, and has it kept."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from codette_desktop.domain.answers import AnswerEnd, AnswerPart, ContextUse, FinishReason, PromptRead, TextChunk
from codette_desktop.domain.errors import Cancelled, CodetteError
from codette_desktop.domain.models import AnyModel, ModelInfo
from codette_desktop.domain.request_log import LOCAL, RequestRecord
from codette_desktop.domain.requests import ChatRequest
from codette_desktop.domain.telemetry import Flight
from codette_desktop.inference.activity import Activity
from codette_desktop.inference.provider import CacheableProvider, Embeddings, LoadedModel, ModelIdentity, embedder_of
from codette_desktop.inference.request_trace import Asked, RequestTrace

log = logging.getLogger(__name__)

Settings = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Observers:
    """Who is told. `find` gives the model a name stands for (blocking; may raise CodetteError).

    `keep` is given the rows of the log, and the flight record of an answer that is kept. `settings` are those a model
    is loaded with.
    """

    find: Callable[[str], AnyModel]
    keep: Callable[[Sequence[RequestRecord], Flight | None], object]
    settings: Callable[[ModelInfo], Settings] = lambda _model: ()


class ObservedProvider:
    """Passes every request to `inner` and notes how it went. An observer that fails costs the note, never the answer.

    Streaming, a note costs some microseconds a token; the model's name is looked up once, on a thread, meanwhile.
    """

    def __init__(self, inner: CacheableProvider, activity: Activity, observers: Observers) -> None:
        self.inner = inner
        self._activity = activity
        self._observers = observers
        self._known: dict[str, tuple[Asked, ModelInfo | None]] = {}
        self._unknown: set[str] = set()  # names that could not be looked up

    async def stream(self, request: ChatRequest) -> AsyncGenerator[AnswerPart, None]:
        """See `Provider.stream`."""
        trace = RequestTrace(request)
        begun = failed = False
        lookup = self._look_up([request.model])
        self._activity.asked()
        try:
            async with aclosing(self.inner.stream(request)) as parts:
                async for given in parts:
                    part = trace.take(given)
                    if isinstance(part, TextChunk):
                        self._activity.wrote(part.tokens)
                    elif isinstance(part, PromptRead) and not begun:
                        begun = True
                        self._activity.begun()
                    elif isinstance(part, AnswerEnd):
                        trace.finish(part.reason)
                    yield part
            trace.finish(FinishReason.STOP)
        except CodetteError as error:
            failed = not isinstance(error, Cancelled)
            trace.finish(FinishReason.FAILED if failed else FinishReason.CANCELLED, error if failed else None)
            raise
        except BaseException as error:  # closed or cancelled by whoever reads, or a defect
            stopped = isinstance(error, asyncio.CancelledError | GeneratorExit)
            failed = not stopped
            trace.finish(FinishReason.CANCELLED if stopped else FinishReason.FAILED, None if stopped else error)
            raise
        finally:
            self._activity.ended(begun=begun, failed=failed)
            self._keep(trace, request, lookup)

    async def count(self, request: ChatRequest) -> ContextUse:
        """See `Provider.count`."""
        return await self.inner.count(request)

    async def load(self, model: str) -> LoadedModel:
        """See `Provider.load`."""
        return await self.inner.load(model)

    async def embed(self, model: str, texts: Sequence[str]) -> Embeddings:
        """See `EmbeddingProvider.embed`."""
        return await embedder_of(self.inner, model).embed(model, texts)

    async def unload(self, model: str) -> bool:
        """See `Provider.unload`."""
        return await self.inner.unload(model)

    def loaded(self) -> list[LoadedModel]:
        """See `Provider.loaded`."""
        return self.inner.loaded()

    def identity(self, model: str) -> ModelIdentity | None:
        """See `CacheableProvider.identity`."""
        return self.inner.identity(model)

    async def aclose(self) -> None:
        """See `Provider.aclose`."""
        await self.inner.aclose()

    def forget_names(self) -> None:
        """Names may stand for others now: the configuration or a server has changed."""
        self._known = {}

    def _look_up(self, names: Iterable[str]) -> "asyncio.Future[None] | None":
        """Find out who these names stand for, on a thread; None where that is known."""
        unknown = [name for name in names if name not in self._known]
        if not unknown:
            return None
        known = self._known

        def work() -> None:
            for name in unknown:
                try:
                    model = self._observers.find(name)
                except Exception as error:  # noqa: BLE001 - whatever it is, the request is noted by its name
                    log.debug("%s cannot be looked up: %s", name, error)
                    known[name] = (Asked(name), None)
                    self._unknown.add(name)
                    continue
                local = isinstance(model, ModelInfo)
                asked = Asked(model.label, model.file_hash, LOCAL if isinstance(model, ModelInfo) else model.server)
                known[name] = (asked, model if local else None)

        return asyncio.get_event_loop().run_in_executor(None, work)

    def _keep(self, trace: RequestTrace, request: ChatRequest, lookup: "asyncio.Future[None] | None") -> None:
        """Now, or as soon as it is known who was asked: the answer does not wait for it."""
        waits_for = lookup if lookup is not None and not lookup.done() else self._look_up(trace.names())
        if waits_for is None:
            self._tell(trace, request)
        else:
            waits_for.add_done_callback(lambda _done: self._keep(trace, request, None))

    def _tell(self, trace: RequestTrace, request: ChatRequest) -> None:
        try:
            known = dict(self._known)
            rows = trace.records({name: asked for name, (asked, _model) in known.items()})
            flight: Flight | None = None
            if request.origin.id:
                model = known[trace.model][1] if trace.model in known else None
                flight = trace.flight(rows[-1], self._observers.settings(model) if model else ())
            self._observers.keep(rows, flight)
        except Exception:
            log.exception("a request could not be noted")
        for name in self._unknown.intersection(trace.names()):  # it may be known the next time
            self._unknown.discard(name)
            self._known.pop(name, None)
