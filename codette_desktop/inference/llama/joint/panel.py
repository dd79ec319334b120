"""Those who write one answer: their places in their contexts, whom of them one can still ask, and stopping them."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from codette_desktop.domain.errors import Cancelled, CodetteError, EngineFailure
from codette_desktop.domain.joint import JointDropped, JointPart
from codette_desktop.inference.llama.context import NoRoom
from codette_desktop.inference.llama.joint.fusing import Scores
from codette_desktop.inference.llama.joint.writer import Interrupted, Writer

R = TypeVar("R")
Send = Callable[[JointPart | Exception], object]
_SIT_EVERY_S = 0.005


class NobodyLeft(Exception):
    """The last member takes no part any more, for the reason in `error`."""

    def __init__(self, error: CodetteError) -> None:
        super().__init__(error.message)
        self.error = error


class Panel:
    """`writers` are those left, the one that counts most first. The decoder's thread, but for `cancel` and `abort`.

    Who drops out is told to `send`. `takes_part` says whether the member at a place still does, `on_engine_failure`
    hears whose engine failed: what stood in that context is lost.
    """

    def __init__(
        self,
        writers: Sequence[Writer],
        weights: Sequence[float],
        send: Send,
        takes_part: Callable[[int], bool],
        on_engine_failure: Callable[[Writer, Exception], object],
    ) -> None:
        self.everybody = tuple(writers)
        self.writers = sorted(writers, key=lambda writer: (-weights[writer.place], writer.place))
        self.seated = self.ready = False  # all have a sequence; all prompts have been read
        self.cancelled = False
        self._send = send
        self._takes_part = takes_part
        self._on_engine_failure = on_engine_failure
        self._sit_at = 0.0  # not before it is it tried again
        self._at: Writer | None = None  # whose decode runs
        self._lock = threading.Lock()  # guards that, and that a cancel does not pass it by

    @property
    def leader(self) -> Writer:
        """Who drafts."""
        return self.writers[0]

    @property
    def computing_s(self) -> float:
        """What all models have computed, in seconds."""
        return sum(writer.computing_s for writer in self.everybody)

    def cancel(self) -> None:
        """Ask nobody any more, and make the decode in progress stop. Any thread."""
        with self._lock:
            self.cancelled = True
            self._abort()

    def abort(self) -> None:
        """Make the decode in progress stop. Any thread."""
        with self._lock:
            self._abort()

    def _abort(self) -> None:
        if self._at is not None:
            self._at.context.abort()

    def gather(self) -> None:
        """Begin a step: allow decoding again, and let those go whom the person has stopped. Raises NobodyLeft."""
        for writer in tuple(self.writers):
            if self._takes_part(writer.place):
                writer.context.resume()
            else:
                self.drop(writer, Cancelled("It was stopped."))

    # Places

    def sit(self) -> None:
        """All at once or none: two answers that wait for each other's places would wait for ever."""
        if time.perf_counter() < self._sit_at:
            return
        for writer in self.writers:
            if not writer.sit():
                self._stand_up()
                return
        self.seated = True

    def leave(self) -> None:
        """Give all places back. May be called twice."""
        for writer in self.everybody:
            writer.leave()

    def _stand_up(self) -> None:
        self.leave()
        self.seated, self._sit_at = False, time.perf_counter() + _SIT_EVERY_S

    # Asking

    def read_prompts(self) -> None:
        """A part of a prompt. Raises Interrupted, NobodyLeft."""
        for writer in tuple(self.writers):
            if self._ask(writer, writer.read_prompt):
                return
        self.ready = True

    def scores(self, writer: Writer, count: int, *, leaving: int = 0) -> list[Scores] | None:
        """See `Writer.score`; None where the member takes no part from now on. Raises Interrupted, NobodyLeft."""
        found = self._ask(writer, lambda: writer.score(count, lambda: self.cancelled, leaving=leaving))
        return None if found is None else [Scores(writer.table, logits) for logits in found]

    def drop(self, writer: Writer, error: CodetteError) -> None:
        """Go on without a member. Raises NobodyLeft."""
        if isinstance(error, EngineFailure) and not isinstance(error, NoRoom):
            self._on_engine_failure(writer, error)
        if len(self.writers) == 1:
            raise NobodyLeft(error)
        self.writers.remove(writer)
        writer.leave()
        self._send(JointDropped(writer.place, error))

    def _ask(self, writer: Writer, work: Callable[[], R]) -> R | None:
        with self._lock:
            if self.cancelled:
                raise Interrupted
            self._at = writer
        try:
            return self._until_there_is_room(writer, work)
        except EngineFailure as error:
            self.drop(writer, error)
            return None
        finally:
            with self._lock:
                self._at = None

    def _until_there_is_room(self, writer: Writer, work: Callable[[], R]) -> R:
        while True:
            try:
                return work()
            except NoRoom:
                if writer.make_room():
                    continue
                if not self._others_sit(writer):
                    raise
                if not self.ready:  # whoever writes goes first
                    self._stand_up()
                raise Interrupted from None

    def _others_sit(self, writer: Writer) -> bool:
        """Whether other answers than this one are being written in the member's context."""
        ours = sum(one.context is writer.context for one in self.writers)
        return writer.in_use > ours
