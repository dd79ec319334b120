"""Continuous batching: the answers of one context are written together, a token each in one decode.

A request joins while others run: its prompt is read chunk by chunk beside their tokens. (Yu et al. 2022, "Orca".)

A cancelled answer ends at once, whatever is being decoded. The decode itself is stopped only where nobody else needs
it: otherwise cancels that follow each other would have a long prompt read from the start of its chunk for ever.
"""

import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from enum import Enum, auto

import numpy as np

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.errors import EngineFailure
from codette_desktop.inference.llama.context import Context, Feed, NoRoom
from codette_desktop.inference.llama.slots import Slots
from codette_desktop.inference.llama.vocabulary import Tokens


class Run(ABC):
    """One answer being written. Its methods are called on the decoder's thread; `cancel` on any.

    `finish` may be called by whoever cancels, while no other method is. When `ended` is done none will be called again.
    """

    prompt: Tokens

    def __init__(self) -> None:
        self.ended: Future[None] = Future()
        self.cancelled = False
        self.gone = False  # ended: nothing more is to be written, though the sequence may still be its own
        self.sequence = -1
        self.token: int | None = None  # to be decoded next; None while the prompt is being read
        self.unread = np.empty(0, np.int32)
        self.said: list[int] = []  # what came after `prompt`, with `token`
        self.leave: Callable[[Run], object] = lambda _run: None  # tells the batch of a cancel

    @abstractmethod
    def begun(self, reused: int) -> None:
        """Hear that the prompt is about to be read, and how many of its tokens were in memory already."""

    @abstractmethod
    def next(self, context: Context, row: int) -> int | None:
        """The token after a row of the last decode; None when the answer is complete."""

    @abstractmethod
    def finish(self, reason: FinishReason | None = None) -> None:
        """Hear that the answer has ended: for its own reason, or for the one given."""

    @abstractmethod
    def fail(self, error: Exception) -> None:
        """Hear what the answer has failed of."""

    def cancel(self) -> None:
        """Have the answer end within some milliseconds, also in the middle of a decode."""
        self.cancelled = True
        self.leave(self)


class _At(Enum):
    """What the decoder is doing with a batch: nothing, something short, or a decode, which may take seconds."""

    REST = auto()
    WORK = auto()
    DECODE = auto()


class Batch:
    """The answers being written in one context. The decoder's thread alone, but for `busy`, `add`, `leave`, `abort`."""

    def __init__(self, context: Context, slots: Slots) -> None:
        self._context = context
        self._slots = slots
        self._waiting: deque[Run] = deque()
        self._runs: list[Run] = []
        self._full = False  # until an answer ends, no other begins
        self._at = _At.REST
        self._lock = threading.Lock()  # guards the three above; held only for moments

    @property
    def busy(self) -> bool:
        """Whether an answer is being written or waits to be. From any thread."""
        return bool(self._runs or self._waiting)

    def add(self, run: Run) -> None:
        """Write this answer too, from the next step on. Any thread."""
        run.leave = self.leave
        with self._lock:
            self._waiting.append(run)

    def leave(self, run: Run) -> None:
        """End a cancelled answer: at once, or where it may be in use within some milliseconds. Any thread."""
        with self._lock:
            if run in self._waiting:
                self._waiting.remove(run)
            elif run.gone or run not in self._runs or self._at is _At.WORK:
                return  # it has ended, or the decoder sees to it when it has done what it does
            elif self._at is _At.DECODE and all(other.cancelled for other in self._runs):
                self._context.abort()  # the decoder ends it: what it stands on is in use until then
                return
            run.gone = True
        _tell_end(run, reason=FinishReason.CANCELLED)

    def step(self) -> None:
        """One decode for all, and a token for each whose prompt has been read."""
        with self._lock:
            self._at = _At.WORK
        try:
            self._context.resume()
            self._drop_cancelled()
            self._admit()
            if self._runs:
                self._write()
        finally:
            self._drop_cancelled(then=_At.REST)

    def _write(self) -> None:
        try:
            if len(self._runs) == 1 and (token := self._runs[0].token) is not None:
                self._step_one(self._runs[0], token)
            else:
                self._step_together()
        except NoRoom as full:
            self._work()
            self._read_lost_again()
            self._make_room(full)
        except EngineFailure as error:
            self._work()
            self.fail_all(error)

    def _step_one(self, run: Run, token: int) -> None:
        if not self._begin_decode():
            return
        decoded = self._context.decode_one(run.sequence, token)
        self._work()
        if decoded:
            self._advance(run, -1)
        else:
            self._read_lost_again()

    def _step_together(self) -> None:
        runs = tuple(self._runs)
        feeds = [self._feed(run) for run in runs]
        if not self._begin_decode():
            return
        decoded = self._context.decode(feeds)
        self._work()
        if not decoded:
            self._read_lost_again()
            return
        row = -1
        for run, feed in zip(runs, feeds, strict=True):
            row += len(feed.tokens)
            if run.gone:
                continue
            if run.token is None:
                run.unread = run.unread[len(feed.tokens) :]
            if feed.wanted:
                self._advance(run, row)

    def _feed(self, run: Run) -> Feed:
        if run.token is not None:
            return Feed(run.sequence, np.array([run.token], np.int32))
        part = run.unread[: self._context.chunk]
        return Feed(run.sequence, part, len(part) == len(run.unread))

    def _advance(self, run: Run, row: int) -> None:
        try:
            run.token = run.next(self._context, row)
        except Exception as error:  # noqa: BLE001 - told to whoever asked; the other answers go on
            self._end(run, error)
            return
        if run.token is None:
            self._end(run)
        else:
            run.said.append(run.token)

    def _begin_decode(self) -> bool:
        """From now on a cancel does not wait for the decoder. False where nobody is left to decode for."""
        with self._lock:
            left = [run for run in self._runs if run.cancelled]
            if len(left) == len(self._runs):
                return False
            self._at = _At.DECODE
            left = [run for run in left if not run.gone]
            for run in left:
                run.gone = True
        for run in left:
            _tell_end(run, reason=FinishReason.CANCELLED)
        return True

    def _work(self) -> None:
        """From now on the answers are in use by the decoder, but for those that left meanwhile."""
        with self._lock:
            self._at = _At.WORK
        for run in [run for run in self._runs if run.gone]:
            self._end(run)

    def _admit(self) -> None:
        """Begin what waits: one prompt is read at a time, so that the next can share what it has in common with it."""
        while not self._full and all(run.token is not None for run in self._runs):
            with self._lock:
                run = self._waiting.popleft() if self._waiting else None
            if run is None:
                return
            try:
                found = self._slots.take(run.prompt)
            except Exception as error:  # noqa: BLE001 - told to whoever asked; the next one is not to be kept waiting
                self._end(run, error)
                continue
            if found is None:
                with self._lock:
                    self._waiting.appendleft(run)
                return
            run.sequence, reused = found
            run.unread = run.prompt[reused:]
            self._runs.append(run)
            run.begun(reused)

    def _drop_cancelled(self, then: _At = _At.WORK) -> None:
        """End what was cancelled. Only where nothing of that is left the batch is at `then`."""
        while True:
            with self._lock:
                left = [run for run in (*self._runs, *self._waiting) if run.cancelled]
                if not left:
                    self._at = then
                    return
                for run in left:
                    if run in self._waiting:
                        self._waiting.remove(run)
            for run in left:
                self._end(run, reason=FinishReason.CANCELLED)

    def _make_room(self, full: NoRoom) -> None:
        """The cells are used up: idle sequences go first, then the answer that began last waits for its turn again."""
        if self._slots.make_room() or not self._runs:
            return
        run = self._runs[-1]
        if len(self._runs) == 1 and self._slots.in_use == 1:
            self._end(run, full)
            return
        self._full = len(self._runs) > 1  # else somebody outside this batch writes: an answer of several models
        self._wait_again(run)

    def _read_lost_again(self) -> None:
        """A decode that did not end may have taken what was in memory before: recurrent models cannot go back."""
        for run in tuple(self._runs):
            decoded = len(run.prompt) - len(run.unread) + len(run.said) - (run.token is not None)
            if not run.cancelled and decoded != len(self._context.tokens[run.sequence]):
                self._wait_again(run)

    def _wait_again(self, run: Run) -> None:
        """Have a run that has begun read all it had, as the prompt of the same answer."""
        self._runs.remove(run)
        run.prompt = np.concatenate([run.prompt, np.array(run.said, np.int32)])
        run.said, run.token = [], None
        self._slots.give_back(run.sequence)
        with self._lock:
            self._waiting.appendleft(run)

    def _end(self, run: Run, error: Exception | None = None, reason: FinishReason | None = None) -> None:
        """Let go of a run; whoever asked is told, unless that was done when it was cancelled."""
        with self._lock:
            told, run.gone = run.gone, True
        if run in self._runs:
            self._runs.remove(run)
            self._slots.give_back(run.sequence)
            self._full = False
        if not told:
            _tell_end(run, error, reason)

    def abort(self) -> None:
        """Make the decode in progress stop. Any thread."""
        self._context.abort()

    def fail_all(self, error: Exception) -> None:
        """End every answer that has begun with `error`: what it stood on is lost."""
        for run in tuple(self._runs):
            self._end(run, error)

    def cancel_all(self) -> None:
        """End everything now, as cancelled."""
        with self._lock:
            self._at = _At.WORK
        for run in (*self._runs, *self._waiting):
            run.cancelled = True
        self._drop_cancelled()


def _tell_end(run: Run, error: Exception | None = None, reason: FinishReason | None = None) -> None:
    try:
        if error is not None:
            run.fail(error)
        else:
            run.finish(reason)
    finally:
        run.ended.set_result(None)
