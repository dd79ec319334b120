"""The provider that answers with the models of one server."""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, suppress

import httpx

from codette_desktop.domain.answers import SERVER_CUT, AnswerPart, ContextUse, PromptRead
from codette_desktop.domain.errors import CodetteError, InvalidRequest, UnsupportedModel
from codette_desktop.domain.events import EventBus, ServerChecked
from codette_desktop.domain.messages import Message
from codette_desktop.domain.models import ServerModel
from codette_desktop.domain.requests import ChatRequest
from codette_desktop.domain.servers import Server, ServerKind
from codette_desktop.inference.http import failures
from codette_desktop.inference.http.answering import Incoming
from codette_desktop.inference.http.connection import Connection
from codette_desktop.inference.http.dialect import UNKNOWN_CONTEXT_TOKENS, Delta, Details, Dialect
from codette_desktop.inference.http.discovery import kind_of
from codette_desktop.inference.http.fitting import Reckoner, fit
from codette_desktop.inference.http.health import HealthWatch
from codette_desktop.inference.http.ollama import Ollama
from codette_desktop.inference.http.openai import OpenAi
from codette_desktop.inference.http.reading import lines
from codette_desktop.inference.http.timeouts import ModelTimes
from codette_desktop.inference.provider import Embeddings, LoadedModel

log = logging.getLogger(__name__)

DRAIN_S = 0.2
_COUNTS_KEPT = 512


class ServerProvider:
    """Answers with one server's models, by "SERVER/model" or the server's own name for them.

    Nothing is sent before something is asked of it. The draft of a question never leaves this computer for a remote
    server: `count` reckons there, and only `stream` sends. `remembered` gives the context length a model of the server
    was known to have earlier (0: unknown).
    """

    def __init__(
        self,
        server: Server,
        bus: EventBus | None = None,
        *,
        connection: Connection | None = None,
        context_length: Callable[[], int] = lambda: 0,
        remembered: Callable[[str], int] = lambda _model: 0,
    ) -> None:
        self.server = server
        self.connection = connection or Connection(server)
        self._bus = bus or EventBus()
        self._context_length = context_length
        self._remembered = remembered
        self._speaker: Dialect | None = None
        self._times: dict[str, ModelTimes] = {}
        self._reckoners: dict[str, Reckoner] = {}
        self._counts: dict[tuple[str, tuple[Message, ...]], int] = {}
        self._known: dict[str, Details] = {}
        self._loaded: dict[str, LoadedModel] = {}
        self._running = 0
        self._health = HealthWatch(self.check)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[AnswerPart, None]:
        """See `Provider.stream`. Closing it closes the connection, and the server stops."""
        model = self._own_name(request.model)
        asked_at = time.perf_counter()
        speaker = await self._dialect()
        self._health.used()
        details = await self._details(speaker, model)
        messages, use = await self._fit(request, details, exact=details.counts)
        seed = request.sampling.seed if request.sampling.seed is not None else secrets.randbelow(2**31 - 1)
        incoming = Incoming(request.sampling, messages, use, seed, details, self.server.place, asked_at, request.scored)
        most = min(request.sampling.max_tokens or use.room, max(1, use.room))
        asked = speaker.ask(details, messages, request.sampling, seed, most, scored=request.scored)
        if self.server.remote:
            log.info("%d tokens go to %s", use.prompt, self.server.place)
        yield PromptRead(use, 0, seed, "", details.build, self.server.place)
        times = self._times.setdefault(model, ModelTimes())
        deadline = times.first_token_deadline(use.prompt, cold=details.cold, queued=self._running > 0)
        self._running += 1
        try:
            async with self.connection.open(asked.path, asked.body, model=model, limit_s=deadline) as response:
                async with (
                    aclosing(lines(response.aiter_bytes(), self.server.name)) as found,
                    aclosing(speaker.read(found)) as deltas,
                    aclosing(self._timed(deltas, times, deadline)) as timed,
                ):
                    try:
                        async for delta in timed:
                            if (chunk := incoming.take(delta)) is not None:
                                yield chunk
                            if incoming.cut:
                                break
                        else:
                            await _drain(found)
                    finally:
                        # Before the generators end: Qt's loop closes none that is left half read, so that httpx's
                        # must find nothing to wait for when they are freed.
                        await response.aclose()
                if incoming.reason is None:
                    raise failures.ended_early(self.server)
        finally:
            self._running -= 1
        self._mark_loaded(details, use.prompt)
        if (chunk := incoming.rest()) is not None:
            yield chunk
        self._learn_times(times, incoming, details)
        yield incoming.end(self._note(incoming))

    async def count(self, request: ChatRequest) -> ContextUse:
        """See `Provider.count`. Estimated where the server is remote, does not count, or was not asked anything yet:

        a conversation that is only looked at must contact nobody.
        """
        model = self._own_name(request.model)
        if self.server.remote or self._speaker is None:
            length = self._remembered(model) or UNKNOWN_CONTEXT_TOKENS
            unknown = Details(ServerModel.unseen(self.server, model), length)
            return (await self._fit(request, self._known.get(model, unknown), exact=False))[1]
        details = await self._details(await self._dialect(), model)
        return (await self._fit(request, details, exact=details.counts))[1]

    async def load(self, model: str) -> LoadedModel:
        """See `Provider.load`. A server that loads by itself is only asked whether it has the model."""
        name = self._own_name(model)
        speaker = await self._dialect()
        self._health.used()
        details = await self._details(speaker, name)
        await speaker.load(details)
        return self._mark_loaded(await self._details(speaker, name), 0)

    async def embed(self, model: str, texts: Sequence[str]) -> Embeddings:
        """See `EmbeddingProvider.embed`. How the server pools, and which weights it has, it does not say."""
        if not texts or not all(text.strip() for text in texts):
            raise InvalidRequest("A text to be embedded is empty: it has no meaning.")
        name = self._own_name(model)
        speaker = await self._dialect()
        if self.server.remote:
            log.info("%d texts to be embedded go to %s", len(texts), self.server.place)
        try:
            found = await speaker.embed(name, texts)
        except CodetteError as error:
            if "embedding" in error.message.casefold():
                raise UnsupportedModel(f"{model} gives no embeddings: {error.message}", error.hint) from error
            raise
        return Embeddings(found.vectors, "", "", found.tokens)

    async def unload(self, model: str) -> bool:
        """See `Provider.unload`. A server that cannot be told to only leaves the list of loaded models."""
        name = self._own_name(model)
        name = self._known[name].model.display_name if name in self._known else name
        if self._loaded.pop(name, None) is None:
            return False
        await (await self._dialect()).unload(name)
        return True

    def loaded(self) -> list[LoadedModel]:
        """The models this application has loaded or asked there, most recently used first."""
        return list(reversed(self._loaded.values()))

    async def models(self) -> list[ServerModel]:
        """Ask the server what it can answer with. Raises CodetteErrors."""
        return await (await self._dialect()).models()

    async def check(self) -> str:
        """Ask whether the server is there; gives its name and version. Raises CodetteErrors; both go on the bus."""
        try:
            speaker = await self._dialect()
            await speaker.models()
            found = await speaker.check()
        except CodetteError as error:
            self._bus.publish(ServerChecked(self.server.name, str(error)))
            raise
        self._bus.publish(ServerChecked(self.server.name))
        return found

    async def aclose(self) -> None:
        """End the health checks and close the connections."""
        await self._health.aclose()
        await self.connection.aclose()

    async def _dialect(self) -> Dialect:
        if self._speaker is None:
            kind = self.server.kind
            if kind is ServerKind.AUTO:
                kind = await kind_of(self.connection)
            ollama = kind is ServerKind.OLLAMA
            self._speaker = Ollama(self.connection, self._context_length) if ollama else OpenAi(self.connection)
        return self._speaker

    async def _details(self, speaker: Dialect, model: str) -> Details:
        details = await speaker.details(model)
        self._known[model] = details
        return details

    async def _fit(self, request: ChatRequest, details: Details, *, exact: bool) -> tuple[list[Message], ContextUse]:
        name = details.model.display_name
        reckoner = self._reckoners.setdefault(name, Reckoner())

        async def counted(messages: Sequence[Message]) -> int:
            key = (name, tuple(messages))
            if key not in self._counts:
                while len(self._counts) >= _COUNTS_KEPT:
                    del self._counts[next(iter(self._counts))]
                self._counts[key] = await (await self._dialect()).count(name, messages)
            return self._counts[key]

        count = counted if exact else reckoner.count
        return await fit(request, details.context_length, count, reckoner=reckoner, exact=exact)

    async def _timed(
        self, deltas: AsyncIterator[Delta], times: ModelTimes, deadline: float
    ) -> AsyncGenerator[Delta, None]:
        """The deltas, each within its time. Only what is waited here counts, not what the reader does in between."""
        begun = False
        waited = 0.0
        while True:
            limit = times.stall if begun else max(0.001, deadline - waited)
            before = time.perf_counter()
            try:
                async with asyncio.timeout(limit):
                    delta = await anext(deltas, None)
            except TimeoutError:
                (times.gap if begun else times.first_token).timed_out()
                raise failures.too_slow(self.server, limit if begun else deadline, begun=begun) from None
            except httpx.HTTPError as error:
                raise failures.ended_early(self.server) from error
            took = time.perf_counter() - before
            if delta is None:
                return
            if begun and delta.reason is None:
                times.gap.sample(took)
            waited += took
            begun = begun or bool(delta.text or delta.thought)
            yield delta

    def _learn_times(self, times: ModelTimes, incoming: Incoming, details: Details) -> None:
        if incoming.first_at and not incoming.cut:
            load_s = incoming.load_ms / 1000 if details.cold else 0.0
            times.first_token_took(incoming.first_at - incoming.asked_at, incoming.use.prompt, load_s)

    def _note(self, incoming: Incoming) -> str:
        """What the server said it read is compared with what it was sent: some leave parts out without a word."""
        told, use = incoming.prompt_tokens, incoming.use
        if not told or not use.estimated:
            return ""
        reckoner = self._reckoners.setdefault(incoming.details.model.display_name, Reckoner())
        if told >= reckoner.least(incoming.messages):
            reckoner.learn(incoming.messages, told)
            return ""
        return (
            f"{self.server.name} read only {told:,} of about {use.prompt:,} tokens: {SERVER_CUT}. "
            "Ask a shorter question, or give the model a longer context there."
        )

    def _mark_loaded(self, details: Details, used: int) -> LoadedModel:
        name = details.model.display_name
        self._loaded.pop(name, None)
        self._loaded[name] = LoadedModel(
            name=details.model.name,
            label=details.model.label,
            device=self.server.place,
            threads=0,
            context_used=used,
            context_length=details.context_length,
            resident_bytes=details.memory_bytes,
        )
        return self._loaded[name]

    def _own_name(self, model: str) -> str:
        head, slash, rest = model.partition("/")
        return rest if slash and head.casefold() == self.server.name.casefold() else model


async def _drain(found: AsyncIterator[str]) -> None:
    """Read what follows the answer, mostly nothing: a connection whose response was read to its end can be kept."""
    with suppress(TimeoutError, httpx.HTTPError, CodetteError):
        async with asyncio.timeout(DRAIN_S):
            async for _line in found:
                pass
