"""The budget of memory that all models share, in this process and in processes of their own.

Who wants to load a model asks for what it needs (`ask`) and loads when that is granted. What fits is granted at once;
what does not waits its turn, the first come first, while the models used longest ago leave for it: idle ones at once,
those in use when their answers have ended. Nobody overtakes, and a model that is waited for takes new answers for a
moment only, so nobody waits for ever. Refused is only what would not fit if everything else had left, and what two
would otherwise wait for from each other.
"""

import threading
import time
from collections.abc import Callable, Iterable

from codette_desktop.domain.errors import ModelLoadFailed
from codette_desktop.inference.holding import NOTHING, Amount, Holding, Stage
from codette_desktop.models.fit import size_text

GRACE_S = 1.0


class MemoryBudget:
    """Grants memory. `free` measures what is free now on each device. Any thread; only `close` blocks."""

    def __init__(
        self,
        free: Callable[[], Amount],
        rule: "Callable[[Amount], Amount]" = lambda whole: whole,
        *,
        grace_s: float = GRACE_S,
    ) -> None:
        """`rule` makes of what would be free without our models what they may hold together.

        For `grace_s` after somebody has begun to wait, a model in use takes new answers: those of one burst share it.
        """
        self._measure = free
        self._grace_s = grace_s
        self._rule = rule
        self._lock = threading.RLock()
        self._holdings: list[Holding] = []  # granted, and not gone
        self._queue: list[Holding] = []
        self._sweeper: threading.Thread | None = None
        self._swept = threading.Condition(self._lock)
        self._closed = False
        self._calls: list[Callable[[], object]] = []

    def ask(self, holding: Holding) -> Holding:
        """Queue it; it is granted before this returns where it fits and nobody waits."""
        with self._lock:
            self._queue.append(holding)
        self.look_again()
        return holding

    def room(self) -> Amount:
        """What may be taken now without anybody leaving."""
        with self._lock:
            return self._room()

    def ours(self) -> Amount:
        """What models in memory would give back if all left."""
        with self._lock:
            return _total(item.need for item in self._holdings)

    def waiting(self) -> list[str]:
        """The labels of those that wait, the next first."""
        with self._lock:
            return [item.label for item in self._queue]

    def close(self) -> None:
        """End the watch over idle models."""
        with self._lock:
            self._closed = True
            self._swept.notify_all()
            sweeper = self._sweeper
        if sweeper is not None and sweeper is not threading.current_thread():
            sweeper.join()

    # What holdings tell

    def on_ready(self, holding: Holding) -> None:
        """See `Holding.ready`."""
        with self._lock:
            if holding.stage is Stage.LOADING:
                holding.stage = Stage.READY
                holding.used_at = time.monotonic()
            self._watch()
        self.look_again()

    def on_take(self, holding: Holding) -> bool:
        """See `Holding.take`."""
        with self._lock:
            if holding.stage not in (Stage.LOADING, Stage.READY) or holding.retired:
                return False
            now = time.monotonic()
            if holding.draining and (not self._queue or now - self._queue[0].asked_at >= self._grace_s):
                return False
            holding.users += 1
            holding.used_at = now
            return True

    def on_resize(self, holding: Holding, need: Amount) -> bool:
        """See `Holding.resize`."""
        with self._lock:
            more = Amount(max(0, need.cpu - holding.need.cpu), max(0, need.gpu - holding.need.gpu))
            if more != NOTHING and (self._queue or not more.fits(self._room())):
                return False
            holding.need = need
        self.look_again()
        return True

    def on_give_back(self, holding: Holding) -> None:
        """See `Holding.give_back`."""
        with self._lock:
            holding.users -= 1
            holding.used_at = time.monotonic()
            self._swept.notify_all()
        self.look_again()

    def on_retire(self, holding: Holding) -> None:
        """See `Holding.retire`."""
        with self._lock:
            holding.retired = True
        self.look_again()

    def on_free(self, holding: Holding) -> None:
        """See `Holding.free`."""
        with self._lock:
            holding.stage = Stage.GONE
            holding.decided.cancel()
            self._queue = [item for item in self._queue if item is not holding]
            self._holdings = [item for item in self._holdings if item is not holding]
            self._swept.notify_all()
        self.look_again()

    # Who gets what

    def look_again(self) -> None:
        """Grant what can be granted now. Called after each change; call it when others may have freed memory."""
        with self._lock:
            for item in self._holdings:
                item.draining = item.stage is Stage.LEAVING or item.retired
            self._send_away(*(item for item in self._holdings if item.retired and item.stage is not Stage.LEAVING))
            while self._queue and self._serve_one():
                pass
        self._make_calls()

    def _make_calls(self) -> None:
        with self._lock:
            calls, self._calls = self._calls, []
        for call in calls:
            call()

    def _serve_one(self) -> bool:
        """Decide about one that waits; False where all must go on waiting."""
        stuck: list[Holding] = []
        for waiter in self._queue:
            progress = self._serve(waiter)
            if progress is not None:
                return progress
            stuck.append(waiter)
        # Each waits for a model that another one who waits is holding: the last to come gives way.
        holders = [item for item in stuck if item.holds]
        if not holders or any(item.stage is Stage.LEAVING or _is_loading(item) for item in self._holdings):
            return False
        self._refuse(holders[-1])
        return True

    def _serve(self, waiter: Holding) -> bool | None:
        """True: decided. False: it waits for what will come. None: only for what others who wait are holding."""
        room = self._room()
        if waiter.need.fits(room):
            self._grant(waiter)
            return True
        coming = room + _total(item.need for item in self._holdings if item.stage is Stage.LEAVING)
        if waiter.need.fits(coming):
            return False
        kept_by_waiters = frozenset[Holding]().union(*(item.holds for item in self._queue if item is not waiter))
        loading = [item for item in self._holdings if _is_loading(item)]
        if waiter.need.fits(coming + _total(item.need for item in loading)):
            return False  # what they have taken already counts twice until they are ready
        ready = [
            item
            for item in self._holdings
            if item.stage is not Stage.LEAVING and not _is_loading(item) and item not in waiter.holds
        ]
        free_to_go = [item for item in ready if item not in kept_by_waiters or not item.users]
        if (chosen := _enough(waiter.need, coming, free_to_go)) is not None:
            self._send_away(*chosen)
            return False
        if loading:
            return False
        if _enough(waiter.need, coming, ready) is not None:
            return None
        if any(item.stage is Stage.LEAVING for item in self._holdings):
            return False  # what is being measured is about to change
        self._refuse(waiter)
        return True

    def _send_away(self, *holdings: Holding) -> None:
        """Have them leave now, or when the last user has given them back."""
        for item in holdings:
            item.draining = True
            if not item.users:
                item.stage = Stage.LEAVING
                self._calls.append(item.leave)

    def _grant(self, waiter: Holding) -> None:
        self._queue.remove(waiter)
        if waiter.decided.set_running_or_notify_cancel():
            waiter.stage = Stage.LOADING
            waiter.users = 1
            self._holdings.append(waiter)
            waiter.decided.set_result(None)

    def _refuse(self, waiter: Holding) -> None:
        self._queue.remove(waiter)
        waiter.stage = Stage.GONE
        if waiter.decided.set_running_or_notify_cancel():
            waiter.decided.set_exception(self._refusal(waiter))

    def _refusal(self, waiter: Holding) -> ModelLoadFailed:
        kept = _total(item.need for item in self._holdings if item in waiter.holds)
        most = self._room() + _total(item.need for item in self._holdings) - kept
        parts = [f"{size_text(waiter.need.cpu)} of memory; {size_text(max(0, most.cpu))} can be had"]
        if waiter.need.gpu:
            parts.append(f"{size_text(waiter.need.gpu)} of the GPU's; {size_text(max(0, most.gpu))} can be had")
        message = f"{waiter.label} needs {', and '.join(parts)}."
        if waiter.holds:
            message += f" It is wanted together with {', '.join(sorted(item.label for item in waiter.holds))}."
        advice = f"{waiter.advice[0].upper()}{waiter.advice[1:]}." if waiter.advice else ""
        return ModelLoadFailed(message, advice or "Choose a shorter context or a smaller model, or close programs.")

    def _room(self) -> Amount:
        """What is free counts mapped weights of ours, and what is being loaded or freed in part: none of it is free."""
        held = _total(item.need for item in self._holdings)
        free = self._measure()
        for item in self._holdings:
            free = free - (item.reclaimable if item.stage is Stage.READY else item.need)
        return self._rule(free + held) - held

    # Idle models leave after a while

    def _watch(self) -> None:
        if self._sweeper is None and not self._closed and any(item.keep_alive_s for item in self._holdings):
            self._sweeper = threading.Thread(target=self._sweep, name="memory-keep-alive", daemon=True)
            self._sweeper.start()

    def _sweep(self) -> None:
        """Until no model in memory has a time to leave at."""
        while True:
            with self._lock:
                timed = [item for item in self._holdings if item.keep_alive_s and item.stage is not Stage.LEAVING]
                if self._closed or not timed:
                    self._sweeper = None
                    return
                now = time.monotonic()
                idle = [item for item in timed if item.stage is Stage.READY and not item.users]
                due = [item for item in idle if item.used_at + item.keep_alive_s <= now]
                self._send_away(*due)
                if not due:
                    ends = [item.used_at + item.keep_alive_s - now for item in idle]
                    self._swept.wait(min(ends, default=None))
            self._make_calls()


def _is_loading(holding: Holding) -> bool:
    """Its memory is being taken just now."""
    return holding.stage is Stage.LOADING and holding.users > 0


def _total(amounts: Iterable[Amount]) -> Amount:
    total = NOTHING
    for amount in amounts:
        total = total + amount
    return total


def _enough(need: Amount, room: Amount, holdings: Iterable[Holding]) -> list[Holding] | None:
    """Those whose leaving makes room for `need`, idle ones first, then by last use; None where all are too few."""
    chosen: list[Holding] = []
    for item in sorted(holdings, key=lambda item: (item.users > 0, item.used_at)):
        if need.fits(room):
            break
        short_of_cpu, short_of_gpu = need.cpu > room.cpu, need.gpu > room.gpu
        if (short_of_cpu and item.need.cpu) or (short_of_gpu and item.need.gpu):
            chosen.append(item)
            room = room + item.need
    return chosen if need.fits(room) else None
