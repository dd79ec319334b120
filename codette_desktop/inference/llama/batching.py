"""Continuous batching: the answers of one context are written together, a token each in one decode.

A request joins while others run: its prompt is read chunk by chunk beside their tokens. (Yu et al. 2022, "Orca".)
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

import numpy as np

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.errors import EngineFailure
from codette_desktop.inference.llama.context import Context, Feed, NoRoom
from codette_desktop.inference.llama.slots import Slots
from codette_desktop.inference.llama.vocabulary import Tokens


class Run(ABC):
    """One answer being written. Its methods are called on the decoder's thread; `cancel` on any.

    When `ended` is done no method will be called again.
    """

    prompt: Tokens

    def __init__(self) -> None:
        self.ended: Future[None] = Future()
        self.cancelled = False
        self.sequence = -1
        self.token: int | None = None  # to be decoded next; None while the prompt is being read
        self.unread = np.empty(0, np.int32)
        self.said: list[int] = []  # what came after `prompt`, with `token`
        self.interrupt: Callable[[], object] = lambda: None  # makes whatever is being decoded stop

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
        self.interrupt()


class Batch:
    """The answers being written in one context. The decoder's thread alone."""

    def __init__(self, context: Context, slots: Slots) -> None:
        self._context = context
        self._slots = slots
        self._waiting: deque[Run] = deque()
        self._runs: list[Run] = []
        self._full = False  # until an answer ends, no other begins

    @property
    def busy(self) -> bool:
        """Whether an answer is being written or waits to be. From any thread."""
        return bool(self._runs or self._waiting)

    def add(self, run: Run) -> None:
        """Write this answer too, from the next step on."""
        self._waiting.append(run)

    def step(self) -> None:
        """One decode for all, and a token for each whose prompt has been read."""
        self._context.resume()  # before looking for cancelled ones: a cancel from now on is heard
        self._drop_cancelled()
        self._admit()
        runs = self._runs
        try:
            if len(runs) == 1 and (token := runs[0].token) is not None:
                if self._context.decode_one(runs[0].sequence, token):
                    self._advance(runs[0], -1)
                else:
                    self._read_lost_again()
            elif runs:
                self._step_together()
        except NoRoom as full:
            self._read_lost_again()
            self._make_room(full)
        except EngineFailure as error:
            self.fail_all(error)

    def _step_together(self) -> None:
        feeds = [self._feed(run) for run in self._runs]
        if not self._context.decode(feeds):
            self._read_lost_again()
            return
        row = -1
        for run, feed in zip(tuple(self._runs), feeds, strict=True):
            row += len(feed.tokens)
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

    def _admit(self) -> None:
        """Begin what waits: one prompt is read at a time, so that the next can share what it has in common with it."""
        while self._waiting and not self._full and all(run.token is not None for run in self._runs):
            try:
                found = self._slots.take(self._waiting[0].prompt)
            except Exception as error:  # noqa: BLE001 - told to whoever asked; the next one is not to be kept waiting
                self._end(self._waiting.popleft(), error)
                continue
            if found is None:
                return
            run = self._waiting.popleft()
            run.sequence, reused = found
            run.unread = run.prompt[reused:]
            self._runs.append(run)
            run.begun(reused)

    def _drop_cancelled(self) -> None:
        for run in [run for run in self._runs if run.cancelled]:
            self._end(run, reason=FinishReason.CANCELLED)
        for run in [run for run in self._waiting if run.cancelled]:
            self._waiting.remove(run)
            self._end(run, reason=FinishReason.CANCELLED)

    def _make_room(self, full: NoRoom) -> None:
        """The cells are used up: idle sequences go first, then the answer that began last waits for its turn again."""
        if self._slots.make_room() or not self._runs:
            return
        run = self._runs[-1]
        if len(self._runs) == 1:
            self._end(run, full)
            return
        self._full = True
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
        self._waiting.appendleft(run)

    def _end(self, run: Run, error: Exception | None = None, reason: FinishReason | None = None) -> None:
        if run in self._runs:
            self._runs.remove(run)
            self._slots.give_back(run.sequence)
            self._full = False
        try:
            if error is not None:
                run.fail(error)
            else:
                run.finish(reason)
        finally:
            run.ended.set_result(None)

    def abort(self) -> None:
        """Make the decode in progress stop. Any thread."""
        self._context.abort()

    def fail_all(self, error: Exception) -> None:
        """End every answer that has begun with `error`: what it stood on is lost."""
        for run in tuple(self._runs):
            self._end(run, error)

    def cancel_all(self) -> None:
        """End everything now, as cancelled."""
        for run in (*self._runs, *self._waiting):
            run.cancelled = True
        self._drop_cancelled()
