"""Writing together as the provider in this process does it: all models in memory, then the decoder's work."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from codette_desktop.domain.errors import (
    Cancelled,
    CodetteError,
    EngineFailure,
    InvalidRequest,
    ModelLoadFailed,
    UnsupportedModel,
)
from codette_desktop.domain.joint import JointDropped, JointEnd, JointPart, JointRequest, JointToken
from codette_desktop.domain.models import ModelInfo
from codette_desktop.domain.requests import ChatRequest
from codette_desktop.inference.llama.embedding_service import stopped
from codette_desktop.inference.llama.lora import adapter_set
from codette_desktop.inference.llama.outbox import FLUSH_EVERY_S
from codette_desktop.inference.llama.seats import Seat

if TYPE_CHECKING:
    from codette_desktop.inference.llama.decoder import Decoder
    from codette_desktop.inference.llama.joint.run import JointRun
    from codette_desktop.inference.llama.joint.writer import Writer

PATIENCE_S = 60.0  # for a model to be in memory together with the others, after it has been loaded
HOLDING_S = 20.0  # for another context on weights that are held meanwhile
_LOOK_EVERY_S = 0.02


class Refused(Exception):
    """A member cannot write."""

    def __init__(self, place: int, error: CodetteError) -> None:
        super().__init__(error.message)
        self.place = place
        self.error = error


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


@dataclass(frozen=True, slots=True)
class Held:
    """A member with what it stands on."""

    member: JointMember
    seat: Seat


class JointService:
    """`find` finds a model that writes, `load` brings one into memory.

    `hold` prepares a member on a model that is in memory, and gives None where it is not, or where all its contexts are
    in use with other adapters; `release` is its inverse. On one model there are at most `contexts` sets of adapters.
    """

    def __init__(
        self,
        find: Callable[[str], Awaitable[ModelInfo]],
        hold: Callable[[ModelInfo, JointMember], Awaitable[Seat | None]],
        load: Callable[[ModelInfo], Awaitable[object]],
        release: Callable[[Seat], object],
        decoder: "Callable[[], Decoder]",
        contexts: int,
    ) -> None:
        self._find = find
        self._hold = hold
        self._load = load
        self._release = release
        self._decoder = decoder
        self._contexts = contexts

    async def write(self, request: JointRequest) -> AsyncGenerator[JointPart, None]:
        """See `JointProvider.write_together`."""
        refuse(request)
        queue: asyncio.Queue[JointPart | Exception] = asyncio.Queue()
        held: dict[int, Held] = {}
        run: JointRun | None = None
        try:
            async for dropped in self._all_held(request, held):
                yield dropped
            run = self._begun(request, [held[place] for place in sorted(held)], queue)
            while True:
                part = await queue.get()
                if isinstance(part, Exception):
                    raise part
                yield part
                if isinstance(part, JointEnd):
                    return
        finally:
            if run is None:
                self._release_all(held)
            else:
                await stopped(run)

    async def _all_held(self, request: JointRequest, held: dict[int, Held]) -> AsyncGenerator[JointDropped, None]:
        """Have all members that can be in memory at once there, in `held`, and say which cannot.

        Nothing is held while memory is waited for: whoever has it may be waiting for just what is held.
        """
        models, errors = await self._models(request)
        brought_in: dict[int, float] = {}
        while True:
            for place in tuple(models):
                if not request.takes_part(place):
                    errors[place] = Cancelled("It was stopped.")
            for place, error in errors.items():
                models.pop(place, None)
                yield JointDropped(place, error)
            if not models:
                raise next(iter(errors.values()), EngineFailure("None of the models can write."))
            errors = {}
            try:
                missing = await self._hold_all(request, models, held)
            except Refused as refused:
                errors[refused.place] = refused.error
                continue
            if missing is None:
                return
            self._release_all(held, but=models[missing])
            if missing in brought_in and time.monotonic() - brought_in[missing] > PATIENCE_S:
                errors[missing] = ModelLoadFailed(
                    f"{models[missing].label} could not be in memory beside the others.",
                    "Close other programs, or choose fewer models.",
                )
                continue
            try:
                async with asyncio.timeout(HOLDING_S if held else None):
                    await self._load(models[missing])
            except TimeoutError:
                pass  # somebody waits for what is held, and this load for them
            except CodetteError as error:
                errors[missing] = error
            self._release_all(held)
            brought_in.setdefault(missing, time.monotonic())
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _models(self, request: JointRequest) -> tuple[dict[int, ModelInfo], dict[int, CodetteError]]:
        models: dict[int, ModelInfo] = {}
        errors: dict[int, CodetteError] = {}
        sets: dict[object, set[object]] = {}
        for place, one in enumerate(request.requests):
            try:
                info = await self._find(one.model)
            except CodetteError as error:
                errors[place] = error
                continue
            known = sets.setdefault(info.path, set())
            if adapter_set(info) not in known and len(known) >= self._contexts:
                many = f"{self._contexts} sets of adapters" if self._contexts > 1 else "one set of adapters"
                errors[place] = UnsupportedModel(f"No more than {many} of one model can write at once.")
                continue
            known.add(adapter_set(info))
            models[place] = info
        return models, errors

    async def _hold_all(self, request: JointRequest, models: dict[int, ModelInfo], held: dict[int, Held]) -> int | None:
        """None where all are held, else the place of one that is not in memory. Raises Refused, with nothing held."""
        for place, info in models.items():
            member = JointMember(place, request.requests[place])
            try:
                seat = await self._hold(info, member)
            except CodetteError as error:
                self._release_all(held)
                raise Refused(place, error) from None
            if seat is None:
                return place
            held[place] = Held(member, seat)
        return None

    def _release_all(self, held: dict[int, Held], but: ModelInfo | None = None) -> None:
        """`but` keeps those on the same weights: else one's context is given to the next, and then taken back again."""
        for place, one in tuple(held.items()):
            if but is None or one.seat.info.path != but.path:
                self._release(held.pop(place).seat)

    def _begun(
        self,
        request: JointRequest,
        held: list[Held],
        queue: "asyncio.Queue[JointPart | Exception]",
    ) -> "JointRun":
        from codette_desktop.inference.llama.joint.run import JointRun

        loop = asyncio.get_running_loop()
        members = [one.member for one in held]
        batches = {one.member.place: one.seat.batch for one in held}

        waiting: list[JointPart | Exception] = []
        sent_at = 0.0

        def send(part: JointPart | Exception) -> None:
            """On the decoder's thread. Tokens go in batches, since each hand-over wakes the loop."""
            nonlocal waiting, sent_at
            waiting.append(part)
            now = time.perf_counter()
            if isinstance(part, JointToken) and now - sent_at < FLUSH_EVERY_S:
                return
            sent_at, parts, waiting = now, waiting, []
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
            for one in held:
                self._release(one.seat)

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
