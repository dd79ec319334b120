"""Writing together as the provider in this process does it: all models in memory, then the decoder's work."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from codette_desktop.domain.errors import CodetteError, EngineFailure, InvalidRequest
from codette_desktop.domain.joint import JointDropped, JointEnd, JointPart, JointRequest, JointToken
from codette_desktop.domain.models import ModelInfo
from codette_desktop.domain.requests import ChatRequest
from codette_desktop.inference.llama.embedding_service import stopped
from codette_desktop.inference.llama.outbox import FLUSH_EVERY_S
from codette_desktop.inference.llama.seats import Seat

if TYPE_CHECKING:
    from codette_desktop.inference.llama.decoder import Decoder
    from codette_desktop.inference.llama.joint.run import JointRun
    from codette_desktop.inference.llama.joint.writer import Writer

Hold = Callable[[ModelInfo, "JointMember"], Awaitable[Seat]]


class JointMember:
    """One member that is about to write: what an answer needs before it begins."""

    def __init__(self, place: int, request: ChatRequest) -> None:
        self.place = place
        self.request = request
        self.writer: Writer | None = None
        self.room = 0
        self.stops: tuple[str, ...] = ()

    def prepare(self, seat: Seat, _load_ms: float) -> None:
        """Write the prompt, and read the vocabulary. Not on the decoder's thread.

        Raises InvalidRequest, PromptTooLong, UnsupportedModel.
        """
        from codette_desktop.inference.llama.joint.table import ByteTable
        from codette_desktop.inference.llama.joint.writer import Writer

        prompt = seat.writer.write(self.request, seat.context.length)
        seat.slots.fetch(prompt.tokens)
        self.room, self.stops = prompt.use.room, prompt.stops
        table = ByteTable.of(seat.model.vocabulary)
        _ = table.fingerprint
        self.writer = Writer(self.place, seat.context, seat.slots, prompt.tokens, table)

    def discard(self) -> None:
        """Nothing is held besides the seat."""


class JointService:
    """`find` finds a model that writes, `hold` has it in memory with the member prepared, `release` is its inverse."""

    def __init__(
        self,
        find: Callable[[str], Awaitable[ModelInfo]],
        hold: Hold,
        release: Callable[[Seat], object],
        decoder: "Callable[[], Decoder]",
    ) -> None:
        self._find = find
        self._hold = hold
        self._release = release
        self._decoder = decoder
        self._holding = asyncio.Lock()  # two that wait for memory that the other has would wait for ever

    async def write(self, request: JointRequest) -> AsyncGenerator[JointPart, None]:
        """See `JointProvider.write_together`."""
        refuse(request)
        queue: asyncio.Queue[JointPart | Exception] = asyncio.Queue()
        seats: list[Seat] = []
        members: list[JointMember] = []
        run: JointRun | None = None
        try:
            async with self._holding:
                for place, one in enumerate(request.requests):
                    try:
                        member = JointMember(place, one)
                        seats.append(await self._hold(await self._find(one.model), member))
                        members.append(member)
                    except CodetteError as error:
                        yield JointDropped(place, error)
            if not members:
                raise EngineFailure("None of the models can write.", "Choose other models.")
            run = self._begun(request, members, seats, queue)
            while True:
                part = await queue.get()
                if isinstance(part, Exception):
                    raise part
                yield part
                if isinstance(part, JointEnd):
                    return
        finally:
            if run is None:
                for seat in seats:
                    self._release(seat)
            else:
                await stopped(run)

    def _begun(
        self,
        request: JointRequest,
        members: list[JointMember],
        seats: list[Seat],
        queue: "asyncio.Queue[JointPart | Exception]",
    ) -> "JointRun":
        from codette_desktop.inference.llama.joint.run import JointRun

        loop = asyncio.get_running_loop()
        batches = {member.place: seat.batch for member, seat in zip(members, seats, strict=True)}

        held: list[JointPart | Exception] = []
        sent_at = 0.0

        def send(part: JointPart | Exception) -> None:
            """On the decoder's thread. Tokens go in batches, since each hand-over wakes the loop."""
            nonlocal held, sent_at
            held.append(part)
            now = time.perf_counter()
            if isinstance(part, JointToken) and now - sent_at < FLUSH_EVERY_S:
                return
            sent_at, parts, held = now, held, []
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(lambda: [queue.put_nowait(one) for one in parts])

        def failed(writer: "Writer", error: Exception) -> None:
            batches[writer.place].fail_all(error)  # what they stood on is lost too

        leader = max(members, key=lambda member: (request.weights[member.place], -member.place))
        run = JointRun(
            [member.writer for member in members if member.writer is not None],
            request.weights,
            leader.request.sampling,
            leader.stops,
            min(member.room for member in members),
            send,
            gated=request.gated,
            takes_part=request.takes_part,
            on_engine_failure=failed,
        )
        self._decoder().take(run)

        def release(_done: Any) -> None:
            for seat in seats:
                self._release(seat)

        run.ended.add_done_callback(release)
        return run


def refuse(request: JointRequest) -> None:
    """Raise InvalidRequest for what cannot be written together."""
    if not request.requests or len(request.weights) != len(request.requests):
        raise InvalidRequest("Nobody is asked to write.", "Choose at least one model.")
    if any(one.sampling.grammar or one.sampling.json_schema for one in request.requests):
        raise InvalidRequest(
            "An answer written token by token cannot follow a grammar or a JSON schema.", "Choose another method."
        )
